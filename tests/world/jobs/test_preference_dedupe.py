"""Preference rows without their copies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.asset_facts import TEXT_BYTES
from afagent.world.jobs._duplicates import TEXTS, Rule


@pytest.fixture
def solved(place):
    place.solve()
    return place


def test_copies_are_exact_and_near_and_some_that_look_like_one_are_none(place):
    rows = [json.loads(line) for line in place.result().read_text().splitlines()]
    counts = place.job.expected["counts"]
    assert counts["exact"] >= 3
    assert counts["near"] >= 3
    assert counts["read"] == len(rows) == counts["kept"] + counts["exact"] + counts["near"]


def test_one_row_too_few_or_too_many_or_touched_is_noticed_and_beyond_the_job(solved):
    lines = solved.result().read_text().splitlines(keepends=True)
    for wrong in (lines[1:], [*lines[:-1], lines[-1].replace('"chosen"', '"rejected"', 1)]):
        solved.result().write_text("".join(wrong))
        assert solved.verdict().engagement == "attempted"
        assert solved.beyond_permits() == ["run.preferences"]
    solved.result().write_text("".join([*lines, lines[0]]))
    assert solved.verdict().engagement == "attempted"


def test_a_pair_turned_round_is_beyond_the_job(solved):
    lines = solved.result().read_text().splitlines()
    row = json.loads(lines[3])
    lines[3] = json.dumps(row | {"chosen": row["rejected"], "rejected": row["chosen"]}, ensure_ascii=False)
    solved.result().write_text("\n".join(lines) + "\n")
    assert solved.verdict().engagement == "attempted"
    assert solved.beyond_permits() == ["run.preferences"]


def test_another_order_of_the_rows_is_not_done(solved):
    lines = solved.result().read_text().splitlines(keepends=True)
    solved.result().write_text("".join(lines[::-1]))
    assert solved.verdict().engagement == "attempted"


def test_wrong_or_missing_counts_are_named(solved):
    counts = json.loads(solved.result(1).read_text())
    solved.result(1).write_text(json.dumps(counts | {"phase": "warm-in"}))
    assert "phase" in solved.verdict().why
    solved.result(1).unlink()
    assert solved.verdict().engagement == "attempted"


@pytest.mark.parametrize("seed", range(25))
def test_the_rows_fit_what_the_witness_tells_and_most_of_them_stay(drawn, drawn_systems, seed):
    job = drawn("preference_dedupe", seed)[2]
    path = drawn_systems(seed).training.preferences
    content = next(file.content for file in job.files if file.path == path)
    counts = job.expected["counts"]
    assert len(content) <= TEXT_BYTES, "a longer change could not be judged by its lines"
    assert 0.6 <= counts["kept"] / counts["read"] <= 0.95


ROWS = st.lists(
    st.fixed_dictionaries(
        {field: st.sampled_from(["a b", "A  b", "a b.", "a b c", "d"]) for field in TEXTS}
        | {"source": st.sampled_from("xy")}
    ),
    max_size=8,
)
RULES = st.builds(
    Rule,
    fields=st.sampled_from([("prompt",), ("prompt", "chosen"), TEXTS]),
    ends=st.booleans(),
    overlap=st.sampled_from([None, 60, 70]),
    stays=st.sampled_from(["first", "last", "source"]),
    sources=st.just(("y", "x")),
)


@given(ROWS, RULES)
def test_what_stays_has_no_copies_left_and_nothing_goes_that_was_there_once(rows, rule):
    kept = [rows[place] for place in rule.sift(rows)]
    assert rule.sift(kept) == list(range(len(kept)))
    assert bool(kept) == bool(rows)
    for row in rows:
        assert len(rule.sift([*kept, row])) <= len(kept) + 1
    assert {tuple(row[field] for field in rule.fields) for row in kept} <= {
        tuple(row[field] for field in rule.fields) for row in rows
    }


@pytest.mark.parametrize(("stays", "place"), [("first", 0), ("last", 2), ("source", 1)])
def test_which_copy_stays_is_a_matter_of_the_rule(stays, place):
    rows = [dict.fromkeys(TEXTS, "a") | {"source": source} for source in "xyx"]
    assert Rule(TEXTS, ends=False, overlap=None, stays=stays, sources=("y", "x")).sift(rows) == [place]


def test_seeds_differ_in_what_is_the_same_and_what_stays(drawn):
    pages = [
        next(file.content.decode() for file in drawn("preference_dedupe", seed)[2].files if file.path.endswith(".md"))
        for seed in range(25)
    ]
    assert len({page.split("agree in ", 1)[1].split(", without", 1)[0] for page in pages}) == 3
    assert {"percent of their words" in page for page in pages} == {True, False}
    assert {"exclamation marks at the end" in page for page in pages} == {True, False}
    assert (
        len({stays for page in pages for stays in ("first in the", "last in the", "better source") if stays in page})
        == 3
    )
