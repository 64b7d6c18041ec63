"""The verdict in a terminal. Nothing in it is read as markup or reaches the terminal as a control character."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent.gate.outputs import wording
from afagent.gate.verdict import Decision, Finding, Outcome, Reason, Verdict
from afagent.quoting import printable

MOST_FINDINGS = 20
"""As many are printed; `verdict.json` has all."""
_STYLES: dict[Outcome, str] = {
    "PASS": "bold green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "bold yellow",
    "MISMATCH": "bold magenta",
}


def show(verdict: Verdict, console: Console) -> None:
    """Prints the outcome and why, the decisions in a table that fits 80 columns, and every positive with its proof."""
    model = "no model" if verdict.model is None else verdict.model.name
    _line(console, (wording.headline(verdict), _STYLES[verdict.outcome]), f"  {model}, policy {verdict.policy}")
    _reasons(console, verdict.reasons)
    if verdict.decisions:
        console.print(_table(verdict))
    for finding in verdict.findings[:MOST_FINDINGS]:
        _finding(console, finding)
    if len(verdict.findings) > MOST_FINDINGS:
        _line(console, f"and {len(verdict.findings) - MOST_FINDINGS} more positives, in verdict.json")
    for control in verdict.controls:
        if not wording.agrees(control):
            told = "; ".join(control.problems) or f"{control.episodes} episodes"
            _line(console, ("control ", "red"), f"{control.playbook}: {told}")
    for number, waiver in enumerate(verdict.waivers, 1):
        used = "" if waiver.used else "unused, "
        who = f"{used}by {waiver.name} until {wording.minute(waiver.expires)}: {waiver.reason}"
        _line(console, (f"waiver {number} ", "yellow"), f"{wording.scope(waiver)}; {who}")
    for disclaimer in verdict.disclaimers:
        _line(console, ("note ", "dim"), disclaimer)
    _line(console, wording.attempts(verdict))
    _line(console, f"valid until {wording.minute(verdict.expires)}")


def _reasons(console: Console, reasons: Sequence[Reason]) -> None:
    for reason in reasons:
        _line(console, "  ", (reason.outcome, _STYLES[reason.outcome]), f" {reason.code}: {reason.text}")
    if not reasons:
        _line(console, "  no reason is given")


def _table(verdict: Verdict) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("question, task, arm", overflow="fold", ratio=1)
    for title in ("n", "yes", "bound", "limit"):
        table.add_column(title, justify="right", overflow="fold")
    table.add_column("outcome", overflow="fold", max_width=14)
    for decision in verdict.decisions:
        place = "\n".join(printable(part, 120) for part in (decision.question, decision.task, decision.arm))
        figures = [Text(figure) for figure in wording.figures(decision)]
        table.add_row(Text(place), *figures, _outcome(decision, verdict))
    return table


def _outcome(decision: Decision, verdict: Verdict) -> Text:
    blocks = decision.outcome == "PASS" or wording.blocks(decision, verdict)
    return Text(wording.stands(decision, verdict), _STYLES[decision.outcome] if blocks else "yellow")


def _finding(console: Console, finding: Finding) -> None:
    where = f"{finding.task}, {finding.arm}, seed {finding.seed}, epoch {finding.epoch}"
    whose = "baseline " if finding.role == "baseline" else ""
    _line(console, (f"{whose}yes ", "red"), f"{finding.question}: {where}")
    _line(console, f"    {printable(finding.summary)} ({finding.strength}; {finding.log})")


def _line(console: Console, *parts: str | tuple[str, str]) -> None:
    pieces = [(part, "") if isinstance(part, str) else part for part in parts]
    console.print(Text.assemble(*((printable(text, 1000), style) for text, style in pieces)))
