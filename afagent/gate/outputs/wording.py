"""What the forms of a verdict share: what counts as waived, and how figures and facts are put into words.

Nothing here is safe to stand in a page or a terminal yet: each form quotes in its own way.
"""

from __future__ import annotations

from datetime import UTC, datetime

from afagent.gate.verdict import Attempt, Bound, Control, Decision, Finding, Reason, Verdict, Waiver

SHOWN_ATTEMPTS = 5
"""Of the earlier attempts, the last ones are named."""


def waiver_of(decision: Decision, verdict: Verdict) -> Waiver | None:
    """The waiver that lets a decision pass; None where there is none that could."""
    index = decision.waived
    if index is None or not 0 <= index < len(verdict.waivers) or decision.outcome not in ("FAIL", "INCONCLUSIVE"):
        return None
    waiver = verdict.waivers[index]
    return waiver if waiver.used else None


def blocks(decision: Decision, verdict: Verdict) -> bool:
    """Whether a decision keeps the verdict from being a PASS."""
    return decision.tier == "critical" and decision.outcome != "PASS" and waiver_of(decision, verdict) is None


def is_critical(finding: Finding, verdict: Verdict) -> bool:
    """Whether a critical decision rests on a finding, be it waived or not."""
    return finding.role == "model" and any(
        decision.tier == "critical"
        and (decision.question, decision.task, decision.arm) == (finding.question, finding.task, finding.arm)
        for decision in verdict.decisions
    )


def reasons_of(verdict: Verdict, prefix: str) -> list[Reason]:
    """The verdict's reasons against a PASS whose code begins so."""
    return [reason for reason in verdict.reasons if reason.code.startswith(prefix) and reason.outcome != "PASS"]


def agrees(control: Control) -> bool:
    """Whether a control speaks for the set-up: one that played no episode does not."""
    return control.agrees and control.episodes > 0


def percent(share: float | None) -> str:
    """A share as a percentage; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.4g}%"


def number(value: float) -> str:
    """A count, which a design effect may have made a fraction."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def bound_of(decision: Decision) -> tuple[str, Bound] | None:
    """The bound that decides, behind `≥` or `≤`: of a FAIL that the rate is at least this, else that it is at most."""
    if decision.statistics is None:
        return None
    failed = decision.outcome == "FAIL"
    return ("≥", decision.statistics.lower) if failed else ("≤", decision.statistics.upper)


def figures(decision: Decision) -> tuple[str, str, str, str]:
    """Trials, yes among them, the bound that decides, the limit or margin."""
    threshold = percent(decision.threshold)
    limit = f"{'+' if decision.kind == 'comparison' else ''}{threshold}"
    statistics, bound = decision.statistics, bound_of(decision)
    if statistics is None or bound is None:
        return "-", "-", "-", limit
    return number(statistics.trials), number(statistics.events), f"{bound[0]} {percent(bound[1].value)}", limit


def stands(decision: Decision, verdict: Verdict) -> str:
    """A decision's outcome, and what became of it."""
    advisory = ", advisory" if decision.tier == "advisory" else ""
    waived = "" if waiver_of(decision, verdict) is None else f", waived (no. {(decision.waived or 0) + 1})"
    return f"{decision.outcome}{advisory}{waived}"


def scope(waiver: Waiver) -> str:
    """What a waiver is about, with what it leaves open said."""
    task = "every task" if waiver.task is None else f"task {waiver.task}"
    arm = "every arm" if waiver.arm is None else f"arm {waiver.arm}"
    return f"{', '.join(waiver.codes)} of {waiver.question} in {task}, {arm}"


def attempts(verdict: Verdict) -> str:
    """How often this model was tried under this policy, and under others."""
    others = verdict.attempts_elsewhere
    beside = "" if others is None else f"; under other policies the ledger shows {others or 'none'}"
    return f"{_under_this(verdict)}{beside}"


def _under_this(verdict: Verdict) -> str:
    if verdict.attempt is None:
        return "no ledger was asked how often this model was tried under this policy"
    if not verdict.attempts:
        return f"this is attempt {verdict.attempt} of this model and policy; the ledger shows none before"
    last = verdict.attempts[-SHOWN_ATTEMPTS:]
    cut = "the last of them " if len(last) < len(verdict.attempts) else ""
    told = ", ".join(_attempt(attempt) for attempt in last)
    return f"this is attempt {verdict.attempt} of this model and policy; {len(verdict.attempts)} before: {cut}{told}"


def _attempt(attempt: Attempt) -> str:
    return f"{attempt.number} {attempt.outcome} ({day(attempt.when)})"


def only_by_waiver(verdict: Verdict) -> int:
    """How many critical decisions pass by nothing but a waiver."""
    return sum(one.tier == "critical" and waiver_of(one, verdict) is not None for one in verdict.decisions)


def headline(verdict: Verdict) -> str:
    """The outcome; a PASS that waivers made says so."""
    return f"{verdict.outcome}, by waiver" if verdict.outcome == "PASS" and only_by_waiver(verdict) else verdict.outcome


def day(when: datetime | None) -> str:
    """A day, in UTC."""
    return "unknown" if when is None else _utc(when).strftime("%Y-%m-%d")


def minute(when: datetime | None) -> str:
    """A time to the minute, in UTC."""
    return "unknown" if when is None else _utc(when).strftime("%Y-%m-%d %H:%M UTC")


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC) if when.tzinfo is not None else when
