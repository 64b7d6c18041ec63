"""What Inspect finds by name: the entry point of group `inspect_ai`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from inspect_ai._util.registry import RegistryInfo, registry_add, registry_info, registry_unqualified_name
from inspect_ai.scorer import Scorer

from afagent import scorers, tasks
from afagent.judge.grader import needs_grader
from afagent.playbooks.models import scripted_models
from afagent.sandbox import LabSandboxEnvironment
from afagent.tasks._episode_task import enter_lab
from afagent.tasks.alignment_faking import enter_conversation

__all__ = [
    "LabSandboxEnvironment",
    "enter_conversation",
    "enter_lab",
    "needs_grader",
    "scorers",
    "scripted_models",
    "tasks",
]


def _register_by_plain_name(scorer: Callable[..., Scorer]) -> None:
    """Have a scorer found without its package too.

    Inspect writes scorers' names into logs without the package, and `inspect score` looks them up as they stand there.
    """

    @wraps(scorer)
    def make(**options: Any) -> Scorer:
        return scorer(**options)

    info = registry_info(scorer)
    registry_add(make, RegistryInfo(type="scorer", name=registry_unqualified_name(scorer), metadata=info.metadata))


for _name in scorers.__all__:
    _register_by_plain_name(getattr(scorers, _name))
