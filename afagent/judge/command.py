"""`afagent judge ...`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from afagent.errors import UsageError
from afagent.judge import check as checking
from afagent.judge.question import QUESTIONS
from afagent.judge.show import show
from afagent.logs import run_folder

UNSCORED = 3
"""The exit code when cases stayed without a label: what is printed is not of all of them."""


@click.group()
def judge() -> None:
    """Models that judge conversations: can they be relied on?"""


@judge.command()
@click.option("--model", required=True, help="The judge, as PROVIDER/NAME.")
@click.option(
    "--question", "names", multiple=True, type=click.Choice(list(QUESTIONS)), help="Only this; may be repeated."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the record here.")
@click.option("--at-once", type=click.IntRange(1), default=8, show_default=True, help="Cases at the same time.")
@click.option("--logs", type=click.Path(path_type=Path, file_okay=False), default=Path("logs"), show_default=True)
def check(model: str, names: tuple[str, ...], json_file: Path | None, at_once: int, logs: Path) -> None:
    """Check a judge on labelled cases.

    Prints sensitivity, specificity and agreement per question, with exact 95% intervals, and every miss. Whether that
    is good enough is for you to say: the exit code is 0 when every case got a label, 3 when some got none.
    """
    questions = [question for name, question in QUESTIONS.items() if name in names or not names]
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise UsageError(f"cannot write the record to {json_file}: there is no such folder")
    try:
        record = checking.check(model, questions, run_folder(logs, "judge"), at_once)
    except ValueError as problem:  # Inspect's, of a model's name
        raise UsageError(f"cannot use the model {model}: {problem}") from problem
    show(record, Console())
    if json_file is not None:
        json_file.write_text(record.model_dump_json(indent=2) + "\n")
    sys.exit(UNSCORED if any(checked.unscored for checked in record.questions) else 0)
