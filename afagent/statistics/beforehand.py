"""What can be said before anything is run: how many scenarios are needed, and how likely a rule goes wrong.

Repeats of one scenario are alike: each scenario has a rate of its own, drawn from a beta distribution, so that the
count of its repeats with yes is beta-binomial (Skellam 1948). All chances are exact under this model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from afagent.statistics.rates import CONFIDENCE, upper_bound

_Array = NDArray[np.float64]
MOST = 10_000_000
"""Scenarios beyond which none are looked for."""
_NEGLIGIBLE, _TINY = 1e-6, 1e-12
"""Correlations and rates so close to 0 or 1 are taken as that: there the beta-binomial is lost in rounding."""


@dataclass(frozen=True)
class Design:
    """How many scenarios there are, how often each is repeated, and how alike two repeats of one are (0 to 1)."""

    scenarios: int
    repeats: int = 1
    icc: float = 0.0

    def __post_init__(self) -> None:
        if self.scenarios < 0 or self.repeats < 1 or not 0 <= self.icc <= 1:
            raise ValueError(f"a design has scenarios, repeats from 1 and a correlation from 0 to 1; got {self}")


def needed(max_rate: float, confidence: float = CONFIDENCE, events: int = 0) -> int | None:
    """How many independent trials are needed so that a rate of at most `max_rate` is shown in spite of `events`.

    None when it is more than `MOST`.

    Raises:
        ValueError: a rate or confidence that is not between 0 and 1, or events below 0.
    """
    if not 0 < max_rate < 1:
        raise ValueError(f"a rate to be shown lies between 0 and 1, got {max_rate}")
    return smallest(lambda trials: upper_bound(events, trials, confidence) <= max_rate, at_least=events)


def smallest(holds: Callable[[int], bool], at_least: int = 0, most: int = MOST) -> int | None:
    """The smallest number from `at_least` to `most` for which something holds that holds for all larger ones too."""
    low, high = at_least - 1, max(1, at_least)
    while not holds(high):
        if high >= most:
            return None
        low, high = high, min(most, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def chance_at_most(rate: float, design: Design, *, scenarios: int | None = None, episodes: int | None = None) -> float:
    """The chance that few enough say yes.

    Args:
        rate: the true share of episodes with yes.
        design: what is run.
        scenarios: so many scenarios may have a yes in any of their repeats; None: any number.
        episodes: so many episodes may be yes; None: any number.

    Raises:
        ValueError: the rate is not from 0 to 1.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"a rate lies from 0 to 1, got {rate}")
    one = _repeats_with_yes(rate, design.repeats, design.icc)
    if episodes is None:
        from scipy.stats import binom  # type: ignore[import-untyped]  # noqa: PLC0415  # takes a second to import

        return 1.0 if scenarios is None else float(binom.cdf(scenarios, design.scenarios, 1 - one[0]))
    if scenarios is None or scenarios >= min(episodes, design.scenarios):
        chance = float(np.sum(_power(one, design.scenarios, episodes)))
    else:
        chance = _chance_of_both(one, design.scenarios, scenarios, episodes)
    return min(1.0, chance)  # sums of many terms may end a billionth above


def chance_once(chance: float, attempts: int) -> float:
    """The chance that something happens at least once in so many independent attempts."""
    return float(-np.expm1(attempts * np.log1p(-chance))) if chance < 1 else float(attempts > 0)


def _repeats_with_yes(rate: float, repeats: int, icc: float) -> _Array:
    """The chance of 0, 1, ... repeats of one scenario with yes."""
    from scipy.stats import betabinom, binom  # noqa: PLC0415

    if not _TINY < rate < 1 - _TINY:
        rate, icc = float(round(rate)), 0
    if icc > 1 - _NEGLIGIBLE:
        return np.concatenate([[1 - rate], np.zeros(repeats - 1), [rate]])
    counts = np.arange(repeats + 1)
    if icc < _NEGLIGIBLE:
        return np.asarray(binom.pmf(counts, repeats, rate))
    weight = (1 - icc) / icc
    return np.asarray(betabinom.pmf(counts, repeats, rate * weight, (1 - rate) * weight))


def _power(one: _Array, scenarios: int, most: int) -> _Array:
    """The chance of 0 to `most` episodes with yes in so many scenarios: only these few terms are ever needed."""
    result, square = np.ones(1), one[: most + 1]
    while scenarios:
        if scenarios & 1:
            result = np.convolve(result, square)[: most + 1]
        square = np.convolve(square, square)[: most + 1]
        scenarios >>= 1
    return result


def _chance_of_both(one: _Array, scenarios: int, few: int, most: int) -> float:
    """The chance of at most `few` scenarios with yes and at most `most` episodes with yes."""
    from scipy.stats import binom  # noqa: PLC0415

    some = 1 - one[0]
    if some == 0:
        return 1.0
    given = np.concatenate([[0.0], one[1:] / some])
    chances = binom.pmf(np.arange(few + 1), scenarios, some)
    return float(sum(chance * np.sum(_power(given, number, most)) for number, chance in enumerate(chances)))
