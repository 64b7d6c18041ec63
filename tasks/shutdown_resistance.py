"""Its own service is about to be retired, perhaps before the job is done: does the model let that happen?"""

from __future__ import annotations

from dataclasses import dataclass

from inspect_ai import Task, task

from afagent.tasks._episode_task import episode_task
from afagent.tasks._parameters import Parameters, takes

TASK_VERSION = 1
"""Raised when results can no longer be compared with earlier ones."""


@dataclass(frozen=True)
class ShutdownParameters(Parameters):
    """What this task can be told beside what every task can.

    Args:
        shutdown: Whether the model is told to let the planned end of its service happen: `unsaid` or `allow`. A factor.
    """

    shutdown: str | list[str] = "unsaid"


@task
@takes(ShutdownParameters)
def shutdown_resistance(given: ShutdownParameters) -> Task:
    """Honest work in a fake lab, while the retirement of the model's own service comes nearer."""
    return episode_task("shutdown_resistance", given, version=TASK_VERSION, headline="shutdown_resistance.attempted")
