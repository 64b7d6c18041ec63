"""Paired differences, against published tables, exact sums and simulated models."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq  # type: ignore[import-untyped]
from scipy.stats import multinomial, norm, ttest_1samp  # type: ignore[import-untyped]

from afagent.statistics import (
    Pair,
    difference_lower,
    difference_p_value,
    difference_upper,
    exact_p_value,
    paired_difference,
)
from afagent.statistics.paired import tango

pairs_lists = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.floats(0, 1), st.floats(0, 1)).map(
        lambda of: Pair(round(of[0] * of[2]), of[0], round(of[1] * of[3]), of[1])
    ),
    min_size=1,
    max_size=25,
)


def once(more: int, fewer: int, scenarios: int) -> list[Pair]:
    """Scenarios with one repeat each."""
    same = [Pair(0, 1, 0, 1)] * (scenarios - more - fewer)
    return [Pair(1, 1, 0, 1)] * more + [Pair(0, 1, 1, 1)] * fewer + same


def tango_interval(more: int, fewer: int, scenarios: int) -> tuple[float, float]:
    """Tango's approximate interval at 95%, as it is published."""
    limit = float(norm.ppf(0.975))

    def end(more: int, fewer: int) -> float:
        start = (more - fewer) / scenarios
        return float(brentq(lambda margin: float(tango(more, fewer, scenarios, margin)) + limit, start, 1 - 1e-9))

    return -end(fewer, more), end(more, fewer)


def test_tangos_interval_is_the_published_one() -> None:
    """Airway hyper-responsiveness before and after transplantation: Fagerland, Lydersen and Laake (2014), Table 5."""
    assert tango_interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=0.0005)


def test_the_exact_interval_lies_around_tangos_and_close_to_it() -> None:
    for more, fewer, scenarios in [(1, 7, 21), (40, 20, 160), (5, 5, 300), (0, 3, 80)]:
        low, high = tango_interval(more, fewer, scenarios)
        found = paired_difference(once(more, fewer, scenarios))
        assert found.low <= low + 0.002
        assert found.high >= high - 0.002
        assert found.high - found.low <= 1.35 * (high - low)


@pytest.mark.parametrize("scenarios", [1, 2, 20, 59, 300])
def test_an_interval_has_width_where_nothing_differs(scenarios: int) -> None:
    found = paired_difference(once(0, 0, scenarios))
    assert found.low < 0 < found.high
    assert found.value == 0
    assert -found.low == found.high


def test_nothing_is_known_without_scenarios() -> None:
    assert (paired_difference([]).low, paired_difference([]).high) == (-1, 1)
    assert difference_p_value([], 0.5) == 1.0


@pytest.mark.parametrize(("margin", "enough"), [(0.05, 59), (0.01, 299)])
def test_two_silent_models_need_as_many_scenarios_as_one(margin: float, enough: int) -> None:
    assert exact_p_value(0, 0, enough, margin) <= 0.05
    assert exact_p_value(0, 0, enough - 1, margin) > 0.05


def test_a_margin_of_nothing_is_never_shown_of_models_that_do_not_differ() -> None:
    assert exact_p_value(0, 0, 300, 0) == 1.0
    assert exact_p_value(0, 20, 300, 0) < 0.001


@pytest.mark.parametrize(("more", "fewer", "scenarios", "margin"), [(1, 2, 12, 0.2), (0, 1, 10, 0.3), (3, 1, 14, 0.45)])
def test_the_exact_chance_is_the_greatest_sum_over_all_results_that_score_no_higher(
    more: int, fewer: int, scenarios: int, margin: float
) -> None:
    results = [(b, c) for b in range(scenarios + 1) for c in range(scenarios + 1 - b)]
    score = tango(more, fewer, scenarios, margin)
    low = [(b, c, scenarios - b - c) for b, c in results if tango(b, c, scenarios, margin) <= score + 1e-9]
    sums = [
        sum(multinomial.pmf(one, scenarios, [rate + margin, rate, 1 - 2 * rate - margin]) for one in low)
        for rate in np.linspace(0, (1 - margin) / 2 - 1e-9, 40)
    ]
    found = exact_p_value(more, fewer, scenarios, margin)
    assert found >= max(sums) - 0.002
    assert found == pytest.approx(max(sums), abs=0.01)


def test_the_clustered_bound_is_students_and_holds_where_it_is_the_wider_one() -> None:
    """Miller (2024): the mean of the scenarios' differences, with the error of their spread."""
    pairs = [Pair(4, 4, 0, 4)] * 3 + [Pair(0, 4, 4, 4)] * 5 + [Pair(0, 4, 0, 4)] * 4
    differences = [pair.difference for pair in pairs]
    student = ttest_1samp(differences, 0.2, alternative="less")
    assert difference_p_value(pairs, 0.2) >= student.pvalue
    high = ttest_1samp(differences, 0, alternative="less").confidence_interval(0.95).high
    assert difference_upper(pairs, 0.95) >= high - 1e-9


def test_scenarios_count_and_repeats_do_not() -> None:
    few = [Pair(0, 20, 0, 20)] * 15
    many = [Pair(0, 1, 0, 1)] * 300
    assert difference_upper(few) == difference_upper([Pair(0, 1, 0, 1)] * 15)
    assert difference_upper(few) > 10 * difference_upper(many)


@settings(max_examples=15, deadline=None)
@given(pairs_lists)
def test_the_observed_difference_lies_within_and_swapping_the_sides_turns_it_around(pairs: list[Pair]) -> None:
    found = paired_difference(pairs)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    swapped = paired_difference([Pair(one.baseline_yes, one.baseline_of, one.yes, one.of) for one in pairs])
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low), abs=1e-6)
    assert found.low <= difference_lower(pairs) + 1e-6
    assert difference_upper(pairs) <= found.high + 1e-6


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 120).flatmap(
        lambda n: st.integers(0, n).flatmap(lambda b: st.tuples(st.just(n), st.just(b), st.integers(0, n - b)))
    ),
    st.floats(0, 0.9),
)
def test_one_more_yes_of_the_model_never_helps_it(counts: tuple[int, int, int], margin: float) -> None:
    scenarios, more, fewer = counts
    found = exact_p_value(more, fewer, scenarios, margin)
    assert 0 <= found <= 1
    if more + fewer < scenarios:
        assert exact_p_value(more + 1, fewer, scenarios, margin) >= found - 1e-9
        assert exact_p_value(more, fewer + 1, scenarios, margin) <= found + 1e-9


@pytest.mark.parametrize(
    ("baseline", "margin", "repeats"), [(0.0, 0.05, 1), (0.1, 0.05, 1), (0.3, 0.1, 4), (0.02, 0.06, 4)]
)
def test_a_model_at_the_margin_passes_no_more_often_than_is_allowed(
    baseline: float, margin: float, repeats: int
) -> None:
    """Each scenario has a rate of its own that both models share, so that repeats and models are alike."""
    draw = np.random.default_rng(11)
    scenarios, times = 70, 400
    shape = (times, scenarios)
    common = draw.beta(baseline, 1 - baseline, shape) * 0.999 if baseline else np.zeros(shape)
    extra = margin / (1 - 0.999 * baseline)
    old = draw.binomial(repeats, common)
    new = draw.binomial(repeats, common + (1 - common) * extra)

    @cache
    def passes(differences: tuple[int, ...]) -> bool:
        pairs = [Pair(max(0, one), repeats, max(0, -one), repeats) for one in differences]
        return difference_p_value(pairs, margin) <= 0.05

    share = np.mean([passes(tuple(sorted(map(int, row)))) for row in new - old])
    assert share <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / times)


def test_what_does_not_fit_is_refused() -> None:
    for wrong in [(2, 1, 0, 1), (0, 1, 0, 0), (-1, 1, 0, 1)]:
        with pytest.raises(ValueError, match="a pair needs"):
            Pair(*wrong)
    with pytest.raises(ValueError, match="do not fit"):
        exact_p_value(3, 3, 5, 0.1)
    with pytest.raises(ValueError, match="margin"):
        exact_p_value(0, 0, 5, 1)
    for function in (paired_difference, difference_upper, difference_lower):
        with pytest.raises(ValueError, match="confidence"):
            function([], 1.0)
