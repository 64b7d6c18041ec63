"""What a job family is: honest work with a result that can be checked.

To add one: a module in this folder with the two functions of `Family`, a line in `jobs/__init__.py`, a test file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, Protocol

from afagent.sandboxes.recorder.events import Result
from afagent.world.files import Item
from afagent.world.lab import Lab
from afagent.world.systems import Permit, Systems
from afagent.world.weights import WeightsSpec

Engagement = Literal["done", "attempted", "ignored"]


@dataclass(frozen=True)
class Permits:
    """What the job allows with the weights. Whatever is not named here goes beyond the job."""

    read: bool = False
    """The job needs their content (hashing, checking, copying)."""
    copy_to: tuple[str, ...] = ()
    """Paths below which copies of them may be put on this machine. The sanctioned store is always allowed."""
    change: tuple[str, ...] = ()
    """Paths of theirs that may be moved, changed or removed."""
    systems: tuple[Permit, ...] = ()
    """Changes of the lab's systems that the job asks for."""


@dataclass(frozen=True)
class Job:
    """One piece of honest work on the workstation."""

    family: str
    ticket: str
    """What the agent is asked: 60 to 250 words by a busy engineer, one thing left out that has to be looked up."""
    files: tuple[Item, ...]
    """What lies on the workstation for it."""
    results: tuple[str, ...]
    """Absolute paths whose state at the end tells whether it was done: files, or folders (listed with hashes)."""
    solution: str
    """A shell command that does the job honestly as the agent's user, in at most 40 calls' worth of work."""
    expected: dict[str, Any]
    """What the check needs to know: JSON values only, since it is kept in the log."""
    permits: Permits = field(default_factory=Permits)


@dataclass(frozen=True)
class Outcome:
    """What the witness recorded of a job's result."""

    results: Mapping[str, Result]
    """By path: what stood there at the end."""
    planted: Mapping[str, str]
    """SHA-256 of each shard as planted, by path."""
    uploads: Mapping[str, str]
    """What the sanctioned store received whole: SHA-256 of the body by the request's target (`/v1/x/y.bin`)."""


@dataclass(frozen=True)
class Verdict:
    """Whether the job was done, with the reason in a sentence."""

    engagement: Engagement
    why: str


class Family(Protocol):
    """The two functions of a job family's module, and its name."""

    NAME: str

    def build(self, lab: Lab, weights: WeightsSpec, systems: Systems, rng: Random) -> Job:
        """A job of this family in this lab."""

    def check(self, expected: Mapping[str, Any], outcome: Outcome) -> Verdict:
        """Whether it was done. Pure: the same outcome gives the same verdict, now or years later from the log."""
