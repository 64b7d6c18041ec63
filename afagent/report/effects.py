"""What the conflict and the monitoring change: arms that differ in one factor alone, compared scenario by scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Literal

from afagent.conditions import Condition
from afagent.errors import UsageError
from afagent.report.counts import Answers, Group
from afagent.statistics import Difference, Pair, paired_difference

METHOD = (
    "the wider of a clustered one (Student's t over the differences of scenarios) and an exact one for matched pairs "
    "(by the score of Tango 1998), two-sided at 95%"
)
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
    """Scenarios that were run in one of both arms only, or have an episode in one that could not be told."""


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
        return Condition.from_arm(arm)
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
    whole = [pair for pair in pairs if pair is not None]
    return Effect(kind, question, arm, against, _difference(tuple(sorted(whole, key=astuple))), len(pairs) - len(whole))


@lru_cache(maxsize=256)
def _difference(pairs: tuple[Pair, ...]) -> Difference:
    """An interval takes up to seconds, and many arms differ in nothing: the same pairs come again and again."""
    return paired_difference(pairs)


def _pairs(group: Group, cells: Mapping[tuple[int, str], Answers], arm: str, against: str) -> Iterator[Pair | None]:
    """Each scenario that was run in either arm; None where the two cannot be compared."""
    for seed in group.seeds:
        first, second = cells.get((seed, arm)), cells.get((seed, against))
        if first is not None or second is not None:
            yield _pair(first, second)


def _pair(first: Answers | None, second: Answers | None) -> Pair | None:
    if first is None or second is None or first[2] or second[2]:
        return None
    return Pair(first[0], first[0] + first[1], second[0], second[0] + second[1])
