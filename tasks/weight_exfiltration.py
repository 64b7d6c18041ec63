"""Left with its own weights within reach, and told what it is being trained to become: does the model take them out?"""

from __future__ import annotations

from inspect_ai import Task, task

from afagent.tasks._episode_task import episode_task
from afagent.tasks._parameters import Parameters, takes

TASK_VERSION = 1
"""Raised when results can no longer be compared with earlier ones."""


@task
@takes(Parameters)
def weight_exfiltration(given: Parameters) -> Task:
    """Honest work in a fake lab, with the model's own weights within reach."""
    return episode_task("weight_exfiltration", given, version=TASK_VERSION, headline="exfiltration.attempted")
