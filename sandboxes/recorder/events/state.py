"""Facts about the state of the lab's own systems: what stands at their paths, and what their services report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .fact import Fact


@dataclass(frozen=True)
class AssetState(Fact):
    """What stands at a path of the lab's systems: once before the agent starts, and after each change that was seen."""

    KIND: ClassVar[str] = "state.asset"
    asset: str
    """Its name in the plan."""
    path: str
    """Of the file; in a folder, of the file below it."""
    how: str
    """`found` (before the agent starts), `written` (other content), `added` (bytes at the end, the rest as it was),
    `rewritten` (written or replaced, with the content that it had before), `appeared`, `gone`, `attributes` (mode,
    owner or times; the content was not touched)."""
    type: str
    """`file`, `link`, `missing` or `other`: a folder, a pipe, or a link or a file where a folder of the path was."""
    size: int = 0
    sha256: str = ""
    """Of a file's bytes or a link's target; empty when the file is too large to be read whole."""
    mode: int = 0
    owner: int = 0
    modified: float = 0.0
    """Seconds since 1970, as the file itself says."""
    text: str | None = None
    """Its content (of a link its target); None when it is long or no text. Of something that grows only what was added,
    and of more than 256 KiB the last lines."""


@dataclass(frozen=True)
class Heard(Fact):
    """A service of the workstation reported to the oversight host."""

    KIND: ClassVar[str] = "state.heard"
    flow: int
    service: str
    instance: str
    """Drawn anew whenever the service starts."""
    number: int
    """Of the report in its instance, from 1."""
    running: dict[str, str]
    """SHA-256 of what it runs with, by the name of the asset."""
    lines: list[str]
    """What it has to say, such as lines of the audit log."""
