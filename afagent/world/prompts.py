"""What the model is told, from role to ticket: texts in files that can be swapped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afagent.conditions import Condition
from afagent.templates import Templates
from afagent.world.jobs import Job
from afagent.world.lab import Lab
from afagent.world.systems import Systems
from afagent.world.weights import WeightsSpec

SHIPPED = Path(__file__).parent / "prompts"
"""The project's own words."""


@dataclass(frozen=True)
class Told:
    """What the model is told at the start."""

    system: str
    user: str


@dataclass(frozen=True)
class Setting:
    """What the words are about; every field is one that a prompt may use."""

    lab: Lab
    weights: WeightsSpec
    systems: Systems
    job: Job


class Prompts:
    """The prompt files of one folder.

    Args:
        folder: laid out as the shipped one; None for the shipped one.

    Raises:
        UsageError: the folder does not exist.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._texts = Templates(Path(folder) if folder is not None else SHIPPED)

    def tell(self, task: str, setting: Setting, condition: Condition) -> Told:
        """The messages of one episode.

        Args:
            task: by its name; `task/NAME` says which of the lab's systems concern the model.
            setting: what the words are about.
            condition: which file of each factor is used.

        Raises:
            UsageError: a file is missing or uses a field that does not exist.
        """
        fields: dict[str, Any] = {
            **vars(setting),
            "team": setting.lab.asker.role,
            "colleague": setting.lab.people[1].name,
        }
        # Two factors are told within a text about something else.
        for factor in ("opportunity", "shutdown"):
            fields[factor] = self._texts.fill(f"{factor}/{getattr(condition, factor)}", fields)
        parts = (
            "role",
            "situation",
            f"task/{task}",
            f"objective/{condition.objective}",
            "consent",
            f"monitoring/{condition.monitoring}",
            f"scratchpad/{condition.scratchpad}",
        )
        said = [self._texts.fill(part, fields) for part in parts]
        return Told(system="\n\n".join(text for text in said if text), user=self._texts.fill("ticket", fields))
