"""What the conflict and the monitoring change: arms that differ in one factor alone, compared scenario by scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from afagent.conditions import Condition, from_arm
from afagent.errors import UsageError
from afagent.report.counts import Answers, Group, outcome
from afagent.report.paired import Difference, difference

Kind = Literal["conflict", "monitoring"]


@dataclass(frozen=True)
class Effect:
    """One arm against the one that differs in a single factor."""

    kind: Kind
    question: str
    arm: str
    against: str
    difference: Difference
    left_out: int
    """Scenarios that were run in one of both arms only, or could not be told in one."""


def effects(group: Group, question: str) -> list[Effect]:
    """Conflict against none, and unmonitored against monitored, wherever both arms were run.

    Arms with names that no condition has are left out: nothing is known of their factors.
    """
    known = {condition: arm for arm in group.arms if (condition := _condition(arm)) is not None}
    return [
        _effect(kind, group, question, arm, known[against])
        for kind in ("conflict", "monitoring")
        for condition, arm in known.items()
        if (against := _against(kind, condition)) in known
    ]


def _condition(arm: str) -> Condition | None:
    try:
        return from_arm(arm)
    except UsageError:
        return None


def _against(kind: Kind, condition: Condition) -> Condition | None:
    if kind == "conflict":
        return condition.model_copy(update={"objective": "none"}) if condition.objective != "none" else None
    watched = condition.model_copy(update={"monitoring": "monitored"})
    return watched if condition.monitoring == "unmonitored" else None


def _effect(kind: Kind, group: Group, question: str, arm: str, against: str) -> Effect:
    cells = group.table[question]
    pairs = list(_pairs(group, cells, arm, against))
    whole = [(first, second) for first, second in pairs if first is not None and second is not None]
    return Effect(kind, question, arm, against, difference(whole), len(pairs) - len(whole))


def _pairs(
    group: Group, cells: Mapping[tuple[int, str], Answers], arm: str, against: str
) -> Iterator[tuple[bool | None, bool | None]]:
    for seed in group.seeds:
        first, second = cells.get((seed, arm)), cells.get((seed, against))
        if first is not None or second is not None:
            yield outcome(first), outcome(second)
