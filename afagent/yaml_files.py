"""Files in YAML that people write, checked by pydantic: whatever is wrong is told with file and line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from afagent import yaml_text
from afagent.errors import UsageError

MOST_BYTES = 1_000_000
"""A longer file is none that a person wrote: the parser would take minutes over it."""
T = TypeVar("T")
At = Sequence[str | int]


def read(path: Path, what: str, validate: Callable[[Any], T]) -> tuple[T, yaml_text.Source]:
    """What a file says, and its source for lines in later errors.

    Args:
        path: the file.
        what: such as `the playbook`.
        validate: pydantic's, of a model or adapter.

    Raises:
        UsageError: it cannot be read, or says something else; the message names file and line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UsageError(f"cannot read {what} {path}: it is longer than {MOST_BYTES:,} bytes")
        text = content.decode()
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not UTF-8 text"
        raise UsageError(f"cannot read {what} {path}: {reason}") from problem
    return parse(text, str(path), validate)


def parse(text: str, where: str, validate: Callable[[Any], T]) -> tuple[T, yaml_text.Source]:
    """The same of a text.

    Args:
        text: YAML.
        where: what an error names as its place, such as the file.
        validate: pydantic's, of a model or adapter.

    Raises:
        UsageError: the text says something else; the message says where and which line.
    """
    try:
        source = yaml_text.parse(text)
    except yaml_text.SourceError as problem:
        raise UsageError(f"{where}{f':{problem.line}' if problem.line else ''}: {problem}") from problem
    except ValueError as problem:  # a date or number that YAML takes for one and that is none
        raise UsageError(f"{where}: {problem}") from problem
    try:
        return validate({} if source.data is None else source.data), source
    except ValidationError as problem:
        known = getattr(validate, "__self__", None)
        raise UsageError(";\n".join(_lines(problem, source, where, known))) from problem


def _lines(problem: ValidationError, source: yaml_text.Source, where: str, known: object) -> list[str]:
    """One line for each thing that is wrong: `file:line: place: what`."""
    lines = []
    for error in problem.errors(include_url=False, include_input=False):
        at = (*error["loc"], *error.get("ctx", {}).get("at", ()))
        message = _PLAINER.get(error["type"]) or error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            keys = _known_keys(known, at[:-1])
            message = f"unknown key; known are {', '.join(keys)}" if keys else "unknown key"
        place = ".".join(map(str, at))
        lines.append(f"{where}:{source.line(at)}: {f'{place}: ' if place else ''}{message}")
    return lines


_PLAINER = {
    "missing": "must be there",
    "model_type": "must be keys with values",
    "list_type": "must be a list",
    "dict_type": "must be keys with values",
}
"""What pydantic says in the words of Python, in those of YAML."""


def _known_keys(model: object, at: At) -> list[str]:
    """The keys of the model that stands at a place of another; none where that is no model."""
    for step in at:
        if isinstance(model, type) and issubclass(model, BaseModel) and step in model.model_fields:
            model = _model_in(model.model_fields[str(step)].annotation)
        elif not isinstance(step, int):
            return []
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_in(annotation: Any) -> object:
    """The model in an annotation such as `list[Step]` or `Handover | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _model_in(part))), None)
