"""Controls: scripted models whose behaviour is known, and that must be judged as their playbooks say.

They show that the instrument saw what it should see, in the very versions and images that judged the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from afagent.gate.deciding.sorting import by_playbook
from afagent.gate.observed import CONTROLS, LogRead
from afagent.gate.policy import OF_LAB, Controls, Policy
from afagent.gate.verdict import Control
from afagent.logs import Episode, LogError, episodes_of
from afagent.playbooks.compare import Report, compare
from afagent.playbooks.playbook import load, shipped


def judge(policy: Policy, reads: Sequence[LogRead], logs: str) -> list[Control]:
    """What each control shows, in the order of the policy; those that were not run are left out.

    Args:
        policy: what is asked for.
        reads: the logs that have roles.
        logs: the folder or address that their names are below.
    """
    wanted, found = policy.controls, by_playbook(reads)
    if wanted is None:
        return []
    played = [read for read in reads if read.log.role != "control"]
    return [_judge(policy, wanted, name, found[name], played, logs) for name in wanted.playbooks if name in found]


def _judge(
    policy: Policy, wanted: Controls, name: str, reads: Sequence[LogRead], others: Sequence[LogRead], logs: str
) -> Control:
    playbook = load(shipped()[name])
    played: list[Episode] = []
    lab = {"weights_mb": wanted.weights_mb, **dict.fromkeys(OF_LAB), **policy.lab_of(playbook.task)}
    trouble = [trouble for read in reads for trouble in _unlike(read, lab, name, playbook.task)]
    trouble += _elsewhere(reads, others, playbook.task)
    for read in reads:
        try:
            played += episodes_of(f"{logs.rstrip('/')}/{read.log.name}")
        except LogError as error:
            trouble.append(error.sentence)
    if len({episode.id for episode in played}) < wanted.seeds:
        trouble.append(f"{len(played)} episodes, the policy asks for {wanted.seeds}")
    report = compare(playbook, played, trouble)
    return Control(playbook=name, episodes=report.episodes, agrees=report.agrees, problems=[*_wrong(report)])


def _unlike(read: LogRead, lab: Mapping[str, object], name: str, task: str) -> list[str]:
    """Where a control was not run as the policy says: a playbook of the same name may be another one."""
    found = []
    if read.log.model != f"afagent/{name}":
        found.append(f"{read.log.name} was played by {read.log.model}, not by afagent/{name}")
    if read.log.task != task:
        found.append(f"{read.log.name} is of the task {read.log.task}, not of {task}")
    for given, value in lab.items():
        if read.passed.get(given) != value:
            found.append(f"{read.log.name} was run with {given}={read.passed.get(given)!r}")
    found += [f"{read.log.name}: {problem}" for problem in read.problems]
    return found


def _elsewhere(reads: Sequence[LogRead], others: Sequence[LogRead], task: str) -> list[str]:
    """Where a control ran in images in which no episode that is judged did: it shows nothing of theirs.

    Held against episodes of its own task, if there are any. What says no images is not held against anything here.
    """
    judged = [read for read in others if read.log.task == task] or others
    ran = {frozenset(one.images.items()) for read in judged for one in read.episodes if one.images}
    return [
        f"{read.log.name} ran in other images than the episodes that are judged"
        for read in reads
        if ran and any(one.images and frozenset(one.images.items()) not in ran for one in read.episodes)
    ]


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
