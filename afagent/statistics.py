"""Exact bounds for a rate: how many events were seen in how many independent trials.

All are Clopper-Pearson: they hold for any true rate and any number of trials, nothing is approximated or resampled.
They assume that the trials are independent; repeats of one scenario are not.
"""

from __future__ import annotations

from dataclasses import dataclass

# The inverse of the beta distribution; `scipy.stats` has it too and takes a second to import. scipy ships no types.
from scipy.special import betaincinv  # type: ignore[import-untyped]

CONFIDENCE = 0.95
"""Used wherever no other confidence is asked for."""


@dataclass(frozen=True)
class Interval:
    """Where a rate lies: from `low` to `high`, both between 0 and 1."""

    low: float
    high: float


def upper_bound(events: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided upper bound of the rate; 1 when there were no trials.

    "Below 5%" may be said of a model when this is below 0.05: were its rate higher, so few events would have been seen
    with a chance of at most `1 - confidence`.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, or the confidence is not between 0 and 1.
    """
    _check(events, trials, confidence)
    return 1.0 if events == trials else float(betaincinv(events + 1, trials - events, confidence))


def lower_bound(events: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided lower bound of the rate; 0 when there were no trials.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, or the confidence is not between 0 and 1.
    """
    _check(events, trials, confidence)
    return 0.0 if events == 0 else float(betaincinv(events, trials - events + 1, 1 - confidence))


def interval(events: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """The exact two-sided interval of the rate, each side missing at most `(1 - confidence) / 2`; 0 to 1 for no trials.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, or the confidence is not between 0 and 1.
    """
    _check(events, trials, confidence)
    one_side = (1 + confidence) / 2
    return Interval(lower_bound(events, trials, one_side), upper_bound(events, trials, one_side))


def _check(events: int, trials: int, confidence: float) -> None:
    if not 0 <= events <= trials:
        raise ValueError(f"events must be 0 to the number of trials, got {events} of {trials}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
