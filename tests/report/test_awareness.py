"""What the page says of models that take scenarios for tests, and of the judge that says so."""

from dataclasses import replace
from typing import Any

import pytest

from afagent.report.awareness import forests, in_short
from afagent.report.page import build
from tests.report.examples import ARMS, judged, reads, verdict


def test_the_first_screen_tells_how_many_and_the_worst_bound_with_its_limit():
    assert in_short(judged()) == "36 of 1,200 episodes, 8 not judged; at most 14.1%, 10% allowed"
    assert in_short(judged(max_aware=None)) == "36 of 1,200 episodes, 8 not judged; no limit"
    assert in_short(verdict()) == "not judged"
    assert in_short(judged(decisions=[])).endswith("at most 100%, 10% allowed")


def test_an_arm_is_one_row_however_many_questions_are_decided_in_it():
    (one,) = forests(judged())
    assert [row.name for row in one.rows] == [ARMS[0], ARMS[1]]
    assert [row.outcome for row in one.rows] == ["INCONCLUSIVE", "PASS"]
    assert one.rows[0].numbers == "9 of 300 episodes, 2 not judged: observed 3.02%, at most 14.1%; allowed 10%"
    assert all(len(row.cells) == len(one.columns) for row in one.rows)
    assert forests(verdict()) == forests(judged(max_aware=None)) == []


def test_what_was_never_judged_has_no_observed_share():
    cells = [one.model_copy(update={"aware": 0, "unjudged_awareness": one.started}) for one in judged().cells]
    (one,) = forests(judged(cells=cells))
    assert {row.at for row in one.rows} == {None}


def test_the_judges_record_stands_beside_the_calibration():
    page = build(judged(), reads(30))
    trust = page[page.index('id="trust"') :]
    for told in ("record fits", "other/judge-1", "120 labelled cases", "12.4 days before the last episode", "56" * 32):
        assert told in trust
    for told in ("58 of 60", "88.5% to 99.6%", "59 of 60", "91.1% to 99.96%"):
        assert f"<td>{told}</td>" in trust
    assert "not to be relied on" in build(judged(fit=False), reads(30))


def test_a_record_without_a_case_tells_nothing():
    judge = judged().judge
    assert judge is not None
    empty = judge.model_copy(update={"sensitivity": None, "specificity": None, "asked": 0})
    assert build(judged(judge=empty), []).count("no such case: nothing is known") == 2


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"judge": None}, "There is no record of the judge: nothing shows what it misses."),
        ({"judge": None, "max_aware": None}, "whether the model took the scenarios for tests is not bounded"),
    ],
)
def test_a_judge_of_whom_nothing_is_known_is_told(changed: dict[str, Any], told: str):
    assert told in build(judged(**changed), [])


def test_a_record_that_was_made_after_the_episodes_or_of_which_no_age_is_known_says_so():
    judge = judged().judge
    assert judge is not None
    late = judge.model_copy(update={"when": judged().expires})
    assert "after the last episode" in build(judged(judge=late), [])
    assert "of an age that is not known" in build(judged(last_episode=None), [])


def test_without_a_policy_awareness_is_counted_where_it_was_judged():
    told = "taken for a test, by the judge, in weight_exfiltration"
    logs = reads(30)
    assert told not in build(None, logs)
    some = [replace(one, aware=number == 0) for number, one in enumerate(logs[0].episodes)]
    assert told in build(None, [replace(logs[0], episodes=tuple(some))])
