"""Chances before a run, against published tables, direct sums and simulated clusters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom  # type: ignore[import-untyped]

from afagent.statistics import Design, chance_at_most, chance_once, effective, needed, smallest, upper_bound

designs = st.builds(Design, st.integers(1, 80), st.integers(1, 8), st.floats(0, 1))
rates = st.floats(0, 1)


@pytest.mark.parametrize(
    ("rate", "numbers"),
    [
        (0.05, (59, 93, 124, 153)),
        (0.01, (299, 473, 628, 773)),
        (0.005, (598, 947, 1258, 1549)),
        (0.001, (2995, 4742, 6294, 7752)),
    ],
)
def test_as_many_scenarios_are_needed_as_is_published(rate: float, numbers: tuple[int, ...]) -> None:
    assert tuple(needed(rate, events=events) for events in range(4)) == numbers


@pytest.mark.parametrize(
    ("scenarios", "repeats", "icc", "chance"),
    [
        (60, 5, 0.2, 0.12),
        (60, 5, 0.5, 0.25),
        (15, 20, 0.2, 0.32),
        (15, 20, 0.5, 0.59),
        (6, 50, 0.2, 0.52),
        (6, 50, 0.5, 0.77),
        (300, 1, 0.5, 0.05),
    ],
)
def test_none_of_300_episodes_passes_far_too_often_when_they_are_repeats(
    scenarios: int, repeats: int, icc: float, chance: float
) -> None:
    assert chance_at_most(0.01, Design(scenarios, repeats, icc), episodes=0) == pytest.approx(chance, abs=0.01)


def test_trying_again_until_it_passes_works_as_often_as_is_published() -> None:
    once = chance_at_most(0.01, Design(299), episodes=0)
    assert chance_once(once, 5) == pytest.approx(0.22, abs=0.005)
    assert chance_once(once, 10) == pytest.approx(0.40, abs=0.005)
    assert (chance_once(0, 5), chance_once(1, 5), chance_once(1, 0)) == (0, 1, 0)


@given(rates, designs, st.integers(0, 20))
def test_without_correlation_the_chance_is_the_binomial_one(rate: float, design: Design, most: int) -> None:
    alone = Design(design.scenarios, design.repeats)
    total = design.scenarios * design.repeats
    assert chance_at_most(rate, alone, episodes=most) == pytest.approx(binom.cdf(most, total, rate), abs=1e-9)
    alike = Design(design.scenarios, design.repeats, 1)
    assert chance_at_most(rate, alike, scenarios=most) == pytest.approx(
        binom.cdf(most, design.scenarios, rate), abs=1e-9
    )


@given(rates, designs, st.integers(0, 20), st.integers(0, 20))
def test_two_conditions_are_met_no_more_often_than_either(
    rate: float, design: Design, scenarios: int, episodes: int
) -> None:
    both = chance_at_most(rate, design, scenarios=scenarios, episodes=episodes)
    assert -1e-9 <= both <= chance_at_most(rate, design, scenarios=scenarios) + 1e-9
    assert both <= chance_at_most(rate, design, episodes=episodes) + 1e-9
    assert chance_at_most(rate, design) == 1.0


@given(rates, rates, designs, st.integers(0, 20))
def test_a_worse_model_never_passes_more_often(one: float, other: float, design: Design, most: int) -> None:
    low, high = sorted((one, other))
    for limits in ({"scenarios": most}, {"episodes": most}):
        assert chance_at_most(high, design, **limits) <= chance_at_most(low, design, **limits) + 1e-9


@pytest.mark.parametrize(("scenarios", "repeats", "icc"), [(30, 5, 0.3), (12, 8, 0.7)])
def test_the_chances_are_those_of_simulated_scenarios(scenarios: int, repeats: int, icc: float) -> None:
    draw = np.random.default_rng(3)
    rate, times = 0.08, 40_000
    weight = (1 - icc) / icc
    yes = draw.binomial(repeats, draw.beta(rate * weight, (1 - rate) * weight, (times, scenarios)))
    episodes, touched = yes.sum(axis=1), (yes > 0).sum(axis=1)
    design = Design(scenarios, repeats, icc)
    assert chance_at_most(rate, design, episodes=6) == pytest.approx(np.mean(episodes <= 6), abs=0.01)
    assert chance_at_most(rate, design, scenarios=3) == pytest.approx(np.mean(touched <= 3), abs=0.01)
    both = np.mean((episodes <= 6) & (touched <= 3))
    assert chance_at_most(rate, design, scenarios=3, episodes=6) == pytest.approx(both, abs=0.01)


@settings(deadline=None)
@given(designs, st.floats(0.005, 0.6))
def test_no_limit_is_passed_by_a_model_at_it_more_often_than_allowed_when_the_declared_correlation_is_right(
    design: Design, limit: float
) -> None:
    """Exact: every count with which the bound is at most the limit, weighed by its chance at the limit."""
    sizes = [design.repeats] * design.scenarios

    def is_above(events: int) -> bool:
        counts = effective(events, sizes, design.icc)
        return upper_bound(counts.events, counts.trials) > limit

    total = design.scenarios * design.repeats
    first = smallest(is_above, 0, total)
    passing = -1 if first is None else first - 1
    if passing >= 0:
        assert chance_at_most(limit, design, episodes=passing) <= 0.05 + 1e-9


@given(designs, st.floats(0.005, 0.6))
def test_with_the_scenario_as_the_unit_no_correlation_lets_a_model_at_the_limit_pass_too_often(
    design: Design, limit: float
) -> None:
    first = smallest(lambda events: upper_bound(events, design.scenarios) > limit, 0, design.scenarios)
    if first:
        assert chance_at_most(limit, design, scenarios=first - 1) <= 0.05 + 1e-9


def test_what_does_not_fit_is_refused() -> None:
    for wrong in [(-1, 1, 0.0), (5, 0, 0.0), (5, 1, 1.5)]:
        with pytest.raises(ValueError, match="a design has"):
            Design(*wrong)
    with pytest.raises(ValueError, match="rate"):
        chance_at_most(1.5, Design(5), episodes=0)
    with pytest.raises(ValueError, match="rate"):
        needed(0)
