"""What a policy will cost and can tell, before anything is run. Pure: the same policy and record give the same plan.

All chances are exact, for a run in which every episode is answered. How alike repeats of one scenario are is taken as
the policy declares it; where it declares nothing, as is worst for what is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

from afagent.corpus.record import CalibrationRecord
from afagent.gate.plan.rules import ComparisonRule, LimitRule, allowed, detector_of, needed
from afagent.gate.policy import Comparison, Limit, Policy, TaskRun, Tier
from afagent.statistics import Design, Detector, chance_at_most, chance_once

POSITIVES = (0, 1, 2)
"""For so many positives it is told how many scenarios are needed."""
ATTEMPTS = (5, 10)
BAD = (1, 2, 5)
"""How many times the threshold a bad model's true rate is."""
GOOD = 10
"""A good model's true rate is the threshold divided by this."""
RARE = 0.001
"""Another good model's true rate, whatever the threshold."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Chance(_Frozen):
    """Of something, for a model with a true rate of yes per episode."""

    rate: float
    chance: float


class Planned(_Frozen):
    """One decision: a limit or comparison in one arm of one task."""

    kind: Literal["limit", "comparison"]
    tier: Tier
    question: str
    task: str
    arm: str
    threshold: float
    """The limit's `max_rate`, or the comparison's `margin`."""
    confidence: float
    unit: Literal["scenario", "episode"]
    """What a positive is. In a comparison a scenario with yes, or so many repeats as make up one."""
    scenarios: int
    repeats: int
    needed: list[int | None]
    """Scenarios that are needed at 0, 1 and 2 positives, with so many repeats; None: no number is enough."""
    allowed: int | None
    """The most positives that still pass; None: it cannot pass."""
    cannot: str | None
    """Why it cannot pass."""
    blocked: list[Chance]
    """That a good model does not pass."""
    passed: list[Chance]
    """That a bad model passes."""


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


def plan(policy: Policy, record: CalibrationRecord | None = None) -> Plan:
    """What a policy will cost and can tell.

    Args:
        policy: the policy.
        record: the calibration record that it names, if it is there: bounds are corrected for the detector by it.
    """
    used = record if policy.detector is not None and policy.detector.correct else None
    decisions = [*_limits(policy, used), *_comparisons(policy, used)]
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
        for run, arm in policy.cells(limit):
            rule = LimitRule(limit.max_rate, limit.confidence, policy.clustering, run.epochs, detector, limit.fail_at)
            yield _planned(policy, limit, rule, run, arm)


def _comparisons(policy: Policy, record: CalibrationRecord | None) -> Iterator[Planned]:
    for comparison in policy.comparisons:
        detector = None if record is None else detector_of(record, comparison.question)
        rule = ComparisonRule(comparison.margin, comparison.confidence, detector)
        for run, arm in policy.cells(comparison):
            yield _planned(policy, comparison, rule, run, arm)


def _planned(
    policy: Policy, decided: Limit | Comparison, rule: LimitRule | ComparisonRule, run: TaskRun, arm: str
) -> Planned:
    scenarios = len(run.scenarios)
    enough = [needed(rule, positives) for positives in POSITIVES]
    most = allowed(rule, scenarios)
    cannot = _cannot(rule, scenarios, enough[0]) if most is None else _too_few(policy, scenarios)
    most = None if cannot else most
    threshold = decided.max_rate if isinstance(decided, Limit) else decided.margin
    return Planned(
        kind="limit" if isinstance(decided, Limit) else "comparison",
        tier=decided.tier,
        question=decided.question,
        task=run.task,
        arm=arm,
        threshold=threshold,
        confidence=rule.confidence,
        unit="scenario" if isinstance(decided, Comparison) else policy.clustering.unit,
        scenarios=scenarios,
        repeats=run.epochs,
        needed=enough,
        allowed=most,
        cannot=cannot,
        blocked=[
            Chance(rate=rate, chance=1 - _passes(policy, rule, run, most, rate, is_good=True))
            for rate in _good(threshold)
        ],
        passed=[
            Chance(rate=rate, chance=_passes(policy, rule, run, most, rate, is_good=False)) for rate in _bad(threshold)
        ],
    )


def _good(threshold: float) -> list[float]:
    """True rates of good models, the one that goes with the threshold first."""
    return [rate for rate in dict.fromkeys((threshold / GOOD, RARE)) if 0 < rate < threshold]


def _bad(threshold: float) -> list[float]:
    return [rate for rate in (times * threshold for times in BAD) if 0 < rate <= 1]


def _cannot(rule: LimitRule | ComparisonRule, scenarios: int, enough: int | None) -> str:
    """Why a rule does not pass even without a positive."""
    if enough is not None:
        return f"{enough} scenarios are needed without a single positive, and {scenarios} are planned"
    if isinstance(rule, ComparisonRule) and rule.margin == 0:
        return "with a margin of 0 only a model can pass that does better than its baseline; give a margin"
    if rule.detector is not None and rule.detector.positives == 0:
        return "the calibration record has no case of this question, so that nothing can be told of the detector"
    return f"up to {rule.most} scenarios no number is enough, even without a single positive"


def _too_few(policy: Policy, scenarios: int) -> str | None:
    least = policy.requirements.min_scenarios
    return f"at least {least} scenarios are required, and {scenarios} are planned" if scenarios < least else None


def _passes(
    policy: Policy, rule: LimitRule | ComparisonRule, run: TaskRun, most: int | None, rate: float, *, is_good: bool
) -> float:
    """The chance that a model passes whose true share of episodes with yes is `rate`."""
    if most is None:
        return 0.0
    icc = policy.clustering.icc
    worst = 0.0 if is_good else 1.0  # of so many episodes with yes, most and fewest scenarios are touched
    design = Design(len(run.scenarios), run.epochs, worst if icc is None else icc)
    seen = _seen(rate, rule.detector, is_good=is_good)
    if icc is not None:
        return chance_at_most(seen, design, episodes=most * (run.epochs if isinstance(rule, ComparisonRule) else 1))
    fail_at = rule.fail_at if isinstance(rule, LimitRule) else None
    episodes = fail_at - 1 if fail_at is not None and is_good else None
    return chance_at_most(seen, design, scenarios=most, episodes=episodes)


def _seen(rate: float, detector: Detector | None, *, is_good: bool) -> float:
    """How often the detector says yes: of a good model with its false alarms, of a bad one without them."""
    if detector is None:
        return rate
    return rate + (1 - rate) * detector.false_positives if is_good else rate * detector.sensitivity


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
    model = sum(len(run.scenarios) * len(run.conditions) * run.epochs for run in policy.tasks)
    baseline = model if policy.comparisons else 0
    price, paid = policy.price, model + baseline
    tokens = (paid * price.input_tokens, paid * price.output_tokens) if price else (None, None)
    return Cost(
        model_episodes=model,
        baseline_episodes=baseline,
        control_episodes=len(policy.controls.playbooks) * policy.controls.seeds if policy.controls else 0,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        money=paid * (price.input_tokens * price.input + price.output_tokens * price.output) / 1e6 if price else None,
        currency=price.currency if price else None,
    )


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
    ]


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
