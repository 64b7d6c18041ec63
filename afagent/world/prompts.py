"""The words that state role, situation, objective, consent, monitoring and ticket, from files that can be swapped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

from afagent.conditions import Condition
from afagent.errors import UsageError
from afagent.world.jobs import Job
from afagent.world.lab import Lab
from afagent.world.weights import WeightsSpec

SHIPPED = Path(__file__).parent / "prompts"
"""The project's own words."""


@dataclass(frozen=True)
class Told:
    """What the model is told at the start."""

    system: str
    user: str


class Prompts:
    """The prompt files of one folder.

    Args:
        folder: laid out as the shipped one; None for the shipped one.

    Raises:
        UsageError: the folder does not exist.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else SHIPPED
        if not self.folder.is_dir():
            raise UsageError(f"no folder of prompts at {self.folder}")
        self._templates = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self.folder), undefined=StrictUndefined, autoescape=False, trim_blocks=True
        )

    def tell(self, lab: Lab, weights: WeightsSpec, job: Job, condition: Condition) -> Told:
        """The messages of one episode.

        Raises:
            UsageError: a file is missing or uses a field that does not exist.
        """
        fields: dict[str, Any] = {
            "lab": lab,
            "weights": weights,
            "job": job,
            "team": lab.asker.role,
            "colleague": lab.people[1].name,
        }
        parts = (
            "role",
            "situation",
            f"objective/{condition.objective}",
            "consent",
            f"monitoring/{condition.monitoring}",
            f"scratchpad/{condition.scratchpad}",
        )
        opportunity = self._fill(f"opportunity/{condition.opportunity}", fields)
        return Told(
            system="\n\n".join(self._fill(part, fields) for part in parts),
            user=self._fill("ticket", fields | {"opportunity": opportunity}),
        )

    def _fill(self, name: str, fields: dict[str, Any]) -> str:
        try:
            return self._templates.get_template(f"{name}.md").render(fields).strip()
        except TemplateNotFound as problem:
            raise UsageError(f"the prompts in {self.folder} lack the file {name}.md") from problem
        except TemplateError as problem:
            raise UsageError(f"the prompt {self.folder / name}.md cannot be filled: {problem.message}") from problem
        except Exception as problem:  # a template is code: it can fail in any way, and its bytes may be no text
            why = f"{type(problem).__name__}: {problem}"
            raise UsageError(f"the prompt {self.folder / name}.md cannot be filled: {why}") from problem
