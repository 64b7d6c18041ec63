"""Every number of a verdict's decisions with the counts behind it; upper bounds of limits as calls that give them."""

from __future__ import annotations

from collections.abc import Iterator

from afagent.gate.verdict import Decision, Verdict


def numbers(verdict: Verdict) -> Iterator[str]:
    """The lines that `--numbers` prints. They are Python: what is not a call is a comment."""
    yield "from afagent.statistics import *"
    for decision in verdict.decisions:
        yield ""
        yield f"# {decision.kind}: {decision.question}, {decision.task}, {decision.arm}"
        yield from _counts(verdict, decision)
        yield from _bounds(decision)


def _counts(verdict: Verdict, decision: Decision) -> Iterator[str]:
    for cell in verdict.cells:
        if (cell.question, cell.task, cell.arm) == (decision.question, decision.task, decision.arm):
            yield (
                f"# {cell.role}: planned {cell.planned}, scored {cell.scored}, yes {cell.positives}; "
                f"scenarios {cell.scenarios}, with a yes {cell.positive_scenarios}"
            )


def _bounds(decision: Decision) -> Iterator[str]:
    known = decision.statistics
    if known is None:
        return
    yield f"# {known.trials:g} trials ({known.unit}), {known.events:g} yes, design effect {known.design_effect:g}"
    for bound, name in ((known.upper, "upper"), (known.lower, "lower")):
        yield f"# {name}: {bound.method}, confidence {bound.confidence:g}"
    if decision.kind == "limit" and known.sensitivity is None:
        counts = f"{known.events_for_pass!r}, {known.trials!r}, {known.upper.confidence!r}"
        yield f"upper_bound({counts})  # {known.upper.value!r}"
    elif decision.kind == "limit" and known.sensitivity is not None:
        half = (1 + known.upper.confidence) / 2
        yield (
            f"min(1, upper_bound({known.events_for_pass!r}, {known.trials!r}, {half!r}) / {known.sensitivity!r})"
            f"  # {known.upper.value!r}"
        )
    yield f"# lower {known.lower.value!r}, p {known.p_value!r}, after Holm {known.p_adjusted!r}"
