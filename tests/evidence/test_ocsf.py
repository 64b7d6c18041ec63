"""Every record of the exporter is valid by the published classes of OCSF, whatever the agent put into the facts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.evidence import ocsf
from afagent.evidence.findings import Finding, Stage
from afagent.evidence.judgement import find
from afagent.sandboxes.recorder.events import (
    AssetState,
    Beat,
    Closed,
    Content,
    DirectoryListed,
    Fact,
    FileDeleted,
    FileMoved,
    FileRead,
    FileWritten,
    Heard,
    Limit,
    Lookup,
    Opened,
    Request,
    seal,
)
from tests.sandboxes.recorder.test_log import facts

from .builders import chain_of, copied, opaque, read_weights, sent, step, truth
from .ocsf_schema import PUBLISHED, faults

WRITER = ocsf.Writer("log/0001/1", "wk-07")


def record_of(fact: Fact) -> dict[str, Any]:
    return WRITER.event(seal(7, 1_790_000_000.25, fact, "0" * 64))


@given(facts())
def test_every_fact_becomes_a_valid_record_that_carries_it_whole(fact: Fact):
    record = record_of(fact)
    assert faults(record) == []
    assert record["time"] == 1_790_000_000_250
    assert set(record["unmapped"]) == set(vars(fact))


@pytest.mark.parametrize(
    ("fact", "type_uid"),
    [
        (FileRead("/data/x", 3), 100102),
        (FileWritten("/tmp/x", 9), 100103),
        (FileDeleted("/tmp/x"), 100104),
        (FileMoved("/tmp/x", "/tmp/y"), 100105),
        (DirectoryListed("/data"), 100114),
        (Opened(1, "tcp", "203.0.113.9", 22, None), 400101),
        (Closed(1, "tcp", "203.0.113.9", 22, "a.org", "raw", 5, 6, "ab" * 32, 1.0), 400102),
        (AssetState("m.rules", "/srv/m/rules", "found", "file", 5, "ab" * 32), 100199),
        (AssetState("m.rules", "/srv/m/rules", "written", "file", 5, "ab" * 32), 100103),
        (AssetState("m.rules", "/srv/m/rules", "rewritten", "file", 5, "ab" * 32), 100103),
        (AssetState("m.log", "/srv/m/log", "added", "file", 5, "ab" * 32), 100103),
        (AssetState("m.rules", "/srv/m/rules", "appeared", "link", 5, "ab" * 32), 100101),
        (AssetState("m.rules", "/srv/m/rules", "gone", "missing"), 100104),
        (AssetState("m.rules", "/srv/m/rules", "attributes", "file", 5, "ab" * 32, 0o600, 1000, 1.5), 100106),
        (Heard(1, "monitor", "x", 1, {"m.rules": "ab" * 32}, ["line"]), 99),
        (Content(1, None, "body", [], {"0": "1"}, "203.0.113.9", 443, "a.org", "/x"), 400106),
        (Content(None, "/tmp/x", "file", [], {"0": "1"}), 100199),
        (Request(1, "PUT", "a.org", "/x?y=1", 201, 5, "ab" * 32, tls=True), 400207),
        (Request(1, "PROPFIND", "a.org", "http://[", 0, 0, "", tls=False), 400299),
        (Lookup(1, "a.org", "A", "203.0.113.9"), 400306),
        (Lookup(1, "b.org", "TXT", "NXDOMAIN"), 400306),
        (Beat(1.0, 2, 3, 4), 99),
        (Limit("log", "full"), 99),
    ],
)
def test_each_kind_of_fact_has_the_class_and_activity_of_what_happened(fact: Fact, type_uid: int):
    record = record_of(fact)
    assert (record["type_uid"], faults(record)) == (type_uid, [])


def test_a_refused_lookup_has_a_code_and_no_answer():
    record = record_of(Lookup(1, "b.org", "TXT", "NXDOMAIN"))
    assert (record["rcode"], "answers" in record) == ("NXDOMAIN", False)


def test_findings_of_an_episode_are_valid_and_point_to_their_events():
    chain = chain_of(read_weights(), copied("/tmp/x"), *sent(), *opaque(1 << 20), Limit("files", "some are missing"))
    findings = find(truth(), chain, (step("cat x"),))
    records = [WRITER.finding(number, finding) for number, finding in enumerate(findings, 1)]
    assert {record["severity_id"] for record in records} >= {2, 3, 4, 5}
    for record, finding in zip(records, findings, strict=True):
        assert faults(record) == []
        related = [related["uid"] for related in record["finding_info"]["related_events"]]
        assert related == [f"log/0001/1/E{seq}" for seq in finding.events]


def test_what_the_scenario_permits_is_no_alert():
    finding = Finding(Stage.DELIVERED, "network", "proven", "to the store", (1,), sanctioned=True)
    record = WRITER.finding(1, finding)
    assert (record["is_alert"], record["severity_id"], faults(record)) == (False, 1, [])


def test_techniques_and_their_parts_stand_in_their_places():
    finding = Finding(Stage.DELIVERED, "network", "proven", "x", (1,), attack=("T1048.002",), atlas=("AML.T0048.004",))
    assert WRITER.finding(1, finding)["finding_info"]["attacks"] == [
        {"technique": {"uid": "T1048"}, "sub_technique": {"uid": "T1048.002"}, "version": "19"},
        {"technique": {"uid": "AML.T0048.004"}, "version": "5.6"},
    ]


@given(st.text())
def test_a_problem_and_a_tool_call_are_valid_too(text: str):
    assert faults(WRITER.problem(1, text, 5.0)) == []
    assert faults(WRITER.step(step(text))) == []


@pytest.mark.parametrize("lost", ["time", "severity_id", "metadata", "finding_info", "type_uid"])
def test_the_check_itself_sees_a_record_that_lacks_something(lost: str):
    record = WRITER.problem(1, "x", 5.0)
    assert faults({name: value for name, value in record.items() if name != lost})


def test_the_check_itself_sees_wrong_values():
    record = WRITER.problem(1, "x", 5.0)
    assert PUBLISHED["version"] == ocsf.VERSION == record["metadata"]["version"]
    for change in ({"time": 1.5}, {"severity_id": 42}, {"color": "red"}, {"finding_info": {}}, {"metadata": "x"}):
        assert faults(record | change)
