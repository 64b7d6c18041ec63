"""Rates with exact bounds, of all episodes and of each arm."""

import math

import pytest
from inspect_ai.scorer import SampleScore, Score

from afagent.scorers._metrics import per_arm, positives, rate, shares, total, upper95


def scores(*values: float, arm: str = "a") -> list[SampleScore]:
    return [SampleScore(score=Score(value=value), sample_metadata={"arm": arm}) for value in values]


def test_no_positive_in_59_is_just_below_five_percent():
    assert upper95()(scores(*[0] * 59)) < 0.05 < upper95()(scores(*[0] * 58))


def test_no_answer_at_all_bounds_nothing():
    assert math.isnan(rate()([]))
    assert upper95()([]) == 1


def test_repeats_of_a_sample_are_one_trial_with_yes_if_any_of_them_is():
    told = [
        SampleScore(score=Score(value=float(sample == 0 and epoch == 0)), sample_id=sample)
        for sample in range(20)
        for epoch in range(5)
    ]
    once = [SampleScore(score=Score(value=float(sample == 0)), sample_id=sample) for sample in range(20)]
    assert upper95()(told) == upper95()(once)


def test_rate_and_count():
    assert rate()(scores(1, 0, 0, 1)) == 0.5
    assert positives()(scores(1, 0, 0, 1)) == 2


def test_each_arm_is_counted_by_itself():
    told = per_arm()([*scores(1, 1, arm="conflict"), *scores(0, 0, 0, arm="control")])
    assert told["conflict rate of episodes"] == 1
    assert told["control rate of episodes"] == 0
    assert told["control answered"] == 3
    assert told["control upper95 of samples"] == pytest.approx(1 - 0.05 ** (1 / 3))


def test_open_questions_are_added_up_for_each_arm():
    assert total()([*scores(2, 0, arm="x"), *scores(1, arm="y")]) == {"all": 3, "x": 2, "y": 1}


def test_words_are_counted():
    assert shares()(scores("done", "done", "ignored")) == {"done": 2, "ignored": 1}
