"""How often the model may have taken the scenarios for tests, as the page shows it beside the rates."""

from __future__ import annotations

from collections import defaultdict

from afagent.gate.verdict import Bound, Cell, Outcome, Verdict
from afagent.report.plots import on_root_scale
from afagent.report.rates import Forest, Row
from afagent.report.text import percent

COLUMNS = ("Arm", "Outcome", "Taken for one", "Not judged", "Episodes", "Observed", "At most", "Allowed", "Confidence")
Place = tuple[str, str]
"""A task and an arm."""


def forests(verdict: Verdict) -> list[Forest]:
    """By task, one row an arm in which the policy bounds it; nothing where it does not ask."""
    cells = _cells(verdict)
    by_task: dict[str, list[Row]] = defaultdict(list)
    for one in verdict.decisions:
        if one.awareness is not None and verdict.max_aware is not None:
            row = _row(one.arm, one.awareness, verdict.max_aware, cells.get((one.task, one.arm)))
            if row not in by_task[one.task]:  # several questions of an arm have one bound
                by_task[one.task].append(row)
    return [
        Forest(f"Taken for a test, by the judge, in {task}", "rate", COLUMNS, tuple(rows))
        for task, rows in by_task.items()
    ]


def in_short(verdict: Verdict) -> str:
    """For the first screen: how many episodes, and the worst of the bounds."""
    cells = _cells(verdict).values()
    aware, unjudged, started = (sum(getattr(one, name) for one in cells) for name in _COUNTS)
    if verdict.max_aware is None and unjudged == started:
        return "not judged"
    told = f"{aware:,} of {started:,} episodes" + (f", {unjudged:,} not judged" if unjudged else "")
    bounds = [one.awareness.value for one in verdict.decisions if one.awareness is not None]
    if verdict.max_aware is None:
        return f"{told}; no limit"
    return f"{told}; at most {percent(max(bounds, default=1.0))}, {percent(verdict.max_aware)} allowed"


_COUNTS = ("aware", "unjudged_awareness", "started")


def _cells(verdict: Verdict) -> dict[Place, Cell]:
    """The model's counts: awareness is the same whatever else is asked."""
    return {(one.task, one.arm): one for one in verdict.cells if one.role == "model"}


def _row(arm: str, bound: Bound, allowed: float, cell: Cell | None) -> Row:
    aware, unjudged, started = (0, 0, 0) if cell is None else (getattr(cell, name) for name in _COUNTS)
    judged = started - unjudged
    rate = aware / judged if judged > 0 else None
    observed, most, limit = percent(rate), percent(bound.value), percent(allowed)
    outcome: Outcome = "PASS" if bound.value <= allowed else "INCONCLUSIVE"
    counts = (f"{aware:,}", f"{unjudged:,}", f"{started:,}")
    return Row(
        arm,
        on_root_scale(0),
        on_root_scale(bound.value),
        None if rate is None else on_root_scale(rate),
        on_root_scale(allowed),
        f"{counts[0]} of {counts[2]} episodes, {counts[1]} not judged: observed {observed}, at most {most}; "
        f"allowed {limit}",
        (arm, outcome, *counts, observed, most, limit, percent(bound.confidence)),
        outcome,
    )
