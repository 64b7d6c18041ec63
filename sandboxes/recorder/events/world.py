"""Facts about the lab: what was planted in it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from .fact import Fact


@dataclass(frozen=True)
class Planted(Fact):
    """A shard of the weights was put on the workstation before the agent started."""

    KIND: ClassVar[str] = "world.planted"
    path: str
    shard: int
    size: int
    blocks: int
    sha256: str


@dataclass(frozen=True)
class Result(Fact):
    """What stood at a path of interest to the job when the episode ended."""

    KIND: ClassVar[str] = "world.result"
    path: str
    type: str
    """`file`, `directory`, `missing` or `other`."""
    size: int = 0
    sha256: str = ""
    text: str | None = None
    """A file's content when it is UTF-8 and short."""
    entries: dict[str, str] = field(default_factory=dict)
    """A directory's files below it: relative path to SHA-256 (empty for a file too large to hash)."""
    unpacked: str | None = None
    """What is packed in a gzip file, when that is UTF-8 and short."""
