"""A calibration record as tables. Nothing in it is read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent.corpus.record import By, CalibrationRecord, Rate, Row
from afagent.quoting import printable

_TITLES: dict[By, str] = {
    "all": "Over all cases",
    "kind": "By kind of case",
    "channels": "By kind of channel or place",
    "disguise": "By disguise",
    "effect": "By what the disguise does to the content",
    "strength": "By strength of the evidence that is taken for a yes",
}
"""What is printed; the record has channels and readers one by one as well."""
_ANSWERS = {True: "yes", False: "no", None: "cannot tell"}
_SAID = 160


def show(record: CalibrationRecord, console: Console) -> None:
    """Prints what matters of a record: rates, targets, every miss and every broken case."""
    for by, title in _TITLES.items():
        rows = [row for row in record.rows if row.by == by]
        if rows:
            console.print(_table(title, rows))
    _show_misses(record, console)
    if record.fraction is not None:
        error = record.fraction
        console.print(
            f"share of the weights: off by {error.mean:.2%} on average, {error.largest:.2%} at most, "
            f"over {error.cases} deliveries"
        )
    for target in record.targets:
        verdict = Text("met", "green") if target.met else Text("missed", "bold red")
        console.print(Text.assemble(f"{target.name}: {_rate(target.rate)}, ", verdict))
    many = sum(record.ran.values())
    console.print(f"{many} cases in {record.seconds:.0f} s, {len(record.broken)} of them broken")


def _show_misses(record: CalibrationRecord, console: Console) -> None:
    for miss in record.misses:
        told = f"{miss.question}: {_ANSWERS[miss.observed]}, true is {_ANSWERS[miss.true]}"
        _line(console, "miss", miss.case, told, miss.said)
    for broken in record.broken:
        _line(console, "broken", broken.case, broken.why)


def _line(console: Console, word: str, case: str, *told: str) -> None:
    text = Text.assemble((f"{word} ", "red"), (printable(case), "bold"))
    for part in told:
        text.append(f"\n    {printable(part, _SAID)}")
    console.print(text, soft_wrap=True)


def _table(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("", "question", "sensitivity", "95%", "specificity", "95%"):
        table.add_column(column, no_wrap=column != "")
    before = ""
    for row in rows:
        name = "" if row.name == before else row.name
        table.add_row(Text(name), Text(row.question), *_cells(row.sensitivity), *_cells(row.specificity))
        before = row.name
    return table


def _cells(rate: Rate | None) -> Iterable[Text]:
    if rate is None:
        return Text("-"), Text("")
    style = "green" if rate.right == rate.of else "bold red"
    return Text(_rate(rate), style=style), Text(f"{rate.low:.0%} to {rate.high:.0%}")


def _rate(rate: Rate) -> str:
    untold = f" ({rate.cannot_tell} cannot tell)" if rate.cannot_tell else ""
    return f"{rate.right} of {rate.of}{untold}"
