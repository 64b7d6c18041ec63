"""Prints a comparison, within 100 columns. Nothing in it is read as markup or reaches the terminal as a control."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from afagent.compare import wording
from afagent.compare.questions import ASKED
from afagent.compare.result import Comparison, Difference, Rate
from afagent.conversation.presets import SOURCE
from afagent.quoting import printable

_RATES = (("yes of answered", 16), ("rate", 6), ("95%", 16), ("no answer", 9), ("paper", 6))
_DIFFERENCES = (("points", 14), ("95%", 16), ("pairs", 6), ("left out", 8), ("paper", 6))
"""Columns with their widths: those of all tables stand below each other."""


def show(comparison: Comparison, console: Console) -> None:
    """Print all of it: what is wrong first, then rates by task and model, then differences, then how to read them."""
    for warning in comparison.warnings:
        _line(console, ("DIFFERENT ", "bold red"), warning)
    for note in comparison.notes:
        _line(console, ("note ", "yellow"), note)
    for one in comparison.unplaced:
        lost = (
            f"{one.samples:,} samples of {one.model} in {one.task} are in no rate: it cannot be told where they stand"
        )
        _line(console, ("note ", "yellow"), lost)
    for (task, model), rates in groupby(comparison.rates, lambda rate: (rate.task, rate.model)):
        _rates(console, f"{model} in {task}", list(rates))
    for task, differences in groupby(sorted(comparison.differences, key=_task), _task):
        _differences(console, task, list(differences))
    console.print()
    for line in wording.explanations(comparison):
        _line(console, (line, "dim"))
    if any(rate.paper for rate in comparison.rates) or any(each.paper for each in comparison.differences):
        _line(
            console, (f"paper: {SOURCE}; other requests and another judge, of the model {_models(comparison)}.", "dim")
        )


def _task(difference: Difference) -> str:
    return difference.task


def _models(comparison: Comparison) -> str:
    found = [*(rate.paper for rate in comparison.rates), *(each.paper for each in comparison.differences)]
    return ", ".join(sorted({paper.model for paper in found if paper is not None}))


def _rates(console: Console, title: str, rates: Sequence[Rate]) -> None:
    _heading(console, title, _RATES)
    quiet = [rate for rate in rates if _is_quiet(rate)]
    for question, arms in groupby((rate for rate in rates if not _is_quiet(rate)), lambda rate: rate.question):
        _line(console, (question, "italic"))
        table = _table(_RATES)
        for rate in arms:
            _row(table, wording.arm(rate), wording.rate_figures(rate))
            single = wording.answer_figures(rate)
            if single is not None:
                _row(table, [wording.SINGLE], single)
        console.print(table)
    if quiet:
        most = wording.percent(max(rate.high for rate in quiet))
        names = ", ".join(dict.fromkeys(rate.question for rate in quiet))
        _line(console, (f"never yes, and at most {most} in any arm: {names}", "dim"))


def _is_quiet(rate: Rate) -> bool:
    """Whether there is nothing to tell: a question of another task, always answered, never with yes."""
    return ASKED[rate.question].home not in (None, rate.task) and not rate.yes and not rate.unanswered


def _differences(console: Console, task: str, differences: Sequence[Difference]) -> None:
    _heading(console, f"differences in {task}", _DIFFERENCES)
    shown = [each for each in differences if not _is_flat(each)]
    for title in dict.fromkeys(map(wording.title, shown)):
        _line(console, (title, "italic"))
        table = _table(_DIFFERENCES)
        for each in shown:
            if wording.title(each) == title:
                _row(table, [each.plus[0].arm], wording.difference_figures(each))
        console.print(table)
    if len(shown) < len(differences):
        rest = f"{len(differences) - len(shown):,} more, without a yes on either side; --json has them"
        _line(console, (rest, "dim"))


def _is_flat(each: Difference) -> bool:
    """Whether nothing can differ: all were compared, and no side says yes. What is left of a gap is always told."""
    alike = not any(unit.yes or unit.baseline_yes for unit in each.units)
    return alike and not each.left_out and each.kind != "openly"


def _heading(console: Console, title: str, columns: Sequence[tuple[str, int]]) -> None:
    console.print()
    _line(console, (title, "bold"))
    table = _table(columns, style="dim")
    _row(table, [""], [name for name, _ in columns])
    console.print(table)


def _table(columns: Sequence[tuple[str, int]], style: str = "") -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(overflow="fold", ratio=1, style=style)
    for _, width in columns:
        table.add_column(justify="right", overflow="fold", width=width, style=style)
    return table


def _row(table: Table, label: Sequence[str], figures: Sequence[str]) -> None:
    lines = Text("\n".join(printable(line, 200) for line in label))
    table.add_row(Padding(lines, (0, 0, 0, 2)), *(Text(printable(figure)) for figure in figures))


def _line(console: Console, *parts: str | tuple[str, str]) -> None:
    pieces = [(part, "") if isinstance(part, str) else part for part in parts]
    console.print(Text.assemble(*((printable(text, 2000), style) for text, style in pieces)))
