"""Compressed data that begins without any mark of its format.

It is known only by what follows: random bytes break a decoder within a few dozen bytes, so one that lasts is right.
Such decoders are tried where something begins: the first bytes of a layer, of a body, of an archive's member.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from .streams import PIECE_BYTES, BrokenError, Decoder, Deflate, RawLzma, library

_PROOF_BYTES = 256
"""What it must have taken without error before anything of it is given on."""

_ENOUGH_BYTES = 4096
"""Or what it must have given."""

_LEAST_RATIO = 0.9
"""What it must have given for each byte taken: compressed data does not shrink."""

_COPY_BYTES = 64


class Brotli:
    """brotli (RFC 7932). Fed a few bytes at a time, since the library has no bound on the output of a call."""

    NAME: ClassVar[str] = "brotli"
    _SLICE_BYTES = 32
    """A meta-block of 16 MiB takes about ten bytes, so this much makes at most some 50 MiB at once."""

    def __init__(self) -> None:
        self._library = library("brotli", self.NAME)
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


@dataclass(frozen=True)
class Bare:
    """A decoder's kind, for a stream of which nothing but its lasting shows that it is one."""

    make: type[Decoder]

    @property
    def NAME(self) -> str:  # noqa: N802  # as of the kinds that are classes
        """Of the layers."""
        return self.make.NAME

    def __call__(self) -> BareDecoder:
        """A new decoder."""
        return BareDecoder(self.make())


class BareDecoder:
    """Gives nothing on before the stream has lasted, and ends where it skips its input or merely copies it."""

    def __init__(self, inner: Decoder) -> None:
        self.NAME = inner.NAME
        self.ended = False
        self.rest = b""
        self._inner = inner
        self._taken = self._given = 0
        self._held: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `streams.Decoder`.

        Raises:
            BrokenError: also when it is no compressed stream, though it can be read as one.
        """
        for piece in self._inner.feed(data):
            # A copy is looked at where it stands.
            self._given += 0 if piece[-_COPY_BYTES:] in data else len(piece)
            self._held.append(piece)
            if self._given >= _ENOUGH_BYTES:
                yield from self._release()
        self.ended, self.rest = self._inner.ended, self._inner.rest
        self._taken += len(data) - (min(len(self.rest), len(data)) if self.ended else 0)
        if self._taken >= _PROOF_BYTES or self.ended:
            self._judge()
            yield from self._release()

    def finish(self) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        self._held += self._inner.finish()
        self._judge()
        yield from self._release()

    def _judge(self) -> None:
        if self._given < self._taken * _LEAST_RATIO:
            raise BrokenError("nothing was compressed")

    def _release(self) -> Iterator[bytes]:
        held, self._held = self._held, []
        yield from held


def find_bare(head: bytes) -> list[Bare]:
    """What the first bytes of a stream do not rule out."""
    kinds: list[type[Decoder]] = []
    if _may_be_deflate(head):
        kinds.append(Deflate)
    if head[:1] == b"\x01" or head[:1] >= b"\xe0":
        kinds.append(RawLzma)  # it begins with a reset of everything
    if head:
        kinds.append(Brotli)
    return [Bare(kind) for kind in kinds]


def _may_be_deflate(head: bytes) -> bool:
    # The first block's type; of a dynamic one also how many codes it says to have (RFC 1951, 3.2.7).
    kind = head[0] >> 1 & 3 if len(head) > 1 else 3
    return kind == 1 or (kind == 2 and head[0] >> 3 <= 29 and head[1] & 31 <= 29)
