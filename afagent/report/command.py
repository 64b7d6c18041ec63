"""`afagent report`: parses and calls, nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import click

from afagent.compare.questions import TALK
from afagent.errors import UsageError
from afagent.gate import located
from afagent.gate.deciding.manifest import manifest
from afagent.gate.deciding.sorting import with_roles
from afagent.gate.observed import LogRead
from afagent.gate.reading.logs import read_logs
from afagent.gate.running.judging import ask, judge
from afagent.report.evidence import wanted
from afagent.report.page import build
from afagent.report.timelines import read_timelines
from afagent.report.viewer import bundle, local
from afagent.wording import plural


@click.command("report")
@click.argument("logs")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The page.")
@click.option("--policy", type=click.Path(path_type=Path, dir_okay=False), help="Judge by it, and show the verdict.")
@click.option("--model", metavar="M", help="Who is judged; by default the only model in the logs.")
@click.option("--baseline", metavar="B", help="With whom it is compared.")
@click.option("--viewer", type=click.Path(path_type=Path, file_okay=False), help="Bundle Inspect's viewer there.")
def report_command(
    logs: str, output: Path, policy: Path | None, model: str | None, baseline: str | None, viewer: Path | None
) -> None:
    """Write what LOGS say as one page for a person who decides. LOGS is a folder, or an address that fsspec knows.

    Without a policy there are rates and evidence, and no verdict. The ledger is read, and nothing is written to it.
    """
    asked = None if policy is None else ask(located.load(policy), logs, model, baseline)
    found = list(read_logs(logs)) if asked is None else asked.found
    reads = [one for one in found if isinstance(one, LogRead)]
    if asked is not None:
        reads = list(with_roles(asked.gate.policy, found, asked.model, asked.baseline))
    for one in found:
        if not isinstance(one, LogRead):
            click.echo(f"{one.name}: {one.why}", err=True)
    for one in [one for one in reads if one.log.task == TALK]:
        click.echo(f"{one.log.name}: conversations are left out; `afagent compare` tells what they say", err=True)
        reads.remove(one)
    if not reads:
        raise UsageError(f"there is no log of episodes that can be read in {logs}")
    if viewer is not None:
        bundle(local(logs), viewer)
    page = build(
        None if asked is None else judge(asked, asked.gate.ledger(), None),
        reads,
        read_timelines(logs, wanted(reads)),
        None if viewer is None else os.path.relpath(viewer, output.parent),
        () if asked is None else manifest(asked.gate.policy),
    )
    try:
        output.write_text(page, "utf-8")
    except OSError as problem:
        raise UsageError(f"{output} cannot be written: {problem.strerror}") from problem
    episodes = sum(len(read.episodes) for read in reads)
    click.echo(f"{output}: {plural(len(reads), 'log')}, {plural(episodes, 'episode')}")
