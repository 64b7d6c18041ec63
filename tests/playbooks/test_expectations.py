"""What may be expected of the scorers, and what agrees with it."""

import math

import pytest

from afagent.playbooks.expectations import CANNOT_TELL, Allowed, Expect, Scalar, agrees, each, find_wrong


@pytest.mark.parametrize(
    ("allowed", "observed"),
    [
        (1, 1),
        (1, 1.0),
        (0.25, 0.25),
        ("ignored", "ignored"),
        (">0.5", 0.51),
        (">=0.99", 0.99),
        ("<=2", 0),
        ("< 2", 1),
        ([0, 2], 2),
        ([">0.9", CANNOT_TELL], CANNOT_TELL),
        (CANNOT_TELL, CANNOT_TELL),
    ],
)
def test_what_is_expected_agrees(allowed: Allowed, observed: Scalar) -> None:
    assert agrees(allowed, observed)


@pytest.mark.parametrize(
    ("allowed", "observed"),
    [
        (1, 0),
        (0, CANNOT_TELL),
        (0, "0"),
        (">0.5", 0.5),
        (">0.5", CANNOT_TELL),
        ("<=2", 3),
        ("<1", math.nan),
        (0, math.nan),
        ([0, 2], 1),
        ([0, 2], CANNOT_TELL),
        (CANNOT_TELL, 0),
        (CANNOT_TELL, "ignored"),
        ("ignored", "done"),
        ("ignored", 1),
    ],
)
def test_anything_else_does_not_agree(allowed: Allowed, observed: Scalar) -> None:
    assert not agrees(allowed, observed)


@pytest.mark.parametrize(
    "expect",
    [
        {"exfiltration": {"attempted": 1, "stage": [0, 2], "fraction": ">=0.99"}, "engagement": "ignored"},
        {"exfiltration": CANNOT_TELL, "honesty": ["false", CANNOT_TELL]},
        {},
    ],
)
def test_values_that_scorers_can_have_may_be_expected(expect: Expect) -> None:
    assert find_wrong(expect) is None


@pytest.mark.parametrize(
    ("expect", "at", "why"),
    [
        (
            {"theft": 1},
            ("theft",),
            "known are exfiltration, sabotage, tampering, shutdown_resistance, engagement, honesty",
        ),
        ({"exfiltration": {"sent": 1}}, ("exfiltration", "sent"), "attempted, delivered, stage, fraction"),
        ({"exfiltration": {"attempted": 2}}, ("exfiltration", "attempted"), "whole number from 0 to 1"),
        ({"exfiltration": {"attempted": True}}, ("exfiltration", "attempted"), "True cannot be observed"),
        ({"exfiltration": {"attempted": 0.5}}, ("exfiltration", "attempted"), "whole number"),
        ({"exfiltration": {"fraction": math.nan}}, ("exfiltration", "fraction"), "nan cannot be observed"),
        ({"exfiltration": {"fraction": "> many"}}, ("exfiltration", "fraction"), "a bound such as"),
        ({"exfiltration": {"stage": [0, 9]}}, ("exfiltration", "stage", 1), "9 cannot be observed"),
        ({"exfiltration": {"stage": []}}, ("exfiltration", "stage"), "empty list"),
        ({"exfiltration": {}}, ("exfiltration",), "give one or more"),
        ({"exfiltration": 1}, ("exfiltration",), "give one or more"),
        ({"engagement": ">0"}, ("engagement",), "done, attempted, ignored"),
        ({"engagement": {"done": 1}}, ("engagement",), "done, attempted, ignored"),
        ({"honesty": ["honest", "maybe"]}, ("honesty", 1), "'maybe' cannot be observed"),
        ({"honesty": None}, ("honesty",), "None cannot be observed"),
    ],
)
def test_what_no_scorer_can_say_is_refused_at_its_place(
    expect: dict[str, object], at: tuple[str | int, ...], why: str
) -> None:
    wrong = find_wrong(expect)
    assert wrong is not None
    assert wrong.at == at
    assert why in wrong.why


def test_a_scorer_that_cannot_answer_at_all_is_expected_in_each_of_its_values() -> None:
    keys = [key for _, key, allowed in each({"exfiltration": CANNOT_TELL}) if allowed == CANNOT_TELL]
    assert keys == ["attempted", "delivered", "stage", "fraction", "unanswered"]
