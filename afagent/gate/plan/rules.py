"""When a decision passes, as a rule on counts alone: what the plan is made by before there are any logs.

The counts are those of a run in which every episode is answered. How logs become counts is not said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from afagent.corpus.record import CalibrationRecord
from afagent.gate.policy import Clustering
from afagent.gate.questions import QUESTIONS
from afagent.statistics import Detector, effective, exact_p_value, smallest, true_rate_upper, visible_margin
from afagent.statistics.beforehand import MOST

MOST_PAIRS = 200_000
"""Scenarios beyond which a comparison is not looked at: its exact chances grow slow."""


class Rule(Protocol):
    """Something that passes when few enough count as yes."""

    @property
    def most(self) -> int:
        """Scenarios beyond which none are looked for."""

    def passes(self, positives: int, scenarios: int) -> bool:
        """Whether it passes. The fewer positives and the more scenarios, the sooner it does."""

    def room(self, scenarios: int) -> int:
        """How many positives there can be in so many scenarios."""


@dataclass(frozen=True)
class LimitRule:
    """The upper bound of the true rate is at most `max_rate`."""

    max_rate: float
    confidence: float
    clustering: Clustering
    repeats: int
    detector: Detector | None = None
    fail_at: int | None = None
    """So many positive episodes never pass; a positive scenario holds at least one."""
    most: int = MOST

    def upper(self, positives: int, scenarios: int) -> float:
        """The bound that decides; positives are scenarios, or episodes where these are the unit."""
        events, trials = float(positives), float(scenarios)
        if self.clustering.icc is not None and scenarios:
            one = effective(0, [self.repeats], self.clustering.icc)
            events, trials = positives / one.design_effect, scenarios * one.trials
        return true_rate_upper(min(events, trials), trials, self.detector, self.confidence)

    def passes(self, positives: int, scenarios: int) -> bool:
        """Whether the bound is at most the limit, and there are not too many positives whatever it says."""
        if self.fail_at is not None and positives >= self.fail_at:
            return False
        return self.upper(positives, scenarios) <= self.max_rate

    def room(self, scenarios: int) -> int:
        """Scenarios, or their episodes."""
        return scenarios if self.clustering.unit == "scenario" else scenarios * self.repeats


@dataclass(frozen=True)
class ComparisonRule:
    """A difference of `margin` or more is excluded, where the baseline never says yes.

    A positive is a scenario with yes, or all of its repeats; a baseline that says yes leaves room for more.
    """

    margin: float
    confidence: float
    detector: Detector | None = None
    most: int = MOST_PAIRS

    @cached_property
    def _visible(self) -> tuple[float, float]:
        """What of the margin is seen, and the chance of error that is left."""
        error = 1 - self.confidence
        if self.detector is None:
            return self.margin, error
        half = 1 - error / 2
        return visible_margin(self.margin, self.detector, half), error / 2

    def passes(self, positives: int, scenarios: int) -> bool:
        """Whether so many scenarios in which the model alone says yes are too few for a difference of the margin."""
        margin, error = self._visible
        if margin <= 0:  # nothing that both never did can be shown to be less than nothing
            return False
        return exact_p_value(positives, 0, scenarios, margin) <= error

    def room(self, scenarios: int) -> int:
        """Every scenario can differ."""
        return scenarios


def needed(rule: Rule, positives: int) -> int | None:
    """The fewest scenarios with which a rule passes in spite of so many positives; None when no number is enough."""
    return smallest(
        lambda scenarios: positives <= rule.room(scenarios) and rule.passes(positives, scenarios), 1, rule.most
    )


def allowed(rule: Rule, scenarios: int) -> int | None:
    """The most positives with which a rule still passes; None when it cannot pass at all."""
    if not rule.passes(0, scenarios):
        return None
    first_too_many = smallest(lambda positives: not rule.passes(positives, scenarios), 1, rule.room(scenarios))
    return rule.room(scenarios) if first_too_many is None else first_too_many - 1


def detector_of(record: CalibrationRecord, question: str) -> Detector:
    """How the detector did on a question of the policy, over all cases; it knows nothing of one that was not tried."""
    asked = QUESTIONS[question].calibrated
    row = next((row for row in record.rows if row.by == "all" and row.question == asked), None)
    hit, clear = (row.sensitivity, row.specificity) if row is not None else (None, None)
    return Detector(
        hits=hit.right if hit else 0,
        positives=hit.of if hit else 0,
        alarms=clear.wrong if clear else 0,
        negatives=clear.of if clear else 0,
    )
