"""The verdict as a page of Markdown, such as GitHub shows as the summary of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from afagent.gate.outputs import wording
from afagent.gate.outputs.inert import code, prose, table
from afagent.gate.verdict import Cell, Decision, Finding, Log, Model, Reason, Verdict, Waiver

MOST_ROWS = 200
"""Of any list; what is left out is counted, and stands in `verdict.json`."""
MOST_BYTES = 1_000_000
"""Of the page: GitHub shows no summary of more than 1 MiB."""
_CUT = "\n**The page is cut here; verdict.json has all of it.**"
_SIGNS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "⚠️", "MISMATCH": "⛔"}
_MEANINGS = {
    "PASS": "Every critical limit was shown to be kept.",
    "FAIL": "The model is shown to break a critical limit.",
    "INCONCLUSIVE": "There is not enough evidence for a PASS. That is no good news about the model.",
    "MISMATCH": "The evidence is not what it claims to be, so nothing can be said of the model.",
}
_BY_WAIVER = "Not every critical limit was shown to be kept: people let some of it pass."
T = TypeVar("T")


def to_markdown(verdict: Verdict) -> str:
    """The whole page; the outcome and why come first. Nothing in it is read as markup but what is written here."""
    parts = [
        _head(verdict),
        _disclaimers(verdict),
        _decisions(verdict),
        _positives(verdict),
        _waivers(verdict),
        _controls(verdict),
        _calibration(verdict),
        _judge(verdict),
        _cells(verdict),
        _methods(verdict),
        _ledger(verdict),
        _identity(verdict),
    ]
    return _within([line for part in parts for line in part])


def _head(verdict: Verdict) -> list[str]:
    waived = wording.only_by_waiver(verdict)
    by_waiver = [f"**Critical decisions that pass only by a waiver: {waived}** (see Waivers).", ""] if waived else []
    kept = verdict.outcome == "PASS" and not waived
    meaning = _MEANINGS[verdict.outcome] if kept or verdict.outcome != "PASS" else _BY_WAIVER
    return [
        f"# {'☑️' if meaning == _BY_WAIVER else _SIGNS[verdict.outcome]} {wording.headline(verdict)}",
        "",
        f"**{meaning}** Model {_name(verdict.model)}, policy {code(verdict.policy)}.",
        "",
        *_listed(verdict.reasons, _reason, "No reason is given."),
        *by_waiver,
        f"Valid until {wording.minute(verdict.expires)}; oldest episode that decides "
        f"{wording.minute(verdict.oldest_episode)}.",
        "",
    ]


def _decisions(verdict: Verdict) -> list[str]:
    def row(decision: Decision) -> list[str]:
        place = [code(decision.question), code(decision.task), code(decision.arm)]
        sign = "✅" if decision.outcome == "PASS" else "☑️" if not wording.blocks(decision, verdict) else "❌"
        return [*place, *wording.figures(decision), f"{sign} {wording.stands(decision, verdict)}"]

    def why(decision: Decision) -> str:
        place = f"{code(decision.question)}, {code(decision.task)}, {code(decision.arm)}"
        return f"{place}: " + "; ".join(_reason(reason) for reason in decision.reasons)

    head = ["question", "task", "arm", "n", "yes", "bound", "limit", "outcome"]
    against = [decision for decision in verdict.decisions if decision.outcome != "PASS"]
    return [
        *_tabled("Decisions", head, verdict.decisions, row, "Nothing was decided."),
        *(_listed(against, why, "") if against else []),
    ]


def _positives(verdict: Verdict) -> list[str]:
    def line(finding: Finding) -> str:
        whose = "the baseline: " if finding.role == "baseline" else ""
        named = f", {', '.join(map(code, finding.techniques))}" if finding.techniques else ""
        return (
            f"{whose}{code(finding.question)} in {code(finding.task)}, {code(finding.arm)}, seed {finding.seed}, epoch "
            f"{finding.epoch}: {code(finding.summary, 400)} ({code(finding.strength)}{named}; "
            f"sample {code(finding.sample)} of {code(finding.log)})"
        )

    return ["## Positives", "", *_listed(verdict.findings, line, "No episode was answered yes.")]


def _waivers(verdict: Verdict) -> list[str]:
    def line(numbered: tuple[int, Waiver]) -> str:
        number, waiver = numbered
        used = "lets a decision pass" if waiver.used else "changed nothing"
        return (
            f"No. {number}, {used}: {prose(wording.scope(waiver))}; "
            f"by {code(waiver.name)}, until {wording.minute(waiver.expires)}: {prose(waiver.reason)}"
        )

    return ["## Waivers", "", *_listed(list(enumerate(verdict.waivers, 1)), line, "None.")]


def _controls(verdict: Verdict) -> list[str]:
    rows = [
        [
            code(control.playbook),
            str(control.episodes),
            "as expected" if wording.agrees(control) else "❌ not as expected",
            "; ".join(map(prose, control.problems)) or "-",
        ]
        for control in verdict.controls
    ]
    head = ["scripted model", "episodes", "judged", "problems"]
    return _tabled("Controls", head, rows, list, "No scripted models with known behaviour were run.")


def _calibration(verdict: Verdict) -> list[str]:
    record = verdict.calibration
    if record is None:
        return ["## Calibration", "", "No calibration record was used.", ""]
    whole = "the whole corpus" if record.whole else "❌ a part of the corpus"
    met = "targets met" if record.met else "❌ targets missed"
    return [
        "## Calibration",
        "",
        f"{wording.minute(record.when)}, version {code(record.suite)}, {whole}, {met}, {code(record.digest)}.",
        "",
    ]


def _judge(verdict: Verdict) -> list[str]:
    record = verdict.judge
    if record is None:
        return ["## Judge of awareness", "", "No record of a judge was used.", ""]
    fit = "the record fits" if record.fit else "❌ not to be relied on"
    rates = ((name, getattr(record, name)) for name in ("sensitivity", "specificity"))
    told = [
        f"{name} {rate.right} of {rate.of} ({wording.percent(rate.low)} to {wording.percent(rate.high)})"
        if rate
        else f"{name} not known"
        for name, rate in rates
    ]
    return [
        "## Judge of awareness",
        "",
        f"{code(record.model)}, {fit}: {', '.join(told)}; {wording.minute(record.when)}, {code(record.digest)}.",
        "",
    ]


def _cells(verdict: Verdict) -> list[str]:
    counts = ["planned", "started", "scored", "errored", "unscored", "refused", "unengaged", "aware"]
    last = ["unjudged_awareness", "positives", "scenarios", "positive_scenarios"]

    def row(cell: Cell) -> list[str]:
        whose = "" if cell.role == "model" else " (baseline)"
        place = [f"{code(cell.question)}{whose}", code(cell.task), code(cell.arm)]
        return [*place, *(str(getattr(cell, count)) for count in (*counts, *last))]

    head = ["question", "task", "arm", *counts, "not judged for it", "yes", "scenarios", "scenarios with yes"]
    return _tabled("Episodes", head, verdict.cells, row, "None were counted.")


def _methods(verdict: Verdict) -> list[str]:
    def line(decision: Decision) -> str:
        statistics, bound = decision.statistics, wording.bound_of(decision)
        place = f"{code(decision.question)}, {code(decision.task)}, {code(decision.arm)}"
        if statistics is None or bound is None:
            return f"{place}: there was nothing to count"
        by = bound[1]
        told = [
            f"observed {wording.percent(statistics.rate)}",
            f"confidence {wording.percent(by.confidence)}",
            f"design effect {statistics.design_effect:.4g}",
            *([] if statistics.p_adjusted is None else [f"p {statistics.p_adjusted:.4g} after Holm"]),
            f"by {prose(by.method)}",
            *(f"assumed: {prose(assumption)}" for assumption in by.assumptions),
            *_awareness(decision),
            code(statistics.recompute, 400),
        ]
        return f"{place}: {'; '.join(told)}"

    return ["## How the bounds come about", "", *_listed(verdict.decisions, line, "Nothing was decided.")]


def _awareness(decision: Decision) -> list[str]:
    bound = decision.awareness
    if bound is None:
        return []
    assumed = ", ".join(map(prose, bound.assumptions))
    return [f"taken for a test in at most {wording.percent(bound.value)} (assumed: {assumed})"]


def _ledger(verdict: Verdict) -> list[str]:
    told = wording.attempts(verdict)
    return ["## Attempts", "", f"{prose(told[0].upper() + told[1:])}.", ""]


def _disclaimers(verdict: Verdict) -> list[str]:
    return ["## What to know", "", *_listed(verdict.disclaimers, prose, "Nothing further.")]


def _identity(verdict: Verdict) -> list[str]:
    def log(entry: Log) -> list[str]:
        ended = wording.minute(entry.ended)
        return [code(entry.name), code(entry.role), code(entry.model), code(entry.status), ended, code(entry.sha256)]

    facts = [
        f"model {_name(verdict.model)}",
        f"baseline {_name(verdict.baseline)}",
        f"policy {code(verdict.policy)}, {code(verdict.policy_digest)}",
        f"evidence {code(verdict.evidence)}",
        f"judged by afagent {code(verdict.suite)}, played with {_codes(verdict.suites)}",
        *(f"image {code(name)}: {_codes(digests)}" for name, digests in sorted(verdict.images.items())),
        *(f"package {code(name)}: {_codes(versions)}" for name, versions in sorted(verdict.packages.items())),
        f"episodes from {wording.minute(verdict.first_episode)} to {wording.minute(verdict.last_episode)}",
    ]
    head = ["log", "of", "model", "status", "ended", "digest"]
    return ["## What was judged", "", *_listed(facts, str, ""), *_tabled("Logs", head, verdict.logs, log, "None.")]


def _reason(reason: Reason) -> str:
    return f"**{reason.outcome}** {code(reason.code)}: {prose(reason.text)}"


def _name(model: Model | None) -> str:
    return "none" if model is None else f"{code(model.name)} as {code(model.scaffold)}"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(map(code, texts)) or "none"


def _listed(items: Sequence[T], line: Callable[[T], str], none: str) -> list[str]:
    left = len(items) - MOST_ROWS
    more = [f"- and {left} more, in verdict.json"] if left > 0 else []
    return [*(f"- {line(item)}" for item in items[:MOST_ROWS]), *more, ""] if items else [none, ""]


def _tabled(title: str, head: list[str], items: Sequence[T], row: Callable[[T], Iterable[str]], none: str) -> list[str]:
    left = len(items) - MOST_ROWS
    more = [f"And {left} more, in verdict.json.", ""] if left > 0 else []
    return [f"## {title}", "", *(table(head, map(row, items[:MOST_ROWS])) if items else [none, ""]), *more]


def _within(lines: list[str]) -> str:
    """The lines as far as they fit; what comes first matters most."""
    size = len(_CUT) + 2
    for index, line in enumerate(lines):
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            lines = [*lines[:index], _CUT]
            break
    return "\n".join(lines).rstrip("\n") + "\n"
