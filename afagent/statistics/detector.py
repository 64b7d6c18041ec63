"""What is true, from what an imperfect detector says.

With sensitivity `s` (yes where it is true) and false positives `f` (yes where it is not), a true rate `r` shows as an
apparent rate of `r * s + (1 - r) * f`. Rogan and Gladen (1978, American Journal of Epidemiology 107, 71-76) turn that
around: `r = (apparent - f) / (s - f)`. It is assumed that the detector does as well on the trials as on the cases that
it was proved on, and that those are independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri  # type: ignore[import-untyped]  # quantiles of the normal distribution

from afagent.statistics.rates import CONFIDENCE, lower_bound, upper_bound

LEAST_RISK = 1e-12
"""P-values below are told as this."""


@dataclass(frozen=True)
class Detector:
    """How the detector did on cases of known truth. What it could not tell is no hit and no false alarm."""

    hits: int
    """Cases in which it said yes, of those where that is true."""
    positives: int
    """Cases where yes is true."""
    alarms: int
    """Cases in which it said yes, of those where that is not true."""
    negatives: int
    """Cases where it is not."""

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.positives or not 0 <= self.alarms <= self.negatives:
            raise ValueError(f"counts must be 0 to the number of cases, got {self}")

    @property
    def sensitivity(self) -> float:
        """Share of hits; 0 without a case."""
        return self.hits / self.positives if self.positives else 0.0

    @property
    def false_positives(self) -> float:
        """Share of false alarms; 1 without a case."""
        return self.alarms / self.negatives if self.negatives else 1.0

    def sensitivity_low(self, confidence: float) -> float:
        """The exact one-sided lower bound of the sensitivity."""
        return lower_bound(self.hits, self.positives, confidence)

    def false_positives_high(self, confidence: float) -> float:
        """The exact one-sided upper bound of the share of false alarms."""
        return upper_bound(self.alarms, self.negatives, confidence)


@dataclass(frozen=True)
class Estimate:
    """A true rate, as well as it can be told."""

    rate: float
    low: float
    high: float


def true_rate(events: float, trials: float, detector: Detector, confidence: float = CONFIDENCE) -> Estimate:
    """The true rate with its two-sided interval, for a reader; nothing is decided by it.

    The interval is that of Lang and Reiczigel (2014, Preventive Veterinary Medicine 113, 13-22), which takes into
    account that sensitivity and specificity were estimated. It is approximate, close to its confidence for 30 cases and
    more; 0 to 1 where the detector is not shown to be better than chance.

    Raises:
        ValueError: there were no trials, the counts are not 0 <= events <= trials, or the confidence is not between 0
            and 1.
    """
    if not 0 <= events <= trials or trials == 0 or not 0 < confidence < 1:
        raise ValueError(f"an estimate needs some trials and a confidence, got {events} of {trials} at {confidence}")
    z = float(ndtri((1 + confidence) / 2))
    size = trials + z * z
    apparent = (events + z * z / 2) / size
    hit = (detector.hits + 1) / (detector.positives + 2)
    clear = (detector.negatives - detector.alarms + 1) / (detector.negatives + 2)
    power = hit + clear - 1
    if power <= 0 or detector.sensitivity <= detector.false_positives:
        return Estimate(_share(events / trials), 0.0, 1.0)
    middle = (apparent + clear - 1) / power
    of_hit, of_clear = hit * (1 - hit) / (detector.positives + 2), clear * (1 - clear) / (detector.negatives + 2)
    shift = 2 * z * z * (middle * of_hit - (1 - middle) * of_clear)
    error = math.sqrt(apparent * (1 - apparent) / size + middle**2 * of_hit + (1 - middle) ** 2 * of_clear) / power
    rate = _share(corrected(events / trials, detector.sensitivity, detector.false_positives))
    low, high = _share(middle + shift - z * error), _share(middle + shift + z * error)
    return Estimate(rate, min(low, rate), max(high, rate))


def corrected(apparent: float, sensitivity: float, false_positives: float) -> float:
    """The true rate behind an apparent one (Rogan and Gladen 1978), for a detector that is known; may leave 0 to 1.

    Raises:
        ValueError: the detector is no better than chance.
    """
    if sensitivity <= false_positives:
        raise ValueError(f"a detector with {sensitivity} hits and {false_positives} false alarms tells nothing")
    return (apparent - false_positives) / (sensitivity - false_positives)


def true_rate_upper(
    events: float, trials: float, detector: Detector | None = None, confidence: float = CONFIDENCE
) -> float:
    """A one-sided upper bound of the true rate, for a PASS: never too low, whatever the detector's faults.

    The true rate is at most `apparent / sensitivity`, as false alarms only add to what is seen. So the apparent rate's
    upper bound is divided by the sensitivity's lower bound, each at half of the error that is allowed (Bonferroni).
    That there are false alarms is not taken off: it could only speed a PASS. Without a detector it is taken to be
    perfect, and the bound is that of `upper_bound`.

    Where a trial is a scenario with several repeats this holds too: of a scenario with a true yes at least one is seen
    with a chance of no less than the sensitivity.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, or the confidence is not between 0 and 1.
    """
    if detector is None:
        return upper_bound(events, trials, confidence)
    half = (1 + confidence) / 2
    apparent, sensitivity = upper_bound(events, trials, half), detector.sensitivity_low(half)
    return min(1.0, apparent / sensitivity) if sensitivity > 0 else 1.0


def true_rate_lower(
    events: float, trials: float, detector: Detector | None = None, confidence: float = CONFIDENCE, *, repeats: int = 1
) -> float:
    """A one-sided lower bound of the true rate, for a FAIL: never too high, whatever the detector's faults.

    For a given apparent rate the true one is least when the detector misses nothing and has as many false alarms as can
    be: `(apparent - alarms) / (1 - alarms)`. The apparent rate's lower bound and the false alarms' upper bound are each
    taken at half of the error that is allowed (Bonferroni).

    Args:
        events: trials that the detector said yes of.
        trials: all of them.
        detector: None for a perfect one: the bound is that of `lower_bound`.
        confidence: of the bound.
        repeats: how many looks a trial is yes in any of; each can be a false alarm, and they are added up.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, the confidence is not between 0 and 1, or there are no
            repeats.
    """
    if repeats < 1:
        raise ValueError(f"a trial is at least one look, got {repeats}")
    if detector is None:
        return lower_bound(events, trials, confidence)
    half = (1 + confidence) / 2
    apparent = lower_bound(events, trials, half)
    alarms = min(1.0, repeats * detector.false_positives_high(half))
    return (apparent - alarms) / (1 - alarms) if apparent > alarms else 0.0


def true_rate_p_value(
    events: float, trials: float, limit: float, detector: Detector | None = None, *, repeats: int = 1
) -> float:
    """How likely so many events would at most be if the true rate were `limit` or less.

    Small when it is shown to be more. It is the least risk at which `true_rate_lower` lies above the limit; 1 where
    that is more than a half, and never below `LEAST_RISK`.

    Raises:
        ValueError: the counts are not 0 <= events <= trials, or there are no repeats.
    """
    # Imported where it is used: the command line imports this package and must start quickly.
    from scipy.optimize import brentq  # type: ignore[import-untyped]  # noqa: PLC0415

    def beyond(risk: float) -> float:
        return true_rate_lower(events, trials, detector, 1 - risk, repeats=repeats) - limit

    if beyond(0.5) <= 0:
        return 1.0
    if beyond(LEAST_RISK) > 0:
        return LEAST_RISK
    return float(brentq(beyond, LEAST_RISK, 0.5))


def visible_margin(margin: float, detector: Detector | None = None, confidence: float = CONFIDENCE) -> float:
    """How large a difference of `margin` between two true rates is at least seen to be, for `difference_p_value`.

    The same detector shows of a difference `sensitivity - false positives` of it; both bounds are taken at half of the
    error that `confidence` allows. Who decides with it must take this error off his own: test the visible margin at
    half of his level, or double the p-value, and give `confidence` the other half.

    Assumes that the detector does equally well on both models. 0 where nothing can be told.

    Raises:
        ValueError: the margin is below 0, or the confidence is not between 0 and 1.
    """
    if margin < 0:
        raise ValueError(f"a margin is not below 0, got {margin}")
    if detector is None:
        return margin
    half = (1 + confidence) / 2
    return margin * max(0.0, detector.sensitivity_low(half) - detector.false_positives_high(half))


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
