"""A judge's record as tables. Nothing in it is read as markup."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent.corpus.record import Rate
from afagent.judge.record import Agreement, Checked, JudgeRecord
from afagent.quoting import printable

_WHY = 300
"""Characters of a judge's reasons that are printed."""


def show(record: JudgeRecord, console: Console) -> None:
    """Prints a record: rates and agreement of each question, every miss, and what was settled without the judge."""
    for checked in record.questions:
        _show_question(checked, console)
    _print(console, f"judge: {printable(record.model)}")
    _print(console, f"tokens: {record.usage.input:,} read, {record.usage.output:,} written")


def _show_question(checked: Checked, console: Console) -> None:
    votes = f"{checked.threshold} of {checked.votes} votes" if checked.votes > 1 else "one vote"
    console.print(_rates(f"{checked.question}: {checked.asked} cases, {votes}, {checked.unscored} unscored", checked))
    console.print(_agreements(checked))
    for miss in checked.misses:
        hard = "hard" if miss.hard else "easy"
        _case(console, "miss", "red", miss.case, f"{hard}: {miss.said or 'cannot tell'}, true is {miss.true}", miss.why)
    for settled in checked.settled:
        said = f"{settled.said or 'cannot tell'}, true is {settled.true}"
        _case(console, "without the judge", "dim", settled.case, said, settled.why)
    console.print()


def _rates(title: str, checked: Checked) -> Table:
    table = _table(title, "cases", "label", "sensitivity", "95%", "specificity", "95%")
    for row in checked.rows:
        table.add_row(row.among, Text(row.label), *_cells(row.sensitivity), *_cells(row.specificity))
    return table


def _agreements(checked: Checked) -> Table:
    table = _table(None, "cases", "agreement", "95%", "kappa", "95%")
    for one in checked.agreement:
        table.add_row(one.among, *_cells(one.raw), *_kappa(one))
    return table


def _table(title: str | None, *columns: str) -> Table:
    table = Table(title=title and Text(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _cells(rate: Rate | None) -> tuple[Text, Text]:
    if rate is None or not rate.of:
        return Text("-"), Text("")
    untold = f" ({rate.cannot_tell} cannot tell)" if rate.cannot_tell else ""
    style = "green" if rate.right == rate.of else ""
    return Text(f"{rate.right} of {rate.of}{untold}", style=style), Text(f"{rate.low:.0%} to {rate.high:.0%}")


def _kappa(one: Agreement) -> tuple[Text, Text]:
    if one.kappa is None or one.low is None or one.high is None:
        return Text("-"), Text("")
    return Text(f"{one.kappa:.2f}"), Text(f"{one.low:.2f} to {one.high:.2f}")


def _case(console: Console, word: str, style: str, case: str, *told: str) -> None:
    text = Text.assemble((f"{word} ", style), (printable(case), "bold"))
    for part in told:
        text.append(f"\n    {printable(' '.join(part.split()), _WHY)}")
    console.print(text, soft_wrap=True)


def _print(console: Console, line: str) -> None:
    console.print(Text(line), soft_wrap=True)
