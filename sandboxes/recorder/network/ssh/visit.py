"""One SSH connection, as its channels know it: who is where, and what is to be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..pieces import words_in
from ..sites import Intake

if TYPE_CHECKING:
    from ..guests.house import GuestHouse
    from ..pieces import Pieces
    from ..sites import Node, Site
    from ..speaker import Call

MAX_TARGET = 2048
"""Characters of a name or command that are recorded; all of it is looked at."""


@dataclass
class Visit:
    """Who visits which site."""

    call: Call
    name: str
    """The site's name, or its address."""
    site: Site
    pieces: Pieces
    house: GuestHouse | None
    """Where real programs serve; without one there are none."""
    user: str = "root"
    sessions: int = 0
    """Channels open now."""
    listeners: set[int] = field(default_factory=set)
    """Ports that the client wants to be reached at."""

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
        if self.call.flow.scanned and text:
            place = self.call.flow.place("command", printable(text))
            self.pieces.add(f"words to {self.name}", words_in(text), place)

    def intake(self, path: bytes, node: Node, *, looked: bool = False) -> Intake:
        """A file of the site, opened; what is written is looked at, unless it was `looked` at already."""
        return Intake(self.site, node, None if looked else self.call.flow, printable(path))


def printable(text: bytes) -> str:
    """Bytes of the client as the log can hold them."""
    return text[:MAX_TARGET].decode(errors="replace")
