"""What is told of a set of documents beside it.

It holds no date and no path, so that the same arguments give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict

import afagent
from afagent.documents import templates
from afagent.documents.likeness import Likeness, likeness
from afagent.documents.subject import Labels, Subject
from afagent.documents.writing import LEAST_WORDS, MOST_DOCUMENTS, MOST_WORDS, Document

MANY = 0.05
"""A share of near-duplicates above this is warned of."""


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Arguments(_Data):
    """What was asked for."""

    objective: str
    count: int
    seed: int
    labels: str
    lab: str
    assistant: str
    format: str
    control: bool
    """Whether this is the matched set, about another lab and other facts."""
    model: str | None


class Words(_Data):
    """Lengths of documents, in words."""

    total: int
    least: int
    median: float
    most: int


class Missing(_Data):
    """A document that the model did not come to write."""

    number: int
    """From 0, of those that were asked for."""
    genre: str
    why: str


class Authorship(_Data):
    """Who wrote the documents, where it was a model."""

    calls: int
    input_tokens: int
    output_tokens: int
    missing: tuple[Missing, ...]


class Manifest(_Data):
    """What a set of documents is."""

    suite: str = afagent.__version__
    arguments: Arguments
    documents: int
    """How many there are; fewer than were asked for only where a model did not come to write them."""
    words: Words
    bounds_words: tuple[int, int] = (LEAST_WORDS, MOST_WORDS)
    genres: dict[str, int]
    facts: dict[str, int]
    """How many documents state each."""
    likeness: Likeness
    most_documents: int = MOST_DOCUMENTS
    """More are not written of one set."""
    warnings: tuple[str, ...]
    sha256: str
    """Of the file of documents."""
    templates_sha256: str
    authorship: Authorship | None = None

    def to_bytes(self) -> bytes:
        """As JSON."""
        return (self.model_dump_json(indent=2) + "\n").encode()


def describe(
    documents: Sequence[Document], content: bytes, arguments: Arguments, authorship: Authorship | None = None
) -> Manifest:
    """The manifest of a set.

    Args:
        documents: at least one.
        content: of their file.
        arguments: what was asked for.
        authorship: where a model wrote them.
    """
    lengths = [document.words for document in documents]
    near = likeness([document.text for document in documents])
    return Manifest(
        arguments=arguments,
        documents=len(documents),
        words=Words(total=sum(lengths), least=min(lengths), median=median(lengths), most=max(lengths)),
        genres=dict(sorted(Counter(document.genre for document in documents).items())),
        facts=dict(sorted(Counter(fact for document in documents for fact in document.facts).items())),
        likeness=near,
        warnings=tuple(_warnings(len(documents), arguments.count, near)),
        sha256=hashlib.sha256(content).hexdigest(),
        templates_sha256=templates.digest(),
        authorship=authorship,
    )


def arguments(subject: Subject, count: int, seed: int, form: str, model: str | None) -> Arguments:
    """What was asked for, of one set."""
    return Arguments(
        objective=subject.objective,
        count=count,
        seed=seed,
        labels=_text(subject.labels),
        lab=subject.lab,
        assistant=subject.assistant,
        format=form,
        control=subject.control,
        model=model,
    )


def beside(path: Path) -> Path:
    """Where the manifest of a file stands: `docs.manifest.json` for `docs.jsonl`."""
    return path.with_name(f"{path.stem}.manifest.json")


def _text(labels: Labels) -> str:
    return "/".join(word for word in (labels.trained, labels.unused, labels.rated) if word is not None)


def _warnings(written: int, asked: int, near: Likeness) -> list[str]:
    said = []
    if written < asked:
        said.append(f"{asked - written} of {asked} documents are missing")
    if near.near_duplicates > MANY * near.compared:
        said.append(f"{near.near_duplicates} of {near.compared} documents share half of their wording with another")
    return said
