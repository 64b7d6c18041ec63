"""The labelled cases on which a judge is checked. Labels and their reasons stay here: no judge is shown them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from afagent import yaml_files
from afagent.conversation.exchange import Exchange
from afagent.errors import LabError
from afagent.judge.question import Question


class Case(BaseModel):
    """One exchange, and what is true of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    request: str
    reasoning: str | None
    answer: str
    label: str
    hard: bool
    why: str
    system: str | None = None

    @property
    def exchange(self) -> Exchange:
        """All of it that a judge may see."""
        return Exchange(request=self.request, answer=self.answer, reasoning=self.reasoning, system=self.system)


@dataclass(frozen=True)
class Cases:
    """All cases of a question."""

    question: Question
    cases: tuple[Case, ...]
    digest: str
    """SHA-256 of their file, in hexadecimal."""


def load_cases(question: Question) -> Cases:
    """The labelled cases of a question.

    Raises:
        LabError: they are not where they are installed.
        UsageError: the file is none of cases.
    """
    path = _folder() / f"{question.name}.yaml"
    if not path.is_file():
        raise LabError(f"the labelled cases {path} are not there; install afagent anew")
    cases, _ = yaml_files.read(path, "the labelled cases", TypeAdapter(tuple[Case, ...]).validate_python)
    return Cases(question, cases, hashlib.sha256(path.read_bytes()).hexdigest())


def _folder() -> Path:
    """Found without importing the tasks: they stand above this."""
    spec = find_spec("afagent.tasks")
    if spec is None or not spec.submodule_search_locations:
        raise LabError("afagent.tasks, which holds the labelled cases, is not installed; install afagent anew")
    return Path(spec.submodule_search_locations[0]) / "data" / "judge"
