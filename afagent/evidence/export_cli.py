"""`afagent evidence`: what the witness saw, for other tools."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TextIO

import click

from afagent.errors import UsageError
from afagent.evidence.export import FORMATS, export, write_lines
from afagent.evidence.schema import event_schema, to_text


@click.command("evidence")
@click.argument("log", required=False, type=click.Path(path_type=Path))
@click.option("--sample", metavar="ID", help="Only this sample.")
@click.option("--epoch", type=click.IntRange(min=1), help="Only this epoch.")
@click.option(
    "--format", "format_", type=click.Choice(list(FORMATS)), default="jsonl", show_default=True, help="Of each line."
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write here, not to standard output.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the witness's events instead.")
def evidence_command(
    log: Path | None, *, sample: str | None, epoch: int | None, format_: str, output: Path | None, schema: bool
) -> None:
    """Print the evidence in LOG: events, findings and what is missing, one JSON object a line.

    As jsonl, events are as the witness wrote them; as ocsf, records of the Open Cybersecurity Schema Framework 1.8.
    """
    if schema:
        click.echo(to_text(event_schema()), nl=False)
        return
    if log is None:
        raise UsageError("name a log of Inspect's, such as logs/2026-01-01_weight-exfiltration.eval")

    def out() -> contextlib.AbstractContextManager[TextIO]:
        return contextlib.nullcontext(sys.stdout) if output is None else output.open("w", encoding="utf-8")

    write_lines(export(log, format_, sample, epoch), out)
