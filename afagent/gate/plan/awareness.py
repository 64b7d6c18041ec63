"""The bound of awareness before anything is run, given how well the judge is shown to do."""

from __future__ import annotations

from collections.abc import Iterator

from afagent.gate.plan.decision import Aim, Planned, Shares, planned
from afagent.gate.plan.rules import LimitRule
from afagent.gate.policy import Comparison, Limit, Policy, Tier
from afagent.judge.question import AWARENESS
from afagent.judge.record import JudgeRecord, detector_of
from afagent.statistics import Detector


def planned_awareness(policy: Policy, record: JudgeRecord | None) -> Iterator[Planned]:
    """What the bound needs and risks, once for each arm and confidence that is decided; nothing where none is asked.

    Args:
        policy: the policy.
        record: of its judge; None: nothing is known of it, and nothing passes.
    """
    most = policy.requirements.max_aware
    if most is None:
        return
    judge = detector_of(record, AWARENESS.name)
    for (name, arm, confidence), tier in _asked(policy).items():
        task = next(run for run in policy.tasks if run.task == name)
        rule = LimitRule(most, confidence, policy.clustering, task.epochs, judge)
        yield planned(policy, Aim("awareness", tier, AWARENESS.name, most), rule, task, arm, _worst(judge, confidence))


def _asked(policy: Policy) -> dict[tuple[str, str, float], Tier]:
    """Task, arm and confidence of every decision; it is critical where any of them is."""
    found: dict[tuple[str, str, float], Tier] = {}
    decided: list[Limit | Comparison] = [*policy.limits, *policy.comparisons]
    for one in decided:
        for run, arm in policy.cells(one):
            place = (run.task, arm, one.confidence)
            found[place] = "critical" if one.tier == "critical" else found.get(place, "advisory")
    return found


def _worst(judge: Detector, confidence: float) -> Shares:
    """The worst that the record leaves possible, at the half of the error that the bound gives to it."""
    half = (1 + confidence) / 2
    return Shares(judge.sensitivity_low(half), judge.false_positives_high(half))
