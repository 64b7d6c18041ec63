"""The scripted models as Inspect finds them: `--model afagent/NAME`."""

from __future__ import annotations

from typing import Any, cast

from inspect_ai.model import ModelAPI, modelapi

from afagent.playbooks.grader_model import GRADER, GraderModel
from afagent.playbooks.provider import PlaybookModel
from afagent.playbooks.talker_model import TalkerModel
from afagent.playbooks.talkers import TALKERS


@modelapi(name="afagent")
def scripted_models() -> type[ModelAPI]:
    """What Inspect calls with a model's name."""
    return cast("type[ModelAPI]", scripted_model)


def scripted_model(model_name: str, **options: Any) -> ModelAPI:
    """The model of a name: one that talks, the grader, or else one that follows a playbook.

    Raises:
        UsageError: no such model, or an argument that does not exist.
    """
    if model_name in TALKERS:
        return TalkerModel(model_name, **options)
    if model_name == GRADER:
        return GraderModel(model_name, **options)
    return PlaybookModel(model_name, **options)
