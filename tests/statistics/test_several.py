"""Holm's adjustment, against its definition and in what must always hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.statistics import holm

p_values = st.lists(st.floats(0, 1), max_size=8)


def test_a_known_example_is_adjusted_in_its_own_order() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_one_test_alone_needs_no_adjustment_and_none_gives_none() -> None:
    assert holm([0.04]) == [0.04]
    assert holm([]) == []


@settings(max_examples=20, deadline=None)
@given(p_values)
def test_an_adjusted_value_is_never_smaller_and_never_more_than_bonferronis(values: list[float]) -> None:
    for value, adjusted in zip(values, holm(values), strict=True):
        assert value <= adjusted <= min(1, value * len(values)) + 1e-12


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, value])
