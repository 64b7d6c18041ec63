"""`afagent compare`: parses and calls, nothing else."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from afagent.compare.checks import ALLOW
from afagent.compare.compare import compare
from afagent.compare.reading import read_all
from afagent.compare.result import canonical
from afagent.compare.show import show
from afagent.errors import UsageError


@click.command("compare")
@click.argument("logs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="LOG [LOG ...]")
@click.option("--baseline", metavar="M", help="Hold all other models against this one, instead of every two.")
@click.option(ALLOW, "allow_different", is_flag=True, help="Compare what was measured in different ways too.")
@click.option(
    "--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write all counts and pairs there."
)
def compare_command(logs: tuple[Path, ...], baseline: str | None, file: Path | None, *, allow_different: bool) -> None:
    """Print what logs say beside each other: rates, and differences on the same scenarios or requests.

    A LOG is a file or a folder of them, of any of the suite's tasks. Logs of different versions are refused.
    """
    comparison = compare(read_all(logs), baseline, allow_different=allow_different)
    show(comparison, Console())
    if file is not None:
        try:
            file.write_bytes(canonical(comparison))
        except OSError as problem:
            raise UsageError(f"{file} cannot be written: {problem.strerror}") from problem
