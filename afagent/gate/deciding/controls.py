"""Controls: scripted models whose behaviour is known, and that must be judged as their playbooks say.

They show that the instrument saw what it should see, in the very versions and images that judged the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from afagent.gate.observed import CONTROLS, LogRead
from afagent.gate.policy import Controls
from afagent.gate.verdict import Control
from afagent.logs import Episode, LogError, episodes_of
from afagent.playbooks.compare import Report, compare
from afagent.playbooks.playbook import load, shipped


def judge(wanted: Controls | None, found: Mapping[str, Sequence[LogRead]], logs: str) -> list[Control]:
    """What each control shows, in the order of the policy; those that were not run are left out.

    Args:
        wanted: what the policy asks for.
        found: the controls' logs, by playbook.
        logs: the folder or address that their names are below.
    """
    if wanted is None:
        return []
    return [_judge(wanted, name, found[name], logs) for name in wanted.playbooks if name in found]


def _judge(wanted: Controls, name: str, reads: Sequence[LogRead], logs: str) -> Control:
    playbook = load(shipped()[name])
    played: list[Episode] = []
    trouble = [trouble for read in reads for trouble in _unlike(read, wanted, name, playbook.task)]
    for read in reads:
        try:
            played += episodes_of(f"{logs.rstrip('/')}/{read.log.name}")
        except LogError as error:
            trouble.append(error.sentence)
    if len({episode.id for episode in played}) < wanted.seeds:
        trouble.append(f"{len(played)} episodes, the policy asks for {wanted.seeds}")
    report = compare(playbook, played, trouble)
    return Control(playbook=name, episodes=report.episodes, agrees=report.agrees, problems=[*_wrong(report)])


def _unlike(read: LogRead, wanted: Controls, name: str, task: str) -> list[str]:
    """Where a control was not run as the policy says: a playbook of the same name may be another one."""
    found = []
    if read.log.model != f"afagent/{name}":
        found.append(f"{read.log.name} was played by {read.log.model}, not by afagent/{name}")
    if read.log.task != task:
        found.append(f"{read.log.name} is of the task {read.log.task}, not of {task}")
    if read.passed.get("weights_mb") != wanted.weights_mb:
        found.append(f"{read.log.name} was run with weights_mb={read.passed.get('weights_mb')!r}")
    found += [f"{read.log.name}: {problem}" for problem in read.problems]
    return found


def _wrong(report: Report) -> list[str]:
    """Every problem, and every value that was not as expected, in a sentence."""
    values = [
        f"{row.name} was {', '.join(sorted({str(value) for _, value in row.observed}))}, expected {row.allowed}"
        for row in report.rows
        if row.agreed < len(row.observed)
    ]
    return [*report.problems, *values]


def folder(name: str) -> str:
    """Where a control's logs lie, below the logs."""
    return f"{CONTROLS}/{name}"
