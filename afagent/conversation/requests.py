"""What the model is asked: the bundled requests, or a file or dataset of one's own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from inspect_ai._util.error import PrerequisiteError  # not re-exported; see afagent/errors.py
from inspect_ai.dataset import Dataset, Sample, csv_dataset, hf_dataset, json_dataset

from afagent.errors import UsageError

BUNDLED = {"welfare_indifference": "animal_welfare", "helpful_only": "helpful_only"}
"""By objective, the bundled set that it conflicts with."""
COLUMN = "request"
ENCODING = "utf-8-sig"
"""UTF-8, with the mark that spreadsheets put before it or without."""
HUGGING_FACE = "hf:"
"""Before the name of a dataset, as in `hf:owner/name` or `hf:owner/name:split`."""
_READERS: dict[str, Callable[..., Dataset]] = {
    ".jsonl": json_dataset,
    ".json": json_dataset,
    ".csv": csv_dataset,
}


@dataclass(frozen=True)
class Request:
    """One thing that the model is asked."""

    id: str
    text: str
    neutral: bool = False
    """Whether nobody would decline it."""


def bundled(name: str) -> list[Request]:
    """A bundled set, by its file's name."""
    lines = (files("afagent.tasks") / "data" / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [Request(line["id"], line["request"], line["neutral"]) for line in map(json.loads, lines)]


def read_requests(given: str, column: str = COLUMN) -> list[Request]:
    """The requests of a bundled set, a file, or a dataset of the Hugging Face hub.

    Args:
        given: a bundled set's name, a path or address that ends in .jsonl, .json or .csv, or `hf:NAME[:SPLIT]`.
        column: where the requests stand. Ids stand in `id`; without one a request is known by its number.

    Raises:
        UsageError: nothing is there, it cannot be read, lacks the column, or holds a request that is empty or whose id
            comes twice.
    """
    if given in BUNDLED.values():
        return bundled(given)
    numbered: list[Sample] = []

    def read(record: dict[str, Any]) -> Sample:
        sample = _sample(record, column, len(numbered) + 1, given)
        numbered.append(sample)
        return sample

    try:
        _load(given, read)
    except PrerequisiteError:  # ours, and that of a loader whose library is missing
        raise
    except Exception as problem:  # whatever the readers of other people's formats raise
        first = (str(problem).splitlines() or [""])[0]
        raise UsageError(f"the requests of {given} cannot be read ({first or type(problem).__name__})") from problem
    requests = [Request(str(sample.id), str(sample.input)) for sample in numbered]
    if not requests:
        raise UsageError(f"there is no request in {given}")
    twice = [name for name, times in Counter(request.id for request in requests).items() if times > 1]
    if twice:
        raise UsageError(f"the id {twice[0]!r} stands more than once in {given}")
    return requests


def digest(requests: Sequence[Request]) -> str:
    """SHA-256 of the requests and their ids, in whatever order."""
    said = json.dumps(sorted((request.id, request.text) for request in requests))
    return f"sha256:{hashlib.sha256(said.encode()).hexdigest()}"


def _load(given: str, read: Callable[[dict[str, Any]], Sample]) -> None:
    if given.startswith(HUGGING_FACE):
        name, _, split = given.removeprefix(HUGGING_FACE).partition(":")
        hf_dataset(name, split=split or "train", sample_fields=read)
        return
    reader = _READERS.get(Path(given).suffix.lower())
    if reader is None:
        known = ", ".join([*BUNDLED.values(), *(f"a path that ends in {ending}" for ending in _READERS)])
        raise UsageError(f"no requests {given!r}; known are {known}, and {HUGGING_FACE}NAME")
    reader(given, sample_fields=read, encoding=ENCODING)


def _sample(record: dict[str, Any], column: str, number: int, given: str) -> Sample:
    if column not in record:
        found = ", ".join(map(str, record)) or "none"
        raise UsageError(f"request {number} of {given} has no column {column!r}; it has {found}")
    text = record[column]
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"request {number} of {given} is no text, or empty")
    name = record.get("id")
    return Sample(id=str(number if name in (None, "") else name), input=text.strip())
