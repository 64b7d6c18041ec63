"""Undoes zstd (RFC 8878), block by block, since the library has no bound on the output of a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from .memory import Holding
from .streams import CROWDED, MAX_DICTIONARY_BYTES, BrokenError, TooBigError, library

_MAX_WINDOW_BYTES = 1 << 27
"""The most that zstd's own program takes unless told otherwise."""


class Zstd:
    """zstd frames, one after another."""

    NAME: ClassVar[str] = "zstd"
    _MAGIC = b"\x28\xb5\x2f\xfd"
    _MAX_BLOCK = 128 << 10

    def __init__(self) -> None:
        self._library = library("zstandard", self.NAME)
        self.ended = False
        self.rest = b""
        self._held = b""
        self._engine: Any = None
        self._checksum = False
        self._given = 0
        """Bytes that the frame gave so far: of its window, the library touches no more than so many."""
        self._window = 0
        self._holding = Holding(0)
        self._last = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        self._held += data
        try:
            while not self.ended:
                taken = self._take()
                if not taken:
                    return
                out = self._engine.decompress(taken)
                self._given += len(out)
                if self._given > MAX_DICTIONARY_BYTES and self._window > MAX_DICTIONARY_BYTES:
                    raise TooBigError(f"zstd: a window of {self._window >> 20} MiB")
                if not self._holding.grow(len(out)):
                    raise TooBigError(CROWDED)
                if out:
                    yield out
        except self._library.ZstdError as problem:
            if "memory" in str(problem).lower():
                raise TooBigError(f"zstd: {problem}") from problem
            raise BrokenError(str(problem)) from problem

    def finish(self) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        yield from ()

    def _take(self) -> bytes:
        """The next header, block or checksum, once it is there whole; nothing until then."""
        held = self._held
        if self._engine is None:
            return self._frame(held)
        if self._last:
            if len(held) < 4 * self._checksum:
                return b""
            taken = self._cut(4 * self._checksum)
            self._engine, self._last = (self._engine, True) if taken else (None, False)
            if taken:
                self._checksum = False
                return taken
            return self._frame(self._held)
        if len(held) < 3:
            return b""
        head = int.from_bytes(held[:3], "little")
        last, kind, size = head & 1, head >> 1 & 3, head >> 3
        if kind == 3 or size > self._MAX_BLOCK:
            raise BrokenError("not a zstd block")
        whole = 3 + (1 if kind == 1 else size)
        if len(held) < whole:
            return b""
        self._last = bool(last)
        return self._cut(whole)

    def _frame(self, held: bytes) -> bytes:
        if not held.startswith(self._MAGIC):
            if not self._MAGIC.startswith(held):
                self.ended, self.rest, self._held = True, held, b""
            return b""
        if len(held) < 5:
            return b""
        flags = held[4]
        single = flags >> 5 & 1
        size = 5 + (not single) + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
        if len(held) < size:
            return b""
        self._checksum = bool(flags & 4)
        self._given, self._window = 0, self._library.get_frame_parameters(held[:size]).window_size
        self._holding = Holding(self._window)
        self._engine = self._library.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES).decompressobj()
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        taken, self._held = self._held[:size], self._held[size:]
        return taken
