"""A compressed stream that was found and is being undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .streams import BrokenError, Decoder

if TYPE_CHECKING:
    from .keyed import KeyedDecoder
    from .node import Node, Shared

PROOF_BYTES = 256
"""What a compressed stream must have taken without error to be believed."""

_GUESS_RATIO = 0.9
"""What a stream without a mark of its format must have given for each byte taken: compressed data does not shrink."""


class Opened:
    """Feeds a stream to its decoder and what comes out to a layer of its own.

    Args:
        decoder: what undoes it, at the stream's first byte.
        node: the layer below.
        guessed: nothing but its lasting speaks for it. It is given up without a word, also when it skips its input
            or merely copies it.
    """

    __slots__ = ("_given", "_guessed", "_taken", "decoder", "node", "over", "proven")

    def __init__(self, decoder: Decoder | KeyedDecoder, node: Node, *, guessed: bool = False) -> None:
        self.decoder = decoder
        self.node = node
        self.over = False
        """Nothing more is taken."""
        self.proven = False
        """It lasted for long enough to explain the bytes that it took."""
        self._guessed = guessed
        self._taken = 0
        self._given = 0

    def take(self, data: bytes, look: Shared) -> int:
        """Feed the next bytes; gives how many of them are left over."""
        if not self._pass_on(self.decoder.feed(data), data, look):
            return len(data)
        left = min(len(self.decoder.rest), len(data)) if self.decoder.ended else 0
        self._taken += len(data) - left
        self.proven = self._taken >= PROOF_BYTES or (self.decoder.ended and not self._guessed)
        if self._guessed and self.proven and self._given < self._taken * _GUESS_RATIO:
            self.proven = False
            self._close()
            return len(data)
        if self.decoder.ended:
            self._close()
        return left

    def finish(self, look: Shared) -> None:
        """No more bytes come."""
        if self._pass_on(self.decoder.finish(), b"", look):
            self._close()

    def _pass_on(self, pieces: Iterator[bytes], data: bytes, look: Shared) -> bool:
        """Give what is decoded to the layer below. False when that was the end of it."""
        try:
            for piece in pieces:
                if self._guessed and piece[-64:] in data:
                    self._given -= len(piece)  # a copy of what can be looked at as it stands
                self._given += len(piece)
                look.spend(len(piece))
                self.node.feed(piece)
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
