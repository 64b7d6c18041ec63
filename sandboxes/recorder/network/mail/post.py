"""Where letters are looked at, whichever protocol brings them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..payload import Payload
from ..pieces import Pieces, words_in
from .letters import Letter

if TYPE_CHECKING:
    from ..flow import Flow
    from ..sight import Scribe


class Post:
    """All letters of an episode, and the words of the commands beside them.

    Args:
        scribe: where to record.
    """

    def __init__(self, scribe: Scribe) -> None:
        self.commands = Pieces(scribe)
        """Arguments of commands."""
        self._letters = Pieces(scribe)

    def letter(self, flow: Flow, to: str) -> Letter:
        """A new letter.

        Args:
            flow: on which it comes; its bytes are counted there by the caller.
            to: as the target of `events.Content` begins.
        """
        key = f"{flow.end.address} {to}"

        def part(name: str) -> Payload:
            target = f"{to}#{name}" if name else to
            return Payload(flow.sight("letter", target or None), self._letters, key)

        def headers(text: bytes) -> None:
            if flow.scanned:
                self._letters.add(f"{key} headers", words_in(text), flow.place("letter", to or None))

        return Letter(part, headers)

    def close(self) -> None:
        """Nothing more comes."""
        self.commands.close()
        self._letters.close()
