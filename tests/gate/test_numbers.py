"""The program that `--numbers` prints gives every number again, whatever was decided."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.gate.deciding.calls import called, each_of
from afagent.statistics import Detector, Pair, difference_upper, holm, true_rate_lower, true_rate_upper

pairs = st.lists(st.builds(lambda yes, other: Pair(yes, 1, other, 1), st.integers(0, 1), st.integers(0, 1)), max_size=8)


def again(call: str) -> float:
    names: dict[str, object] = {}
    exec("from afagent.statistics import *", names)  # as the first line of the program says
    value = eval(call, names)
    assert isinstance(value, float)
    return value


@given(st.integers(0, 20), st.integers(20, 50), st.none() | st.just(Detector(40, 50, 1, 60)))
def test_a_bound_is_its_call(events: int, trials: int, detector: Detector | None) -> None:
    number = called(true_rate_upper, events, trials, detector, 0.95)
    assert again(number.call) == number.value
    number = called(true_rate_lower, events, trials, detector, 0.95, repeats=2)
    assert again(number.call) == number.value


@settings(max_examples=20, deadline=None)
@given(pairs)
def test_pairs_are_told_by_how_often_they_come(told: list[Pair]) -> None:
    number = called(difference_upper, told, 0.95)
    assert again(number.call) == pytest.approx(number.value, abs=1e-12)
    assert number.call.count("Pair(") <= 4


def test_one_of_several_says_which() -> None:
    number = each_of(holm, [0.01, 0.04])[1]
    assert number.call == "holm([0.01, 0.04])[1]"
    assert again(number.call) == number.value == 0.04
