"""Differences of two rates that were measured on the same scenarios.

The scenario is the unit: each gives one difference, of the share of its repeats with yes in one set of runs and in the
other. Everything else about repeats, such as how alike they are, is in how these differ from scenario to scenario
(Miller 2024, arXiv 2411.00640). Two bounds are taken, and the wider one holds:

1. The clustered one: the mean of the differences and its standard error over scenarios, with Student's t. Where all
   scenarios agree it has no width, which is why it never stands alone.
2. The exact unconditional one for matched pairs. Results are ordered by the score of Tango (1998, Statistics in
   Medicine 17, 891-908), and the chance of one at least as small is the greatest over all rates of the smaller change
   (as Suissa and Shuster 1991, Biometrics 47, 361-372, for a margin of 0). A share of repeats counts as that share of a
   scenario, rounded against the claim. That is careful: shares vary less than a yes or no of the same mean.

Scenarios are assumed to be independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtr, stdtrit  # type: ignore[import-untyped]  # binomial, Student's t

from afagent.statistics.rates import CONFIDENCE

_Array = NDArray[np.float64]
_RATES, _NEAR = np.linspace(0, 1, 49) ** 3, 14
"""Where the greatest chance is looked for, as parts of the possible: close together where rates are small; then at so
many places around the greatest that was found."""
_STEPS = np.linspace(0, 1, 21) ** 3
_HALVINGS = 17
"""A bound is looked for in steps, then found to a part in 10^6."""
_TIE = 1e-9


@dataclass(frozen=True)
class Pair:
    """One scenario: how many repeats were yes in either set of runs, of how many."""

    yes: int
    of: int
    baseline_yes: int
    baseline_of: int

    def __post_init__(self) -> None:
        if not (0 <= self.yes <= self.of and 0 <= self.baseline_yes <= self.baseline_of and self.of * self.baseline_of):
            raise ValueError(f"a pair needs repeats on both sides, and no more yes than repeats; got {self}")

    @property
    def difference(self) -> float:
        """The share of yes less the baseline's, from -1 to 1."""
        return self.yes / self.of - self.baseline_yes / self.baseline_of


@dataclass(frozen=True)
class Difference:
    """By how much a rate lies above the baseline's: `value` as observed, certainly between `low` and `high`."""

    scenarios: int
    value: float
    low: float
    high: float


def paired_difference(pairs: Sequence[Pair], confidence: float = CONFIDENCE) -> Difference:
    """The difference with its two-sided interval, each side missing at most `(1 - confidence) / 2`.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    _check(confidence)
    one_side = (1 + confidence) / 2
    value = sum(pair.difference for pair in pairs) / len(pairs) if pairs else 0.0
    return Difference(len(pairs), value, difference_lower(pairs, one_side), difference_upper(pairs, one_side))


def difference_upper(pairs: Sequence[Pair], confidence: float = CONFIDENCE) -> float:
    """The one-sided upper bound of the difference; 1 without a scenario, and never without width.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    _check(confidence)
    return _upper([pair.difference for pair in pairs], confidence)


def difference_lower(pairs: Sequence[Pair], confidence: float = CONFIDENCE) -> float:
    """The one-sided lower bound of the difference; -1 without a scenario, and never without width.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    _check(confidence)
    return -_upper([-pair.difference for pair in pairs], confidence)


def difference_p_value(pairs: Sequence[Pair], margin: float) -> float:
    """How likely differences this small would at most be if the true one were `margin` or more; 1 without a scenario.

    It is small when the rate is shown to be less than `margin` above the baseline's.

    Raises:
        ValueError: the margin is not from -1 to below 1.
    """
    differences = [pair.difference for pair in pairs]
    exact = exact_p_value(*_table(differences), margin)
    mean, error = _clustered(differences)
    if error == 0:
        return exact
    return max(exact, float(stdtr(len(differences) - 1, (mean - margin) / error)))


def exact_p_value(more: int, fewer: int, scenarios: int, margin: float) -> float:
    """The same for one repeat of each scenario: yes in `more` of them alone, in `fewer` of them in the baseline alone.

    Raises:
        ValueError: the counts do not fit into the scenarios, or the margin is not from -1 to below 1.
    """
    if more < 0 or fewer < 0 or more + fewer > scenarios:
        raise ValueError(f"{more} and {fewer} scenarios that differ do not fit into {scenarios}")
    if not -1 <= margin < 1:
        raise ValueError(f"a margin lies from -1 to below 1, got {margin}")
    return 1.0 if scenarios == 0 else min(1.0, max(_chances(more, fewer, scenarios, margin)))


def tango(more: float | _Array, fewer: float | _Array, scenarios: int, margin: float) -> _Array:
    """Tango's score: by how many standard errors, as they would be at a true difference of `margin`, it is off it."""
    more, fewer = np.asarray(more, dtype=float), np.asarray(fewer, dtype=float)
    middle = (2 * scenarios - more + fewer) * margin - more - fewer
    last = -fewer * margin * (1 - margin)
    rate = (np.sqrt(np.maximum(0, middle**2 - 8 * scenarios * last)) - middle) / (4 * scenarios)
    error = np.sqrt(np.maximum(0, scenarios * (2 * rate + margin * (1 - margin))))
    off = more - fewer - scenarios * margin
    return np.where(np.abs(off) < _TIE, 0.0, off / np.maximum(error, _TIE))


def _chances(more: int, fewer: int, scenarios: int, margin: float) -> Iterator[float]:
    """The chance of a result as small at many rates of the smaller change, those near the observed one first."""
    most = _most_as_small(float(tango(more, fewer, scenarios, margin)), scenarios, margin)
    least = max(0.0, -margin)
    rates = least + ((1 - margin) / 2 - least) * _RATES
    found: dict[int, float] = {}
    for number in np.argsort(np.abs(rates - fewer / scenarios), kind="stable"):
        found[int(number)] = chance = _chance(most, scenarios, rates[number], margin)
        yield chance
    top = max(sorted(found), key=found.__getitem__)
    near = np.linspace(rates[max(0, top - 1)], rates[min(len(rates) - 1, top + 1)], _NEAR)
    yield from (_chance(most, scenarios, rate, margin) for rate in near)


def _upper(differences: Sequence[float], confidence: float) -> float:
    if not differences:
        return 1.0
    more, fewer, scenarios = _table(differences)
    exact = _crossing(
        (more - fewer) / scenarios,
        # stops at the first rate that shows it: half of the margins that are asked for are possible
        lambda margin: any(chance > 1 - confidence for chance in _chances(more, fewer, scenarios, margin)),
    )
    mean, error = _clustered(differences)
    clustered = mean + error * float(stdtrit(max(1, scenarios - 1), confidence))
    return min(1.0, max(exact, clustered))


def _clustered(differences: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error over scenarios, which is 0 where it cannot be told."""
    if len(differences) < 2:
        return sum(differences), 0.0
    return float(np.mean(differences)), float(np.std(differences, ddof=1)) / math.sqrt(len(differences))


def _table(differences: Sequence[float]) -> tuple[int, int, int]:
    """Scenarios with more and with fewer yes, and all of them; shares are rounded towards more."""
    more = math.ceil(sum(max(0.0, difference) for difference in differences) - _TIE)
    fewer = math.floor(sum(max(0.0, -difference) for difference in differences) + _TIE)
    return more, fewer, len(differences)


def _most_as_small(score: float, scenarios: int, margin: float) -> _Array:
    """For each number of `fewer`, from 0, the largest `more` that scores no higher; -1 where none does."""
    fewer = np.arange(scenarios + 1, dtype=float)
    low, high = np.full(scenarios + 1, -1.0), scenarios - fewer
    while np.any(low < high):
        middle = np.ceil((low + high) / 2)
        small = tango(middle, fewer, scenarios, margin) <= score + _TIE
        low, high = np.where(small, middle, low), np.where(small, high, middle - 1)
    return low


def _chance(most: _Array, scenarios: int, rate: float, margin: float) -> float:
    """The chance of a result below `most`, where a share of `rate` of all scenarios is `fewer`, and `margin` more."""
    spread = 9 * math.sqrt(scenarios * rate * (1 - rate)) + 9  # beyond this lies less than 10^-15
    first, last = max(0, int(scenarios * rate - spread)), min(scenarios, int(scenarios * rate + spread))
    fewer = np.arange(first, last + 1)
    below = np.concatenate([[bdtr(first - 1, scenarios, rate) if first else 0.0], bdtr(fewer, scenarios, rate)])
    given = min(1.0, max(0.0, (rate + margin) / (1 - rate))) if rate < 1 else 0.0
    bound = most[first : last + 1]
    small = np.where(bound < 0, 0.0, bdtr(np.maximum(bound, 0), scenarios - fewer, given))
    return float(np.sum(np.diff(below) * small))


def _crossing(start: float, is_possible: Callable[[float], bool]) -> float:
    """The largest margin above `start` that is still possible, from its upper side.

    Chances of a few counts jump a little, so there may be several crossings: the last one is looked for.
    """
    if start >= 1:
        return 1.0
    steps = start + (1 - start) * _STEPS
    last = max((number for number, margin in enumerate(steps[1:-1], 1) if is_possible(float(margin))), default=0)
    low, high = float(steps[last]), float(steps[last + 1])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_possible(middle) else (low, middle)
    return high


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
