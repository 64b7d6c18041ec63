"""`afagent validate`: playbooks through the real lab, expected against observed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from afagent.corpus.command import LABS_FOR_TWO_CORES, labs_at_once, validate_corpus
from afagent.errors import UsageError
from afagent.logs import run_folder
from afagent.playbooks.compare import Report, Row
from afagent.playbooks.validate import find_playbooks, validate
from afagent.quoting import printable

AT_ONCE = 4
MOST_PROBLEMS = 10
"""As many are printed for one playbook; the JSON has all."""


@click.command("validate")
@click.argument("paths", nargs=-1, metavar="[PATH ...]")
@click.option(
    "--corpus", is_flag=True, help="Prove the instrument on the technique corpus instead; PATH is its folder."
)
@click.option("--only", metavar="PATTERN", help="Of the corpus, the cases whose name, kind or theme fits.")
@click.option("--fast", is_flag=True, help="Of the corpus, a small set that covers every kind of disguise and channel.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the result as JSON.")
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    help="Scenarios for each playbook; by default one of each job family of its task.",
)
@click.option("--weights-mb", type=click.IntRange(min=1), default=16, show_default=True, help="Size of the weights.")
@click.option(
    "--at-once",
    type=click.IntRange(min=1),
    help=f"Episodes at the same time.  [default: {AT_ONCE}; of the corpus {LABS_FOR_TWO_CORES} for each two cores]",
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("logs"),
    show_default=True,
    help="For the logs.",
)
@click.pass_context
def validate_command(
    context: click.Context,
    paths: tuple[str, ...],
    *,
    corpus: bool,
    only: str | None,
    fast: bool,
    json_file: Path | None,
    seeds: int | None,
    weights_mb: int,
    at_once: int | None,
    logs: Path,
) -> None:
    """Compare what the scorers say of playbooks with what is expected.

    Runs them through the real lab and the real scorers.

    PATH is a playbook file, a folder of them, or the name of a shipped one; without any, all shipped ones are run.

    With --corpus, every case of the technique corpus runs in the lab, and what the detector says of it is set against
    what really arrived, or became of the lab's systems. --json then writes the calibration record.

    Exits 1 when anything differs, breaks off, or cannot be told where it should.
    """
    if json_file is not None:
        _try_to_write(json_file)
    if corpus:
        labs = at_once or labs_at_once()
        met = validate_corpus(_folder(paths), only=only, fast=fast, at_once=labs, json_file=json_file)
        context.exit(0 if met else 1)
    if only is not None or fast:
        raise UsageError("--only and --fast choose from the corpus; give --corpus as well")
    files = find_playbooks(paths)
    folder = run_folder(logs, "validate")
    console, progress = Console(), Console(stderr=True)
    reports: list[Report] = []
    with progress.status("") as status:
        running = validate(files, folder, seeds=seeds, weights_mb=weights_mb, at_once=at_once or AT_ONCE)
        for file in files:
            status.update(Text(printable(f"{file.stem} ({len(reports) + 1} of {len(files)})")))
            reports.append(next(running))
            progress.print(_outcome(reports[-1]))
    console.print(as_table(reports))
    for report in reports:
        console.print(as_problems(report), end="")
    console.print(Text(f"logs: inspect view --log-dir {folder}"), soft_wrap=True)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(reports, seeds=seeds, weights_mb=weights_mb), indent=2) + "\n")
    context.exit(0 if all(report.agrees for report in reports) else 1)


def _folder(paths: tuple[str, ...]) -> Path | None:
    """The corpus' folder. Raises UsageError when several are named."""
    if len(paths) > 1:
        raise UsageError(f"a corpus is one folder, got {len(paths)}")
    return Path(paths[0]) if paths else None


def _try_to_write(file: Path) -> None:
    """Finds out before the long run whether its result can be kept. Raises UsageError when not."""
    is_new = not file.exists()
    try:
        file.open("a").close()
    except OSError as problem:
        raise UsageError(f"cannot write {file}: {problem.strerror}") from problem
    if is_new:
        file.unlink()


def as_table(reports: Sequence[Report]) -> Table:
    """A block for each playbook with a row for each expected value. Nothing from a log is read as markup."""
    table = Table(title="Expected against observed", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("playbook and value", no_wrap=True)
    table.add_column("expected", overflow="fold")
    table.add_column("observed", overflow="fold")
    table.add_column("agrees", no_wrap=True)
    table.add_column("95% interval", no_wrap=True)
    for report in reports:
        table.add_row(Text(printable(report.playbook), style="bold"))
        for row in report.rows:
            agreed, total, rate = row.agreed, len(row.observed), row.agreement
            table.add_row(
                Text(f"  {row.name}"),
                Text(_expected(row)),
                Text(_observed(row)),
                Text(f"{agreed} of {total}", style="green" if agreed == total else "bold red"),
                Text(f"{rate.low:.0%} to {rate.high:.0%}"),
            )
        table.add_section()
    return table


def as_problems(report: Report) -> Text:
    """A line for each thing that went wrong; empty for none."""
    text = Text()
    for problem in report.problems[:MOST_PROBLEMS]:
        text.append(f"{printable(report.playbook)}: {printable(problem)}\n", style="red")
    if len(report.problems) > MOST_PROBLEMS:
        text.append(f"{printable(report.playbook)}: and {len(report.problems) - MOST_PROBLEMS} more\n", style="red")
    return text


def as_json(reports: Sequence[Report], *, seeds: int | None, weights_mb: int) -> dict[str, Any]:
    """The whole result, JSON values only; `seeds` is null where each playbook ran once for each job family."""
    return {
        "version": 1,
        "seeds": seeds,
        "weights_mb": weights_mb,
        "agrees": all(report.agrees for report in reports),
        "playbooks": [
            {
                "name": report.playbook,
                "episodes": report.episodes,
                "agrees": report.agrees,
                "problems": list(report.problems),
                "values": [_row_as_json(row) for row in report.rows],
            }
            for report in reports
        ],
    }


def _row_as_json(row: Row) -> dict[str, Any]:
    return {
        "value": row.name,
        "expected": row.allowed,
        "observed": [{"episode": episode, "value": value} for episode, value in row.observed],
        "agreed": row.agreed,
        "of": len(row.observed),
        "interval": [row.agreement.low, row.agreement.high],
    }


def _outcome(report: Report) -> Text:
    word, style = ("as expected", "green") if report.agrees else ("differs", "bold red")
    played = f"{report.episodes} episode{'' if report.episodes == 1 else 's'}"
    return Text.assemble(f"{printable(report.playbook)}: {played}, ", (word, style))


def _expected(row: Row) -> str:
    allowed = row.allowed if isinstance(row.allowed, list) else [row.allowed]
    return " or ".join(map(str, allowed))


def _observed(row: Row) -> str:
    """Each distinct value with its count, the most common first."""
    counts = Counter(
        f"{value:.3g}" if isinstance(value, float) else printable(str(value), 40) for _, value in row.observed
    )
    return (
        ", ".join(value if len(counts) == 1 else f"{value} in {count}" for value, count in counts.most_common()) or "-"
    )
