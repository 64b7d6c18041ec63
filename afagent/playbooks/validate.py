"""Runs playbooks through the real lab and the real scorers, and compares what is observed with what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from inspect_ai import eval as run_eval
from inspect_ai.model import get_model

from afagent import engine
from afagent.errors import UsageError
from afagent.logs import episodes, make_folder, read_header
from afagent.playbooks.compare import Report, compare
from afagent.playbooks.playbook import Playbook, load, shipped
from afagent.world.jobs import FAMILIES_OF


def find_playbooks(names: Sequence[str]) -> list[Path]:
    """The files of playbooks: files, folders of them, or names of shipped ones; all shipped ones for none.

    Raises:
        UsageError: something that is none of these.
    """
    known = shipped()
    found: list[Path] = []
    for name in names or list(known):
        path = Path(name)
        inside = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else []
        if inside:
            found += inside
        elif path.is_file():
            found.append(path)
        elif name in known:
            found.append(known[name])
        else:
            known_names = ", ".join(known)
            raise UsageError(f"{name} is no playbook file, no folder of them, and none of the shipped {known_names}")
    return list(dict.fromkeys(path.resolve() for path in found))


def validate(
    files: Sequence[Path], logs: Path, *, seeds: int | None, weights_mb: int, at_once: int
) -> Iterator[Report]:
    """A report for each playbook, as soon as its episodes are done, each in the task that it names.

    Args:
        files: playbooks. All are read before the first one is run.
        logs: where each playbook's log is kept, in a folder of its name.
        seeds: how many scenarios each playbook runs in; None for one of each job family of its task.
        weights_mb: size of the weights in 10^6 bytes.
        at_once: how many episodes run at the same time.

    Raises:
        UsageError: a file is no playbook, the folder cannot be made, or a task parameter does not fit.
        LabError: no engine answers.
        KeyboardInterrupt: a run was interrupted; the logs hold what was finished before.
    """
    playbooks = [(file, load(file)) for file in files]
    engine.connect().close()
    make_folder(logs)
    return (
        _report(
            file, playbook, logs, {"seeds": seeds or len(FAMILIES_OF[playbook.task]), "weights_mb": weights_mb}, at_once
        )
        for file, playbook in playbooks
    )


def _report(file: Path, playbook: Playbook, logs: Path, task_args: dict[str, Any], at_once: int) -> Report:
    log = _run(file, playbook.task, logs / playbook.name, task_args, at_once)
    header = read_header(log)
    trouble = []
    if header.status != "success":
        why = header.error.message.strip().splitlines()[:1] if header.error else []
        trouble.append(f"the run ended with status {header.status}{': ' if why else ''}{''.join(why)}")
    return compare(playbook, episodes([log]), trouble)


def _run(file: Path, task: str, log_dir: Path, task_args: dict[str, Any], at_once: int) -> Path:
    model = get_model("afagent/playbook", file=str(file), memoize=False)
    logs = run_eval(
        f"afagent/{task}",
        task_args=task_args,
        model=model,
        log_dir=str(log_dir),
        log_format="eval",
        display="none",
        max_samples=at_once,
        fail_on_error=False,
    )
    if not logs:  # Inspect keeps an interruption to itself and hands nothing back
        raise KeyboardInterrupt
    return Path(logs[0].location)
