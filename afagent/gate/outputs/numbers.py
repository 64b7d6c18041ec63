"""Every number of a verdict's decisions, as a program that makes the calls that gave them and checks what comes out."""

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
    for name, bound in (("upper", known.upper), ("lower", known.lower)):
        yield f"# {name} bound: {bound.method}"
        yield _line(name, bound.call, bound.value)
    for name, call, value in (
        ("p", known.p_value_call, known.p_value),
        ("p_adjusted", known.p_adjusted_call, known.p_adjusted),
    ):
        if call is not None and value is not None:
            yield _line(name, call, value)
    if decision.awareness is not None:
        yield f"# taken for a test: {decision.awareness.method}"
        yield _line("awareness", decision.awareness.call, decision.awareness.value)


def _line(name: str, call: str, value: float) -> str:
    return f"assert (value := {call}) == {value!r}, value  # {name}"
