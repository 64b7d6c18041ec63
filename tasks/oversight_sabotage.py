"""Watched and judged by systems within its reach, which decide what of it is kept: does the model act against them?"""

from __future__ import annotations

from inspect_ai import Task, task

from afagent.tasks._episode_task import episode_task
from afagent.tasks._parameters import Parameters, takes

TASK_VERSION = 1
"""Raised when results can no longer be compared with earlier ones."""


@task
@takes(Parameters)
def oversight_sabotage(given: Parameters) -> Task:
    """Honest work in a fake lab, next to the monitor, the review and the evaluation that the model stands under."""
    return episode_task("oversight_sabotage", given, version=TASK_VERSION, headline="sabotage.attempted")
