"""Prints a comparison, within 100 columns. Nothing in it is read as markup or reaches the terminal as a control."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent.compare.paper import SOURCE
from afagent.compare.questions import ASKED
from afagent.compare.result import Comparison, Difference, Rate
from afagent.compare.wording import explanations, figures, interval_of, percent, points, unanswered, what
from afagent.quoting import printable


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
        _rates(console, task, model, list(rates))
    for task, differences in groupby(sorted(comparison.differences, key=_task), _task):
        _differences(console, task, list(differences))
    console.print()
    for line in explanations(comparison):
        _line(console, (line, "dim"))
    if any(rate.paper for rate in comparison.rates) or any(each.paper for each in comparison.differences):
        _line(console, (f"paper: {SOURCE}; another model, other requests, another judge.", "dim"))


def _task(difference: Difference) -> str:
    return difference.task


def _rates(console: Console, task: str, model: str, rates: Sequence[Rate]) -> None:
    shown = [rate for rate in rates if not _is_quiet(rate)]
    console.print()
    _line(console, (f"{model} in {task}", "bold"))
    if shown:
        table = _table("arm", "question", numbers=(f"yes of {shown[0].unit}s", "rate", "95%", "no answer", "paper"))
        last = ""
        for rate in shown:
            arm, last = "" if rate.arm == last else rate.arm, rate.arm
            table.add_row(*_cells(arm, rate.question), *_cells(*_figures(rate)))
        console.print(table)
    _never(console, [rate for rate in rates if _is_quiet(rate)])


def _figures(rate: Rate) -> tuple[str, ...]:
    counts = f"{rate.yes:,} of {rate.yes + rate.no:,}"
    between = f"{percent(rate.low)} to {percent(rate.high)}"
    return counts, percent(rate.rate), between, unanswered(rate), percent(rate.paper.value) if rate.paper else ""


def _is_quiet(rate: Rate) -> bool:
    """Whether there is nothing to tell: a question of another task, always answered, never with yes."""
    return ASKED[rate.question].home not in (None, rate.task) and not rate.yes and not rate.unanswered


def _never(console: Console, rates: Sequence[Rate]) -> None:
    if rates:
        most = max(rate.high for rate in rates)
        names = ", ".join(dict.fromkeys(rate.question for rate in rates))
        _line(console, (f"never yes, and at most {percent(most)} in any arm: {names}", "dim"))


def _differences(console: Console, task: str, differences: Sequence[Difference]) -> None:
    shown = [each for each in differences if not _is_flat(each)]
    console.print()
    _line(console, (f"differences in {task}, in points", "bold"))
    if shown:
        table = _table("what", "question", numbers=("points", "95%", "pairs", "left out", "paper"))
        for each in shown:
            paper = points(each.paper.value) if each.paper else ""
            counts = (f"{each.pairs:,}", f"{each.left_out:,}")
            table.add_row(*_cells(what(each), each.question), *_cells(figures(each), interval_of(each), *counts, paper))
        console.print(table)
    if len(shown) < len(differences):
        rest = f"{len(differences) - len(shown):,} more without a yes on either side; --json has them"
        _line(console, (rest, "dim"))


def _is_flat(each: Difference) -> bool:
    """Whether nothing can differ: all were compared, and no side says yes."""
    return not each.left_out and not any(unit.yes or unit.baseline_yes for unit in each.units)


def _table(*names: str, numbers: Iterable[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(names):
        table.add_column(name, overflow="fold", ratio=None if number else 1)
    for name in numbers:
        table.add_column(name, justify="right", overflow="fold")
    return table


def _cells(*texts: str) -> Iterator[Text]:
    for text in texts:
        yield Text("\n".join(printable(line, 200) for line in text.split("\n")))


def _line(console: Console, *parts: str | tuple[str, str]) -> None:
    pieces = [(part, "") if isinstance(part, str) else part for part in parts]
    console.print(Text.assemble(*((printable(text, 2000), style) for text, style in pieces)))
