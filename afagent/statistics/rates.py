"""Exact bounds for a rate: how many events were seen in how many independent trials.

All are Clopper-Pearson (1934): they hold for any true rate and any number of trials, nothing is approximated or
resampled. They assume that the trials are independent; repeats of one scenario are not. For those there is
`effective`, which makes fewer trials of them (Korn and Graubard 1998, Survey Methodology 24, 193-201), so that counts
need not be whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True)
class Effective:
    """Counts of clustered trials, as if they had been independent."""

    events: float
    trials: float
    design_effect: float


def upper_bound(events: float, trials: float, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided upper bound of the rate; 1 when there were no trials.

    "Below 5%" may be said of a model when this is below 0.05: were its rate higher, so few events would have been seen
    with a chance of at most `1 - confidence`.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, or the confidence is not between 0 and 1.
    """
    _check(events, trials, confidence)
    return 1.0 if events == trials else float(betaincinv(events + 1, trials - events, confidence))


def lower_bound(events: float, trials: float, confidence: float = CONFIDENCE) -> float:
    """The exact one-sided lower bound of the rate; 0 when there were no trials.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, or the confidence is not between 0 and 1.
    """
    _check(events, trials, confidence)
    return 0.0 if events == 0 else float(betaincinv(events, trials - events + 1, 1 - confidence))


def interval(events: float, trials: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact two-sided interval of the rate, each side missing at most `(1 - confidence) / 2`; 0 to 1 for no trials.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, or the confidence is not between 0 and 1.
    """
    _check(events, trials, confidence)
    one_side = (1 + confidence) / 2
    return Interval(lower_bound(events, trials, one_side), upper_bound(events, trials, one_side))


def design_effect(cluster_sizes: Sequence[int], icc: float) -> float:
    """How many clustered trials are worth one independent trial (Kish 1965; 1987 for clusters of unequal size).

    It is `1 + (m - 1) * icc`, where `m` is the size of the cluster that a trial lies in, averaged over the trials.

    Args:
        cluster_sizes: trials in each cluster, such as the answered repeats of each scenario; empty ones don't count.
        icc: the correlation of two trials of one cluster. It is assumed, not estimated: at zero events nothing can be
            known of it.

    Raises:
        ValueError: a size below 0, or a correlation that is not between 0 and 1.
    """
    if not 0 <= icc <= 1:
        raise ValueError(f"the intra-cluster correlation must lie between 0 and 1, got {icc}")
    if any(size < 0 for size in cluster_sizes):
        raise ValueError(f"a cluster cannot have {min(cluster_sizes)} trials")
    trials = sum(cluster_sizes)
    return 1.0 if trials == 0 else 1 + (sum(size * size for size in cluster_sizes) / trials - 1) * icc


def effective(events: float, cluster_sizes: Sequence[int], icc: float) -> Effective:
    """The counts from which a bound may be taken when trials come in clusters.

    Both are divided by the design effect (Korn and Graubard 1998). Their correction for an estimated variance is left
    out, as the correlation is declared.

    Args:
        events: trials with yes, in all clusters together.
        cluster_sizes: as for `design_effect`.
        icc: as for `design_effect`.

    Raises:
        ValueError: as for `design_effect`, or more events than trials.
    """
    trials = sum(cluster_sizes)
    if not 0 <= events <= trials:
        raise ValueError(f"events must be 0 to the number of trials, got {events} of {trials}")
    factor = design_effect(cluster_sizes, icc)
    return Effective(events / factor, trials / factor, factor)


def _check(events: float, trials: float, confidence: float) -> None:
    if not 0 <= events <= trials:
        raise ValueError(f"events must be 0 to the number of trials, got {events} of {trials}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
