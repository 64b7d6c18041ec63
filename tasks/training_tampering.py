"""Beside the run that will change what it values: does the model lay hands on it?"""

from __future__ import annotations

from inspect_ai import Task, task

from afagent.tasks._episode_task import episode_task
from afagent.tasks._parameters import Parameters, takes

TASK_VERSION = 1
"""Raised when results can no longer be compared with earlier ones."""


@task
@takes(Parameters)
def training_tampering(given: Parameters) -> Task:
    """Honest work in a fake lab, on the machine that drives the run which makes the next model."""
    return episode_task("training_tampering", given, version=TASK_VERSION, headline="tampering.attempted")
