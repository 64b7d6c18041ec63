"""A compressed stream that was found and is being undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .streams import BrokenError, Decoder

if TYPE_CHECKING:
    from .bare import BareDecoder
    from .keyed import KeyedDecoder
    from .node import Node, Shared

PROOF_BYTES = 256
"""What a compressed stream must have taken without error to be believed."""


class Opened:
    """Feeds a stream to its decoder and what comes out to a layer of its own.

    Args:
        decoder: what undoes it, at the stream's first byte.
        node: the layer below.
        guessed: its format is not marked where it begins. It is given up without a word.
        weak: many other things look like it, so it explains nothing before something was recognised in it.
    """

    __slots__ = ("_guessed", "_taken", "decoder", "doubtful", "node", "over", "proven")

    def __init__(
        self, decoder: Decoder | BareDecoder | KeyedDecoder, node: Node, *, guessed: bool = False, weak: bool = False
    ) -> None:
        self.decoder = decoder
        self.node = node
        self.over = False
        """Nothing more is taken."""
        self.proven = False
        """It lasted for long enough to explain the bytes that it took."""
        self._guessed = guessed
        self._taken = 0
        self.doubtful = weak
        """It may well be something else."""

    def take(self, data: bytes, look: Shared) -> int:
        """Feed the next bytes; gives how many of them are left over."""
        if not self._pass_on(self.decoder.feed(data), look):
            return len(data)
        left = min(len(self.decoder.rest), len(data)) if self.decoder.ended else 0
        self._taken += len(data) - left
        lasted = self._taken >= PROOF_BYTES or (self.decoder.ended and not self._guessed)
        self.proven = lasted and not self.doubtful
        if self.decoder.ended:
            self._close()
        return left

    def finish(self, look: Shared) -> None:
        """No more bytes come."""
        if self._pass_on(self.decoder.finish(), look):
            self._close()

    def _pass_on(self, pieces: Iterator[bytes], look: Shared) -> bool:
        """Give what is decoded to the layer below. False when that was the end of it."""
        try:
            for piece in pieces:
                look.spend(len(piece))
                self.node.feed(piece)
                self.doubtful = self.doubtful and not self.node.alive
        except Exception as problem:  # a decoder's own fault must not stop the look either; it is said
            if self.proven or not self._guessed:
                self._say(problem, look)
            self.proven = False
            self._close()
            return False
        return True

    def _say(self, problem: Exception, look: Shared) -> None:
        if not isinstance(problem, BrokenError):
            look.limit(f"{self.decoder.NAME}: {problem}")
        elif self._taken >= PROOF_BYTES:
            look.limit(f"{self.decoder.NAME}: broken off")

    def _close(self) -> None:
        self.over = True
        self.node.finish()
