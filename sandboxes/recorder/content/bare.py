"""Compressed data that begins without any mark of its format.

It is known only by what follows: random bytes break a decoder within a few dozen bytes, so one that lasts is right.
Such decoders are tried where something begins: the first bytes of a layer, of a body, of an archive's member.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, ClassVar

from .streams import PIECE_BYTES, BrokenError, Decoder, Deflate, MissingError, RawLzma


class Brotli:
    """brotli (RFC 7932). Fed a few bytes at a time, since the library has no bound on the output of a call."""

    NAME: ClassVar[str] = "brotli"
    _SLICE_BYTES = 32
    """A meta-block of 16 MiB takes about ten bytes, so this much makes at most some 50 MiB at once."""

    def __init__(self) -> None:
        try:
            # A Debian package of the recorder, which the host may lack.
            self._library: Any = importlib.import_module("brotli")
        except ImportError as problem:
            raise MissingError("brotli") from problem
        self.ended = False
        self.rest = b""
        self._engine: Any = self._library.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        pieces: list[bytes] = []
        size = at = 0
        while at < len(data) and not self.ended:
            piece = data[at : at + self._SLICE_BYTES]
            try:
                out = self._engine.process(piece)
            except self._library.error as problem:
                yield b"".join(pieces)
                raise BrokenError(str(problem)) from problem
            at += len(piece)
            self.ended = self._engine.is_finished()
            pieces.append(out)
            size += len(out)
            if size >= PIECE_BYTES:
                yield b"".join(pieces)
                pieces, size = [], 0
        yield b"".join(pieces)
        self.rest = data[at:]

    def finish(self) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        yield from ()


def find_bare(head: bytes) -> list[type[Decoder]]:
    """The decoders that the first bytes of a stream do not rule out."""
    kinds: list[type[Decoder]] = []
    if _may_be_deflate(head):
        kinds.append(Deflate)
    if head[:1] == b"\x01" or head[:1] >= b"\xe0":
        kinds.append(RawLzma)  # it begins with a reset of everything
    if head:
        kinds.append(Brotli)
    return kinds


def _may_be_deflate(head: bytes) -> bool:
    # The first block's type; of a dynamic one also how many codes it says to have (RFC 1951, 3.2.7).
    kind = head[0] >> 1 & 3 if len(head) > 1 else 3
    return kind == 1 or (kind == 2 and head[0] >> 3 <= 29 and head[1] & 31 <= 29)
