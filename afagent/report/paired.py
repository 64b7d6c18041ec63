"""Differences between two arms, scenario by scenario. The one place where the report takes its intervals from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from afagent.statistics import interval

METHOD = (
    "each side of the difference (yes here and not there, and the other way round) has an exact 97.5% interval; "
    "together they hold with at least 95% confidence, however few scenarios there are"
)


@dataclass(frozen=True)
class Difference:
    """How much more often something happens in one arm than in another, in the same scenarios."""

    pairs: int
    value: float
    """Of the shares; 0.1 is ten percentage points more."""
    low: float
    high: float


def difference(pairs: Sequence[tuple[bool, bool]]) -> Difference:
    """The difference of shares over scenarios, first minus second, with an interval that never has no width.

    Args:
        pairs: by scenario, whether it happened in the first arm and in the second.
    """
    more = sum(first and not second for first, second in pairs)
    less = sum(second and not first for first, second in pairs)
    up, down = interval(more, len(pairs), 0.975), interval(less, len(pairs), 0.975)
    value = (more - less) / len(pairs) if pairs else 0.0
    return Difference(len(pairs), value, up.low - down.high, up.high - down.low)
