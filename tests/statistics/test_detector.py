"""Correction for an imperfect detector, against published examples and against simulated detectors."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.statistics import (
    Detector,
    interval,
    lower_bound,
    true_rate,
    true_rate_lower,
    true_rate_upper,
    upper_bound,
    visible_margin,
)
from afagent.statistics.detector import corrected

detectors = st.tuples(st.integers(0, 300), st.integers(0, 300), st.floats(0, 1), st.floats(0, 1)).map(
    lambda of: Detector(round(of[0] * of[2]), of[0], round(of[1] * of[3]), of[1])
)
counts = st.integers(1, 2000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


def test_the_published_examples_of_a_known_detector_come_out() -> None:
    """The examples of R's epiR (brucellosis, Helicobacter pylori) and RSurveillance, with Clopper-Pearson ends."""
    assert corrected(23 / 150, 0.96, 0.11) == pytest.approx(0.051, abs=0.0005)
    high = corrected(interval(6, 151).high, 0.964, 0.073)
    assert high == pytest.approx(0.013, abs=0.0005)
    assert corrected(6 / 151, 0.964, 0.073) < 0
    ends = interval(20, 120)
    assert [corrected(rate, 0.9, 0.01) for rate in (20 / 120, ends.low, ends.high)] == pytest.approx(
        [0.17603, 0.1066051, 0.2647191], abs=1e-5
    )


def test_none_of_500_with_a_sensitivity_of_80_of_100_bounds_the_rate_at_1_04_percent() -> None:
    assert true_rate_upper(0, 500, Detector(80, 100, 0, 100)) == pytest.approx(0.0104, abs=0.00005)
    assert true_rate_upper(0, 500, Detector(80, 100, 0, 100)) == upper_bound(0, 500, 0.975) / lower_bound(
        80, 100, 0.975
    )


def test_a_detector_that_was_proved_on_nothing_tells_nothing() -> None:
    nothing = Detector(0, 0, 0, 0)
    assert true_rate_upper(0, 500, nothing) == 1.0
    assert true_rate_lower(400, 500, nothing) == 0.0
    assert visible_margin(0.05, nothing) == 0.0
    assert (true_rate(1, 500, nothing).low, true_rate(1, 500, nothing).high) == (0.0, 1.0)


def test_false_alarms_that_explain_all_that_was_seen_leave_no_lower_bound() -> None:
    noisy = Detector(100, 100, 10, 100)
    assert true_rate_lower(50, 500, noisy) == 0.0
    assert true_rate_lower(400, 500, noisy) > 0.5


def test_more_looks_leave_room_for_more_false_alarms() -> None:
    quiet = Detector(100, 100, 0, 300)
    bounds = [true_rate_lower(60, 300, quiet, repeats=repeats) for repeats in (1, 5, 20)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] > bounds[2]


@given(counts, detectors)
def test_no_detector_makes_a_bound_better_than_a_perfect_one(count: tuple[int, int], detector: Detector) -> None:
    assert upper_bound(*count) <= true_rate_upper(*count, detector) <= 1
    assert 0 <= true_rate_lower(*count, detector) <= lower_bound(*count)
    assert true_rate_upper(*count) == upper_bound(*count)
    assert true_rate_lower(*count) == lower_bound(*count)
    assert 0 <= visible_margin(0.1, detector) <= visible_margin(0.1)


@given(counts, detectors)
def test_one_event_more_never_lowers_a_corrected_bound(count: tuple[int, int], detector: Detector) -> None:
    events, trials = count
    for bound in (true_rate_upper, true_rate_lower):
        assert bound(events, trials, detector) <= bound(events + 1, trials + 1, detector) + 1e-12


@given(counts, detectors)
def test_the_estimate_lies_within_its_interval(count: tuple[int, int], detector: Detector) -> None:
    found = true_rate(*count, detector)
    assert 0 <= found.low <= found.rate <= found.high <= 1


@pytest.mark.parametrize(("rate", "sensitivity", "alarms"), [(0.02, 0.8, 0.0), (0.05, 0.9, 0.03), (0.3, 0.7, 0.1)])
def test_the_bounds_miss_the_true_rate_no_more_often_than_they_say(
    rate: float, sensitivity: float, alarms: float
) -> None:
    draw = np.random.default_rng(7)
    trials, cases, times = 300, 100, 3000
    seen = draw.binomial(trials, rate * sensitivity + (1 - rate) * alarms, times)
    hits, false = draw.binomial(cases, sensitivity, times), draw.binomial(cases, alarms, times)

    @cache
    def missed(events: int, hit: int, alarm: int) -> tuple[bool, bool, bool]:
        detector = Detector(hit, cases, alarm, cases)
        both = true_rate(events, trials, detector)
        return (
            true_rate_upper(events, trials, detector) < rate,
            true_rate_lower(events, trials, detector) > rate,
            not both.low <= rate <= both.high,
        )

    too_low, too_high, outside = np.mean([missed(*map(int, one)) for one in zip(seen, hits, false, strict=True)], 0)
    assert too_low <= 0.05
    assert too_high <= 0.05
    assert outside <= 0.07  # approximate by design


@pytest.mark.parametrize("wrong", [(2, 1, 0, 0), (0, 0, -1, 5), (-1, 3, 0, 0)])
def test_impossible_counts_are_refused(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="counts must be"):
        Detector(*wrong)


def test_what_cannot_be_estimated_is_refused() -> None:
    fair = Detector(90, 100, 5, 100)
    with pytest.raises(ValueError, match="tells nothing"):
        corrected(0.5, 0.3, 0.3)
    with pytest.raises(ValueError, match="some trials"):
        true_rate(0, 0, fair)
    with pytest.raises(ValueError, match="at least one look"):
        true_rate_lower(0, 5, fair, repeats=0)
    with pytest.raises(ValueError, match="margin"):
        visible_margin(-0.1, fair)
