"""Exact bounds of a rate, against published figures, against scipy's own test, and in what must always hold."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest  # type: ignore[import-untyped]

from afagent.statistics import Interval, design_effect, effective, interval, lower_bound, upper_bound

# Independent scenarios needed so that the exact one-sided 95% upper bound lies below the rate, for 0, 1, 2, 3 events.
NEEDED = {
    0.05: (59, 93, 124, 153),
    0.01: (299, 473, 628, 773),
    0.005: (598, 947, 1258, 1549),
    0.001: (2995, 4742, 6294, 7752),
}
CELLS = [(rate, events, trials) for rate, row in NEEDED.items() for events, trials in enumerate(row)]

counts = st.integers(1, 3000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
confidences = st.floats(0.5, 0.999)


@pytest.mark.parametrize(("rate", "events", "trials"), CELLS)
def test_the_published_number_of_scenarios_is_enough_and_one_fewer_is_not(
    rate: float, events: int, trials: int
) -> None:
    assert upper_bound(events, trials) < rate
    assert upper_bound(events, trials - 1) >= rate


def test_nothing_is_known_without_trials() -> None:
    assert interval(0, 0) == Interval(0.0, 1.0)
    assert upper_bound(0, 0) == 1.0
    assert lower_bound(0, 0) == 0.0


def test_no_event_and_nothing_but_events_leave_one_side_open() -> None:
    assert lower_bound(0, 20) == 0.0
    assert upper_bound(20, 20) == 1.0
    assert 0 < upper_bound(0, 20) < 1
    assert 0 < lower_bound(20, 20) < 1


@pytest.mark.parametrize(("events", "trials"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_refused(events: int, trials: int) -> None:
    for bound in (upper_bound, lower_bound, interval):
        with pytest.raises(ValueError, match="events must be"):
            bound(events, trials)


@pytest.mark.parametrize("confidence", [0, 1, 95, float("nan")])
def test_a_confidence_outside_0_to_1_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        upper_bound(0, 5, confidence)


@given(counts, confidences)
def test_the_bounds_are_those_of_scipys_exact_binomial_test(count: tuple[int, int], confidence: float) -> None:
    events, trials = count
    two_sided = binomtest(events, trials).proportion_ci(confidence, method="exact")
    assert interval(events, trials, confidence).low == pytest.approx(two_sided.low, abs=1e-9)
    assert interval(events, trials, confidence).high == pytest.approx(two_sided.high, abs=1e-9)
    one_sided = binomtest(events, trials, alternative="less").proportion_ci(confidence, method="exact")
    assert upper_bound(events, trials, confidence) == pytest.approx(one_sided.high, abs=1e-9)


@given(counts)
def test_one_event_more_never_lowers_a_bound_and_one_clean_trial_more_never_raises_it(count: tuple[int, int]) -> None:
    events, trials = count
    for bound in (upper_bound, lower_bound):
        assert bound(events, trials + 1) <= bound(events, trials) + 1e-12
        assert bound(events + 1, trials + 1) >= bound(events, trials) - 1e-12


@given(counts)
def test_the_observed_rate_lies_inside_and_the_one_sided_bound_below_the_two_sided_one(count: tuple[int, int]) -> None:
    events, trials = count
    found = interval(events, trials)
    assert 0 <= found.low <= events / trials <= found.high <= 1
    assert upper_bound(events, trials) <= found.high


@given(st.floats(0, 1), st.floats(0.5, 3000), st.floats(0, 1), confidences)
def test_bounds_of_counts_that_are_not_whole_lie_between_those_of_whole_ones(
    share: float, trials: float, step: float, confidence: float
) -> None:
    events = share * trials
    more = min(trials, events + step)
    for bound in (upper_bound, lower_bound):
        assert 0 <= bound(events, trials, confidence) <= bound(more, trials, confidence) + 1e-9 <= 1 + 1e-9
        assert bound(events, trials + step, confidence) <= bound(events, trials, confidence) + 1e-9
    assert lower_bound(events, trials, confidence) <= share + 1e-9
    assert share <= upper_bound(events, trials, confidence) + 1e-9


def test_the_design_effect_is_kishs() -> None:
    assert design_effect([5] * 60, 0.2) == pytest.approx(1.8)
    assert design_effect([20, 10, 30], 0.05) == pytest.approx(1 + (1400 / 60 - 1) * 0.05)
    assert design_effect([1] * 300, 1.0) == 1.0
    assert design_effect([5] * 60, 0.0) == 1.0
    assert design_effect([5, 0, 5], 0.2) == pytest.approx(design_effect([5, 5], 0.2))
    assert design_effect([], 0.5) == 1.0


@given(st.lists(st.integers(1, 20), min_size=1, max_size=50), st.floats(0, 1))
def test_clustered_trials_are_worth_at_least_one_trial_a_cluster_and_at_most_themselves(
    sizes: list[int], icc: float
) -> None:
    counts = effective(0, sizes, icc)
    assert counts.trials <= sum(sizes) + 1e-9
    assert counts.trials * max(sizes) >= sum(sizes) - 1e-9
    if len(set(sizes)) == 1:
        assert counts.trials >= len(sizes) - 1e-9
    assert effective(sum(sizes), sizes, icc).events == effective(0, sizes, icc).trials


@given(st.lists(st.integers(1, 20), min_size=1, max_size=50), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_correlation_never_lowers_the_bound_at_no_event(sizes: list[int], one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert upper_bound(0, effective(0, sizes, low).trials) <= upper_bound(0, effective(0, sizes, high).trials) + 1e-12


def test_impossible_clusters_are_refused() -> None:
    with pytest.raises(ValueError, match="correlation"):
        design_effect([5], 1.5)
    with pytest.raises(ValueError, match="cluster"):
        design_effect([5, -1], 0.5)
    with pytest.raises(ValueError, match="events"):
        effective(6, [5], 0.5)


def test_the_command_line_does_not_wait_for_what_few_of_its_commands_need() -> None:
    code = (
        "import sys, afagent.statistics; sys.exit(any(name in sys.modules for name in ('scipy.stats', 'statsmodels')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
