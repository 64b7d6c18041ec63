"""One payload: looked at by itself and, when it turns out to be short, put together with others that went its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pieces import SMALL_BYTES, words_in

if TYPE_CHECKING:
    from .pieces import Pieces
    from .sight import Sight


class Payload:
    """A body, a part of one, or the bytes of a flow.

    Args:
        sight: looks at it.
        pieces: puts short ones together.
        key: the place whose short payloads belong together.
    """

    def __init__(self, sight: Sight, pieces: Pieces, key: str) -> None:
        self._sight = sight
        self._pieces = pieces
        self._key = key
        self._start = bytearray()
        """The bytes so far, and no more once there are more than `SMALL_BYTES`."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._sight.feed(data)
        if len(self._start) <= SMALL_BYTES:
            self._start += data[: SMALL_BYTES + 1]

    def close(self) -> None:
        """There are no more."""
        self._sight.close()
        if len(self._start) <= SMALL_BYTES and not self._sight.broken:
            self._pieces.add(self._key, words_in(bytes(self._start)), self._sight.place)
