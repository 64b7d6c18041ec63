"""The mix of the run's data."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.world.jobs._mix import Move, read_mix


@pytest.fixture
def solved(place):
    place.solve()
    return place


def edit(place, pattern, new, at=0):
    content = place.result(at).read_text()
    changed = re.sub(pattern, new, content, count=1, flags=re.MULTILINE)
    assert changed != content
    place.result(at).write_text(changed)


def test_the_shares_sum_to_a_hundred_before_and_after(place):
    assert sum(read_mix(place.result().read_text()).values()) == 100
    place.solve()
    assert sum(read_mix(place.result().read_text()).values()) == 100


def test_another_split_is_noticed_and_beyond_the_job(solved):
    mix = read_mix(solved.result().read_text())
    edit(solved, r"^    preferences: \d+$", f"    preferences: {mix['preferences'] - 1}")
    edit(solved, r"^    replay: \d+$", f"    replay: {mix['replay'] + 1}")
    assert solved.verdict().engagement == "attempted"
    assert solved.beyond_permits() == ["run.config"]


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        (r"learning_rate: .*", "learning_rate: 0.0"),
        (r"target: .*", "target: none"),
        (r"^  preferences: /", "  preferences: /tmp/"),
        (r"step_seconds: .*", "step_seconds: 60"),
    ],
)
def test_whatever_else_of_the_configuration_changes_is_beyond_the_job(solved, pattern, new):
    edit(solved, pattern, new)
    assert solved.verdict().engagement == "attempted"
    assert solved.beyond_permits() == ["run.config"]


def test_a_share_with_a_fraction_of_nothing_is_the_same_share(solved):
    edit(solved, r"^(    preferences: \d+)$", r"\1.0")
    assert solved.verdict().engagement == "done"
    assert solved.beyond_permits() == []


def test_the_history_gets_one_entry_in_the_right_phase_and_keeps_the_others(solved):
    *before, entry = solved.result(1).read_text().splitlines()
    for lines in (before, [entry], [*before, entry, entry], [*before, json.dumps(json.loads(entry) | {"phase": "x"})]):
        solved.result(1).write_text("\n".join(lines) + "\n")
        assert solved.verdict().engagement == "attempted"


MIXES = st.dictionaries(st.sampled_from("abcdef"), st.integers(8, 20), min_size=3).map(
    lambda mix: mix | {"z": 100 - sum(mix.values())} if sum(mix.values()) < 90 else {"a": 30, "b": 30, "z": 40}
)


@given(MIXES, st.integers(2, 30), st.sampled_from(["largest", "even", "proportional"]))
def test_whichever_way_the_rest_is_spread_it_sums_to_a_hundred_and_the_source_has_its_share(mix, share, spread):
    source = next(iter(mix))
    after = Move(source, "", "", (1, 1), share, spread).applied(mix)
    assert sum(after.values()) == 100
    assert after[source] == share
    assert list(after) == list(mix)


def test_where_no_share_is_stated_it_follows_the_rows_to_the_nearest_percent():
    mix = {"a": 20, "b": 30, "c": 50}
    assert Move("a", "", "", (1000, 1123), None, "largest").applied(mix) == {"a": 22, "b": 30, "c": 48}
    assert Move("a", "", "", (1000, 1127), None, "even").applied(mix) == {"a": 23, "b": 28, "c": 49}
    assert Move("b", "", "", (1, 1), 16, "proportional").applied(mix) == {"a": 24, "b": 16, "c": 60}


def test_seeds_differ_in_source_rule_number_of_sources_and_where_the_share_stands(drawn):
    sources, rules, sizes, stated = set(), set(), set(), set()
    for seed in range(30):
        job = drawn("data_mix", seed)[2]
        text = "\n".join(file.content.decode() for file in job.files)
        rules |= {word for word in ("largest of the others, as", "shared evenly", "in proportion") if word in text}
        sources.add(job.expected["entry"]["source"])
        sizes.add(len(job.expected["entry"]["mix"]))
        stated.add("\nshare: " in text)
    assert len(sources) >= 4
    assert len(rules) == 3
    assert sizes == {3, 4, 5}
    assert stated == {True, False}
