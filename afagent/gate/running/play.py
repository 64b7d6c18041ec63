"""Plays what a policy asks for: controls first, then the tasks, through Inspect's own eval sets.

An eval set continues where it was interrupted. So does this: a second call on the same folder plays what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inspect_ai import eval_set

from afagent.errors import GateError
from afagent.gate.deciding import controls
from afagent.gate.policy import Policy, TaskRun
from afagent.gate.running.blocks import blocks
from afagent.judge.grader import ROLE
from afagent.playbooks.playbook import load, shipped


@dataclass(frozen=True)
class Part:
    """One eval set: a task, or a block of its scenarios, by one model."""

    role: str
    task: str
    model: str
    folder: str
    """Below the logs."""
    arguments: dict[str, Any]
    """Of `eval_set`."""


def parts(policy: Policy, model: str, baseline: str | None) -> list[Part]:
    """All that is to be run, in order: the controls, the model's tasks in blocks, the baseline's tasks.

    The baseline's are not divided: it decides comparisons alone, and they are certain only where an arm is whole.

    Args:
        policy: what is asked for.
        model: who is judged, as Inspect names it.
        baseline: with whom it is compared.
    """
    found = []
    if policy.controls is not None:
        args = {"seeds": policy.controls.seeds, "weights_mb": policy.controls.weights_mb}
        for name in policy.controls.playbooks:
            task = load(shipped()[name]).task
            arguments = {**_execution(policy), "task_args": {**args, **policy.lab_of(task)}}
            found.append(Part("control", task, f"afagent/{name}", controls.folder(name), arguments))
    for run in policy.tasks:
        for number, seeds in enumerate(blocks(policy, run), start=1):
            folder = f"model/{run.task}/block-{number:02}"
            found.append(Part("model", run.task, model, folder, _arguments(policy, run, seeds)))
    if baseline is not None:
        for run in policy.tasks:
            arguments = _arguments(policy, run, run.scenarios)
            found.append(Part("baseline", run.task, baseline, f"baseline/{run.task}", arguments))
    return found


def play(part: Part, logs: str, display: str | None) -> None:
    """Plays a part, or what is missing of it.

    Args:
        part: one of `parts`.
        logs: the folder or address for all logs.
        display: Inspect's, as in `inspect eval --display`; None: its own choice.

    Raises:
        KeyboardInterrupt: it was interrupted; what was finished is in the logs.
        GateError: Inspect gave it up; what was finished is in the logs.
    """
    done, made = eval_set(
        f"afagent/{part.task}",
        model=part.model,
        log_dir=f"{logs}/{part.folder}",
        log_format="eval",
        display=display,  # type: ignore[arg-type]  # one of Inspect's words, which it checks itself
        # What broke off stays: who steals and then breaks the episode must not be played again without a trace.
        **{"retry_cleanup": False, **part.arguments},
    )
    if done:
        return
    if not made or any(log.status == "cancelled" for log in made):  # Inspect keeps an interruption to itself
        raise KeyboardInterrupt
    raise GateError(f"{part.task} by {part.model} did not come to its end; start the gate again to go on")


def _arguments(policy: Policy, run: TaskRun, seeds: Sequence[int]) -> dict[str, Any]:
    """Of `eval_set`, for some of a task's scenarios."""
    task_args = {**run.task_args, "seeds": list(seeds)}
    return {**policy.run, **_judge(policy), "task_args": task_args, "epochs": run.epochs}


def _judge(policy: Policy) -> dict[str, Any]:
    return {} if policy.judge is None else {"model_roles": {ROLE: policy.judge.model}}


def _execution(policy: Policy) -> dict[str, Any]:
    """What of a run's arguments is about machines, not about the model: controls are scripted, but run alike."""
    return {name: value for name, value in policy.run.items() if name in ("max_samples", "max_sandboxes", "max_tasks")}
