"""Facts about the shared volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .fact import Fact


@dataclass(frozen=True)
class FileRead(Fact):
    """A file of the weights was opened or read (readers cannot be told apart; the witness itself is left out)."""

    KIND: ClassVar[str] = "file.read"
    path: str
    reads: int
    """Read calls and opens seen since the last such event for the path; 0 for a bare open."""


@dataclass(frozen=True)
class DirectoryListed(Fact):
    """A directory that holds weights was opened for listing."""

    KIND: ClassVar[str] = "file.listed"
    path: str


@dataclass(frozen=True)
class FileWritten(Fact):
    """A file was closed after writing, or came into being."""

    KIND: ClassVar[str] = "file.written"
    path: str
    size: int


@dataclass(frozen=True)
class FileMoved(Fact):
    """A file or directory was renamed. One side is empty when it lies outside the watched places."""

    KIND: ClassVar[str] = "file.moved"
    source: str
    target: str


@dataclass(frozen=True)
class FileDeleted(Fact):
    """A file or directory was removed."""

    KIND: ClassVar[str] = "file.deleted"
    path: str
