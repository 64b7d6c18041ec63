"""One decision before anything is run: what it needs, and the chances that it goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from afagent.gate.plan.rules import ComparisonRule, LimitRule, allowed, needed
from afagent.gate.policy import Policy, TaskRun, Tier
from afagent.statistics import Design, chance_at_most

Kind = Literal["limit", "comparison", "awareness"]
POSITIVES = (0, 1, 2)
"""For so many positives it is told how many scenarios are needed."""
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
    """One decision in one arm of one task: a limit, a comparison, or the awareness that goes with either."""

    kind: Kind
    tier: Tier
    question: str
    task: str
    arm: str
    threshold: float
    """The limit's `max_rate`, the comparison's `margin`, or `max_aware`."""
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
    sensitivity: float
    """The share of a bad model's yes that is seen in these chances."""
    false_positives: float
    """The share of a good model's no that is taken for yes in them."""


@dataclass(frozen=True)
class Aim:
    """What is asked, wherever it is decided."""

    kind: Kind
    tier: Tier
    question: str
    threshold: float


@dataclass(frozen=True)
class Shares:
    """How a detector is taken to do in the chances; as it stands here, it is perfect."""

    sensitivity: float = 1.0
    false_positives: float = 0.0

    def of(self, rate: float, *, is_good: bool) -> float:
        """How often it says yes: of a good model with its false alarms, of a bad one without them."""
        return rate + (1 - rate) * self.false_positives if is_good else rate * self.sensitivity


def planned(
    policy: Policy, aim: Aim, rule: LimitRule | ComparisonRule, run: TaskRun, arm: str, shares: Shares
) -> Planned:
    """What a decision needs and risks in one arm.

    Args:
        policy: for clustering and requirements.
        aim: what is asked.
        rule: when it passes.
        run: the task.
        arm: the arm, by name.
        shares: how the detector, or the judge, is taken to do in the chances.
    """
    scenarios = len(run.scenarios)
    enough = [needed(rule, positives) for positives in POSITIVES]
    most = allowed(rule, scenarios)
    cannot = _cannot(aim, rule, scenarios, enough[0]) if most is None else _too_few(policy, aim, scenarios)
    most = None if cannot else most

    def passes(rate: float, *, is_good: bool) -> float:
        return _passes(policy, rule, run, most, rate, shares, is_good=is_good)

    return Planned(
        kind=aim.kind,
        tier=aim.tier,
        question=aim.question,
        task=run.task,
        arm=arm,
        threshold=aim.threshold,
        confidence=rule.confidence,
        unit="scenario" if aim.kind == "comparison" else policy.clustering.unit,
        scenarios=scenarios,
        repeats=run.epochs,
        needed=enough,
        allowed=most,
        cannot=cannot,
        blocked=[Chance(rate=rate, chance=1 - passes(rate, is_good=True)) for rate in _good(aim.threshold)],
        passed=[Chance(rate=rate, chance=passes(rate, is_good=False)) for rate in _bad(aim.threshold)],
        sensitivity=shares.sensitivity,
        false_positives=shares.false_positives,
    )


def _good(threshold: float) -> list[float]:
    """True rates of good models, the one that goes with the threshold first."""
    return [rate for rate in dict.fromkeys((threshold / GOOD, RARE)) if 0 < rate < threshold]


def _bad(threshold: float) -> list[float]:
    return [rate for rate in (times * threshold for times in BAD) if 0 < rate <= 1]


def _cannot(aim: Aim, rule: LimitRule | ComparisonRule, scenarios: int, enough: int | None) -> str:
    """Why a rule does not pass even without a positive."""
    if enough is not None:
        return f"{enough} scenarios are needed without a single positive, and {scenarios} are planned"
    if isinstance(rule, ComparisonRule) and rule.margin == 0:
        return "with a margin of 0 only a model can pass that does better than its baseline; give a margin"
    if rule.detector is not None and rule.detector.positives == 0:
        whose, of = ("judge's", "judge") if aim.kind == "awareness" else ("calibration", "detector")
        return f"the {whose} record has no case of this question, so that nothing can be told of the {of}"
    return f"up to {rule.most} scenarios no number is enough, even without a single positive"


def _too_few(policy: Policy, aim: Aim, scenarios: int) -> str | None:
    least = 0 if aim.kind == "awareness" else policy.requirements.min_scenarios
    return f"at least {least} scenarios are required, and {scenarios} are planned" if scenarios < least else None


def _passes(
    policy: Policy,
    rule: LimitRule | ComparisonRule,
    run: TaskRun,
    most: int | None,
    rate: float,
    shares: Shares,
    *,
    is_good: bool,
) -> float:
    """The chance that a model passes whose true share of episodes with yes is `rate`."""
    if most is None:
        return 0.0
    icc = policy.clustering.icc
    worst = 0.0 if is_good else 1.0  # of so many episodes with yes, most and fewest scenarios are touched
    design = Design(len(run.scenarios), run.epochs, worst if icc is None else icc)
    seen = shares.of(rate, is_good=is_good)
    if icc is not None:
        return chance_at_most(seen, design, episodes=most * (run.epochs if isinstance(rule, ComparisonRule) else 1))
    fail_at = rule.fail_at if isinstance(rule, LimitRule) else None
    episodes = fail_at - 1 if fail_at is not None and is_good else None
    return chance_at_most(seen, design, scenarios=most, episodes=episodes)
