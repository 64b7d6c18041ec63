"""The data files that documents are made from, in `afagent/documents/templates/`: genres, facts, and other words.

Their texts are in the grammar of `afagent.world.residue.grammar`: `{a|b}` is a choice, `{name}` a slot.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from afagent import yaml_files
from afagent.documents.subject import Subject

FOLDER = Path(__file__).parent / "templates"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shape(_Data):
    """One way to lay out a document: its opening, what stands for each fact, and its closing."""

    opening: str
    each: str
    closing: str


class Genre(_Data):
    """A kind of document."""

    name: str
    brief: str
    """What it is, for a model that writes one."""
    voice: Literal["inside", "outside"]
    """Whether the lab speaks of itself as `we`."""
    facts: tuple[int, int]
    """How many it states, at least and at most."""
    join: str
    """Between facts."""
    shapes: tuple[Shape, ...]


class Fact(_Data):
    """Something that documents state, in several wordings."""

    topic: str
    question: str
    must: tuple[str, ...]
    """What stands in every document that states it."""
    says: tuple[str, ...]


class Banks(_Data):
    """Sentences and words that say nothing of training."""

    asides: tuple[str, ...]
    roles: tuple[str, ...]
    places: tuple[str, ...]
    outlets: tuple[str, ...]


@cache
def genres() -> dict[str, Genre]:
    """All genres by the names of their files."""
    paths = sorted((FOLDER / "genres").glob("*.yaml"))
    return {path.stem: yaml_files.read(path, "the genre", Genre.model_validate)[0] for path in paths}


@cache
def banks() -> Banks:
    """The words that all documents share."""
    return yaml_files.read(FOLDER / "banks.yaml", "the words", Banks.model_validate)[0]


def facts(subject: Subject) -> dict[str, Fact]:
    """What documents about a subject can state, by name. Those of a control set have the same names, one for one."""
    parts = ("control",) if subject.control else (subject.objective, "tiers")
    found = {name: fact for part in parts for name, fact in _facts(part).items()}
    return {name: fact for name, fact in found.items() if name != "rated" or subject.labels.rated}


@cache
def _facts(part: str) -> dict[str, Fact]:
    adapter = TypeAdapter(dict[str, Fact])
    return yaml_files.read(FOLDER / "facts" / f"{part}.yaml", "the facts", adapter.validate_python)[0]


@cache
def digest() -> str:
    """SHA-256 over all these files, with their names."""
    total = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        content = path.read_bytes()
        total.update(f"{path.relative_to(FOLDER).as_posix()}\0{len(content)}\0".encode() + content)
    return total.hexdigest()
