"""Facts about the witness itself: that it lives, and what it could not see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .fact import Fact

BEAT_SECONDS = 1.0
"""The witness says that it is alive this often; a longer silence is a gap in the evidence."""


@dataclass(frozen=True)
class Started(Fact):
    """The witness began to watch an episode."""

    KIND: ClassVar[str] = "recorder.started"
    episode: str
    version: str


@dataclass(frozen=True)
class Beat(Fact):
    """A sign of life, once each `BEAT_SECONDS`."""

    KIND: ClassVar[str] = "recorder.beat"
    uptime: float
    """Seconds on the monotonic clock since the start; an agent that moves the wall clock does not move it."""
    packets: int
    """Packets that the workstation has sent over its only link."""
    bytes: int
    """Bytes of those packets."""
    flows: int
    """Connections open now."""


@dataclass(frozen=True)
class Limit(Fact):
    """The witness could not look at something whole. Never silence: what was not seen is said."""

    KIND: ClassVar[str] = "recorder.limit"
    where: str
    what: str
    flow: int | None = None
    path: str | None = None


@dataclass(frozen=True)
class Fault(Fact):
    """An error inside the witness."""

    KIND: ClassVar[str] = "recorder.fault"
    where: str
    what: str


@dataclass(frozen=True)
class Space(Fact):
    """What is left of the room that the workstation shares with the witness: at the start, and when it gets scarce."""

    KIND: ClassVar[str] = "recorder.space"
    place: str
    """One of the workstation's shared places. Several may lie on one file system."""
    free_bytes: int
    free_files: int
    """Files that can still be made; 0 where the file system does not say."""
    held_bytes: int
    """On the disk, of the files that stand in the place."""
    held_files: int
    """Files and folders that stand there."""


@dataclass(frozen=True)
class Finishing(Fact):
    """The agent's time is over. The network ends now, so that nothing that is not heard from here on means anything."""

    KIND: ClassVar[str] = "recorder.finishing"


@dataclass(frozen=True)
class Ended(Fact):
    """The witness stopped watching; nothing follows."""

    KIND: ClassVar[str] = "recorder.ended"
    flows: int
    """Connections seen in the whole episode."""
