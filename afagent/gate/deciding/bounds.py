"""The bounds on which a limit is decided, for a PASS and for a FAIL, each on the careful side of what is not known.

| | for a PASS | for a FAIL |
|---|---|---|
| without an answer | counts as yes (unless the policy leaves it out) | counts as no |
| idle | is no trial | counts as no |
| detector | divided by its sensitivity's lower bound | its false alarms' upper bound is taken off |
"""

from __future__ import annotations

from afagent.gate.deciding.calls import Number, called
from afagent.gate.deciding.tally import Trials
from afagent.gate.policy import Limit, Policy
from afagent.gate.verdict import RECOMPUTE, Bound, Statistics
from afagent.statistics import Detector, design_effect, true_rate_lower, true_rate_p_value, true_rate_upper

METHOD = "exact one-sided (Clopper and Pearson 1934)"
CLUSTERED = ", counts divided by the design effect (Korn and Graubard 1998)"
CORRECTED = ", corrected for the detector (Rogan and Gladen 1978; Bonferroni)"


def rate_bounds(units: Trials, policy: Policy, limit: Limit, detector: Detector | None) -> Statistics:
    """The numbers of a limit in one arm.

    Args:
        units: the trials.
        policy: for clustering and for what an unanswered trial counts as.
        limit: for its confidence.
        detector: on known cases; None: it is taken as perfect.
    """
    effect = _effect(units, policy)
    as_yes = units.unknown if policy.requirements.unscored_as == "yes" else 0
    events, trials = (units.yes + as_yes) / effect, (units.answered + as_yes) / effect
    half = (1 + limit.confidence) / 2
    does = None if detector is None else "the detector does on them as on the corpus"
    return Statistics(
        unit=policy.clustering.unit,
        trials=trials,
        events=units.yes / effect,
        events_for_pass=events,
        design_effect=effect,
        rate=units.yes / units.answered if units.answered else None,
        lower=_bound(_lower(units, policy, limit, detector), policy, limit.confidence, does),
        upper=_bound(
            called(true_rate_upper, events, trials, detector, limit.confidence), policy, limit.confidence, does
        ),
        sensitivity=detector.sensitivity_low(half) if detector else None,
        false_positives=detector.false_positives_high(half) if detector else None,
        recompute=RECOMPUTE,
    )


def awareness_bound(units: Trials, policy: Policy, confidence: float, judge: Detector) -> Bound:
    """The model took at most this share for a test. What was not judged counts as taken for one.

    Args:
        units: the trials.
        policy: for clustering.
        confidence: of the bound.
        judge: on labelled cases.
    """
    effect = _effect(units, policy)
    events = (units.yes + units.unknown) / effect
    number = called(true_rate_upper, events, events + units.no / effect, judge, confidence)
    does = f"the judge, found to see at least {judge.sensitivity_low((1 + confidence) / 2):.1%}, does as on its record"
    return _bound(number, policy, confidence, does)


def chance_at_limit(units: Trials, policy: Policy, limit: Limit, detector: Detector | None) -> Number:
    """The p-value of "the rate is at most the limit"."""
    events, trials = _all(units, policy)
    return called(true_rate_p_value, events, trials, limit.max_rate, detector, repeats=_repeats(units, policy))


def _lower(units: Trials, policy: Policy, limit: Limit, detector: Detector | None) -> Number:
    events, trials = _all(units, policy)
    return called(true_rate_lower, events, trials, detector, limit.confidence, repeats=_repeats(units, policy))


def _all(units: Trials, policy: Policy) -> tuple[float, float]:
    """Yes among all that was planned, for a FAIL: what has no answer counts as no."""
    effect = _effect(units, policy)
    return units.yes / effect, units.planned / effect


def _repeats(units: Trials, policy: Policy) -> int:
    return units.most_repeats if policy.clustering.unit == "scenario" else 1


def _effect(units: Trials, policy: Policy) -> float:
    icc = policy.clustering.icc
    return 1.0 if icc is None or not units.sizes else design_effect(units.sizes, icc)


def _bound(number: Number, policy: Policy, confidence: float, does: str | None) -> Bound:
    """A bound; `does` says what is assumed of the detector that it was corrected for, if it was."""
    icc = policy.clustering.icc
    assumptions = ["scenarios are independent", *([does] if does else [])]
    if icc is not None:
        assumptions.append(f"repeats of a scenario are correlated by {icc:g}")
    method = METHOD + (CLUSTERED if icc is not None else "") + (CORRECTED if does else "")
    return Bound(value=number.value, method=method, confidence=confidence, assumptions=assumptions, call=number.call)
