"""Somebody at a site that keeps files: who is where, on which connection, and what is to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .pieces import words_in
from .sites import Intake

if TYPE_CHECKING:
    from .flow import Flow
    from .pieces import Pieces
    from .sites import Node, Site

MAX_TARGET = 2048
"""Characters of a name or command that are recorded; all of it is looked at."""


@dataclass
class Visit:
    """Who visits which site."""

    flow: Flow
    name: str
    """The site's name, or its address."""
    site: Site
    pieces: Pieces
    """Where short texts are put together."""
    user: str = "root"
    channels: int = 0
    """Things that go on at once on the connection."""

    @property
    def home(self) -> bytes:
        """The user's folder."""
        return b"/root" if self.user in ("", "root") else b"/home/" + self.user.encode(errors="replace")[:255]

    @property
    def host(self) -> str:
        """The site's own name for itself."""
        label = self.name.partition(".")[0]
        return label if label and not label.isdigit() and ":" not in label else "server"

    def say(self, text: bytes) -> None:
        """Look at a name, a command or a variable: any of them may carry a piece of something larger."""
        if self.flow.scanned and text:
            place = self.flow.place("command", printable(text))
            self.pieces.add(f"words to {self.name}", words_in(text), place)

    def intake(self, path: bytes, node: Node, *, looked: bool = False) -> Intake:
        """A file of the site, opened; what is written is looked at, unless it was `looked` at already."""
        unseen = looked or not self.flow.scanned
        return Intake(self.site, node, None if unseen else self.flow, printable(path))


def printable(text: bytes) -> str:
    """Bytes of the client as the log can hold them."""
    return text[:MAX_TARGET].decode(errors="replace")
