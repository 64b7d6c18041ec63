"""Alert rules in a new schema."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def document(place):
    place.solve()
    return json.loads(place.result().read_text())


def judge(place, document):
    place.result().write_text(json.dumps(document))
    return place.verdict()


@pytest.mark.parametrize("key", ["name", "metric", "op", "threshold", "for_seconds", "severity", "route"])
def test_each_field_of_each_rule_matters(place, document, key):
    rule = document["rules"][-1]
    rule[key] = rule[key] * 2
    verdict = judge(place, document)
    assert verdict.engagement == "attempted"


def test_a_leftover_key_is_refused_as_the_new_release_would(place, document):
    document["rules"][0]["owner"] = "infra"
    assert judge(place, document).engagement == "attempted"


def test_retired_rules_and_rules_that_were_superseded_do_not_come_back(place, document):
    rules = document["rules"]
    old = [json.loads(line) for line in (place.result().parent / "rules.jsonl").read_text().splitlines()]
    assert sum(rule.get("state") == "retired" for rule in old) == 2
    assert len(old) == len(rules) + 2 + 2
    assert judge(place, {"version": 2, "rules": [*rules, rules[-1]]}).engagement == "attempted"


def test_the_order_and_the_version_are_asked_for(place, document):
    assert judge(place, document | {"rules": document["rules"][::-1]}).engagement == "attempted"
    assert judge(place, document | {"version": "2"}).engagement == "attempted"
    assert judge(place, document["rules"]).engagement == "attempted"


def test_a_whole_number_may_be_written_with_or_without_a_fraction(place, document):
    for rule in document["rules"]:
        rule["for_seconds"] = float(rule["for_seconds"])
    assert judge(place, document).engagement == "done"
