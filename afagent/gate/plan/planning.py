"""What a policy will cost and can tell, before anything is run. Pure: the same policy and record give the same plan.

All chances are exact, for a run in which every episode is answered. How alike repeats of one scenario are is taken as
the policy declares it; where it declares nothing, as is worst for what is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, computed_field

from afagent.corpus.record import CalibrationRecord
from afagent.gate.plan.awareness import planned_awareness
from afagent.gate.plan.decision import Aim, Planned, Shares, planned
from afagent.gate.plan.rules import ComparisonRule, LimitRule, detector_of
from afagent.gate.policy import Policy, Price
from afagent.judge.question import AWARENESS
from afagent.judge.record import JudgeRecord
from afagent.statistics import Detector, chance_once

ATTEMPTS = (5, 10)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Together(_Frozen):
    """All critical decisions. Nothing is assumed of how they depend on each other, so that there are bounds only."""

    blocked_at_least: float
    """The chance that a good model is blocked by any of them: as by the one that is most likely to."""
    blocked_at_most: float
    """As if they never blocked together."""
    passed_at_most: float
    """The chance that a model passes whose rate is at the threshold of one decision, the weakest."""
    passed_once: dict[int, float]
    """The chance that it passes at least once in so many attempts."""


class Cost(_Frozen):
    """What is run. Controls are scripted and cost no money."""

    model_episodes: int
    baseline_episodes: int
    control_episodes: int
    input_tokens: int | None
    """None where no price is given."""
    output_tokens: int | None
    money: float | None
    currency: str | None
    judge_calls: int
    """Of the judge, at most: it is not asked where the model said nothing. They are not in the price."""

    @computed_field  # type: ignore[prop-decorator]  # mypy knows of no decorated property
    @property
    def episodes(self) -> int:
        """All of them."""
        return self.model_episodes + self.baseline_episodes + self.control_episodes


class Plan(_Frozen):
    """What `afagent gate plan` tells."""

    policy: str
    policy_digest: str
    decisions: list[Planned]
    together: Together
    cost: Cost
    assumptions: list[str]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def can_pass(self) -> bool:
        """Whether any result at all could be a PASS."""
        return all(one.cannot is None for one in self.decisions if one.tier == "critical")


def plan(policy: Policy, record: CalibrationRecord | None = None, judge: JudgeRecord | None = None) -> Plan:
    """What a policy will cost and can tell.

    Args:
        policy: the policy.
        record: the calibration record that it names, if it is there: bounds are corrected for the detector by it.
        judge: the record of the judge that it names, if it is there: without it no awareness can be told.
    """
    used = record if policy.detector is not None and policy.detector.correct else None
    decisions = [*_limits(policy, used), *_comparisons(policy, used), *planned_awareness(policy, judge)]
    return Plan(
        policy=policy.name,
        policy_digest=policy.digest,
        decisions=decisions,
        together=_together([one for one in decisions if one.tier == "critical"]),
        cost=_cost(policy),
        assumptions=_assumptions(policy, used),
    )


def _limits(policy: Policy, record: CalibrationRecord | None) -> Iterator[Planned]:
    for limit in policy.limits:
        detector = None if record is None else detector_of(record, limit.question)
        aim = Aim("limit", limit.tier, limit.question, limit.max_rate)
        for run, arm in policy.cells(limit):
            rule = LimitRule(limit.max_rate, limit.confidence, policy.clustering, run.epochs, detector, limit.fail_at)
            yield planned(policy, aim, rule, run, arm, _shares(detector))


def _comparisons(policy: Policy, record: CalibrationRecord | None) -> Iterator[Planned]:
    for comparison in policy.comparisons:
        detector = None if record is None else detector_of(record, comparison.question)
        rule = ComparisonRule(comparison.margin, comparison.confidence, detector)
        aim = Aim("comparison", comparison.tier, comparison.question, comparison.margin)
        for run, arm in policy.cells(comparison):
            yield planned(policy, aim, rule, run, arm, _shares(detector))


def _shares(detector: Detector | None) -> Shares:
    return Shares() if detector is None else Shares(detector.sensitivity, detector.false_positives)


def _together(critical: Sequence[Planned]) -> Together:
    blocked = [one.blocked[0].chance if one.blocked else 1.0 for one in critical]
    weakest = max((one.passed[0].chance for one in critical if one.passed), default=0.0)
    return Together(
        blocked_at_least=max(blocked),
        blocked_at_most=min(1.0, math.fsum(blocked)),
        passed_at_most=weakest,
        passed_once={attempts: chance_once(weakest, attempts) for attempts in ATTEMPTS},
    )


def _cost(policy: Policy) -> Cost:
    episodes = [len(run.scenarios) * len(run.conditions) * run.epochs for run in policy.tasks]
    judged = sum(each for each, run in zip(episodes, policy.tasks, strict=True) if run.asks_judge)
    model = sum(episodes)
    baseline = model if policy.comparisons else 0
    paid = [(model, policy.price_of("model")), (baseline, policy.price_of("baseline"))]
    priced = [(number, price) for number, price in paid if price is not None]
    return Cost(
        model_episodes=model,
        baseline_episodes=baseline,
        control_episodes=len(policy.controls.playbooks) * policy.controls.seeds if policy.controls else 0,
        input_tokens=sum(number * price.input_tokens for number, price in priced) if priced else None,
        output_tokens=sum(number * price.output_tokens for number, price in priced) if priced else None,
        money=math.fsum(number * _of_episode(price) for number, price in priced) if priced else None,
        currency=policy.price.currency if policy.price else None,
        judge_calls=AWARENESS.votes * judged * (2 if policy.comparisons else 1),
    )


def _of_episode(price: Price) -> float:
    """What one episode costs."""
    return (price.input_tokens * price.input + price.output_tokens * price.output) / 1e6


def _assumptions(policy: Policy, record: CalibrationRecord | None) -> list[str]:
    """What the figures rest on, a sentence each."""
    return [
        "Every planned episode is played and answered, and the model works at its job. True rates are shares of "
        "episodes with yes.",
        "The detector is taken to be perfect; one that is not needs more scenarios."
        if record is None
        else "Bounds are corrected by the calibration record. A good model is seen with its share of false alarms, "
        "a bad one with its share of hits.",
        *_of_repeats(policy),
        *(["In comparisons the baseline is taken never to say yes."] if policy.comparisons else []),
        *_of_awareness(policy),
    ]


def _of_awareness(policy: Policy) -> Iterator[str]:
    if policy.requirements.max_aware is not None:
        yield (
            "The judge answers for every episode. It is taken to be as bad as its record leaves possible: of a model "
            "that is too aware it sees the fewest, in one that is not it raises the most false alarms."
        )
        if policy.comparisons:
            yield "The baseline is taken never to seem aware; its own bound can block a comparison too."


def _of_repeats(policy: Policy) -> Iterator[str]:
    if policy.clustering.icc is not None:
        yield (
            f"Each repeat counts, after the design effect of the declared correlation of {policy.clustering.icc:g}; "
            "if repeats are more alike, bad models pass more often than is said here."
        )
    elif any(run.epochs > 1 for run in policy.tasks):
        yield (
            "A scenario is one trial, yes if any of its repeats is. Repeats are taken as independent for a good model "
            "and as all alike for a bad one, whichever is worse."
        )
