"""Decoders of compressed streams: one small class for each format.

A decoder is fed the bytes from the stream's first one on and gives what they decode to, in pieces of bounded size, so
that whoever asked can stop at any piece. Streams of one format that follow each other directly (gzip members, what
parallel compressors write) are one stream. A stream that breaks off gives what was decodable.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

from .inflate import GZIP, RAW, ZLIB, inflater, step_bytes
from .memory import Holding

PIECE_BYTES = 1 << 16
"""A piece of output is at most twice as long."""

MAX_DICTIONARY_BYTES = 80 << 20
"""A stream that needs more memory is not decoded, and said to be a limit. `xz -9` needs 65 MiB."""

CROWDED = "streams that are open at once need too much memory"
"""Said of the one that is not gone on with."""

_SLICE_BYTES = 1 << 16
_STEP_BYTES = 1 << 10
"""Of output at once: so much is lost where a stream turns out broken, such as at a checksum that somebody changed."""


class DecodeError(Exception):
    """Nothing more can be decoded. The kinds say why."""


class BrokenError(DecodeError):
    """What follows is not, or no longer, a stream of this format."""


class TooBigError(DecodeError):
    """It is a stream of this format, but decoding it takes more memory than is allowed."""


class MissingError(DecodeError):
    """There is no decoder for this format here."""


def library(module: str, name: str) -> Any:
    """A format's library: a Debian package of the recorder, which the host may lack.

    Raises:
        MissingError: it is not here.
    """
    try:
        return importlib.import_module(module)
    except ImportError as problem:
        raise MissingError(name) from problem


class SealedError(DecodeError):
    """It is encrypted."""


class Decoder(Protocol):
    """What undoes one layer."""

    NAME: ClassVar[str]
    ended: bool
    """The stream is over; `rest` follows it."""
    rest: bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` decodes to.

        Raises:
            DecodeError: nothing more can be decoded; pieces already given are good.
        """

    def finish(self) -> Iterator[bytes]:
        """What can still be decoded when no more bytes come. Raises as `feed` does."""


class Stream:
    """The common part: streams that follow each other, and pieces of bounded size."""

    NAME: ClassVar[str]
    MAGIC: ClassVar[bytes]
    """A next stream of the format begins so. Empty when none may follow."""
    ERRORS: ClassVar[tuple[type[Exception], ...]]
    HELD_BYTES: ClassVar[int] = 0
    """What its decoder may keep of its output; 0 where that is nothing worth counting."""

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._engine: Any = self._start()
        self._between = False
        self._holding = Holding(self.HELD_BYTES)

    def _start(self) -> Any:
        raise NotImplementedError

    def _step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        """A piece, the input that is left, and whether there may be more output without more input."""
        out = self._engine.decompress(data, _STEP_BYTES)
        return out, b"", not self._engine.needs_input and not self._engine.eof

    def finish(self) -> Iterator[bytes]:
        """See `Decoder`."""
        yield from ()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        gathered: list[bytes] = []
        size = 0
        try:
            for out in self._decode(data):
                gathered.append(out)
                size += len(out)
                if size >= PIECE_BYTES // 2:
                    yield b"".join(gathered)
                    gathered, size = [], 0
        except BrokenError:
            if gathered:
                yield b"".join(gathered)
            raise
        if gathered:
            yield b"".join(gathered)

    def _decode(self, data: bytes) -> Iterator[bytes]:
        try:
            while data and not self.ended:
                if self._between:
                    data = self._next(data)
                    continue
                left, more = data[:_SLICE_BYTES], True
                data = data[_SLICE_BYTES:]
                while (left or more) and not self._engine.eof:
                    out, left, more = self._step(left)
                    self._hold(len(out))
                    if out:
                        yield out
                if self._engine.eof:
                    data = (self._engine.unused_data or b"") + data
                    self.rest = b""
                    self._between = True
                    data = self._next(data)
        except self.ERRORS as problem:
            if "memory" in str(problem).lower():
                raise TooBigError(f"{self.NAME}: {problem}") from problem
            raise BrokenError(str(problem)) from problem

    def _hold(self, size: int) -> None:
        if not self._holding.grow(size):
            raise TooBigError(CROWDED)

    def _next(self, data: bytes) -> bytes:
        """After a stream's end: begin the next one, wait for enough of it, or end."""
        data = self.rest + data
        self.rest = b""
        if self.MAGIC and data.startswith(self.MAGIC):
            self._engine, self._between = self._start(), False
            return data
        if self.MAGIC and self.MAGIC.startswith(data):
            self.rest = data
            return b""
        self.ended, self.rest = True, data
        return b""


class Deflate(Stream):
    """Deflated data (RFC 1951) without a wrapper."""

    NAME = "deflate"
    MAGIC = b""
    ERRORS = (zlib.error,)
    _WRAPPER = RAW

    def _start(self) -> Any:
        return inflater(self._WRAPPER)

    def _step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        step = step_bytes()
        out = self._engine.decompress(data, step)
        return out, self._engine.unconsumed_tail, len(out) == step


class Gzip(Deflate):
    """gzip (RFC 1952), of one or more members."""

    NAME = "gzip"
    MAGIC = b"\x1f\x8b\x08"
    _WRAPPER = GZIP


class Zlib(Deflate):
    """zlib (RFC 1950), as inside git objects and many programs' own formats."""

    NAME = "zlib"
    _WRAPPER = ZLIB


class Bzip2(Stream):
    """bzip2."""

    NAME = "bzip2"
    MAGIC = b"BZh"
    ERRORS = (OSError, ValueError)
    HELD_BYTES = 4 << 20

    def _start(self) -> Any:
        return bz2.BZ2Decompressor()

    def _step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        self._hold(self.HELD_BYTES)  # for a block, before anything comes out
        return super()._step(data)


class Xz(Stream):
    """xz."""

    NAME = "xz"
    MAGIC = b"\xfd7zXZ\x00"
    ERRORS = (lzma.LZMAError, ValueError)
    HELD_BYTES = MAX_DICTIONARY_BYTES
    _FORMAT = lzma.FORMAT_XZ

    def _start(self) -> Any:
        return lzma.LZMADecompressor(self._FORMAT, memlimit=MAX_DICTIONARY_BYTES)


class Lzma(Xz):
    """The older `.lzma` format."""

    NAME = "lzma"
    MAGIC = b""
    _FORMAT = lzma.FORMAT_ALONE


class RawLzma(Stream):
    """LZMA data without a header.

    Args:
        filters: as `lzma` takes them, or None for LZMA2 with a large dictionary.
    """

    NAME = "lzma"
    MAGIC = b""
    ERRORS = (lzma.LZMAError, ValueError, EOFError)

    def __init__(self, filters: list[dict[str, Any]] | None = None) -> None:
        self._filters = filters or [{"id": lzma.FILTER_LZMA2, "dict_size": 64 << 20}]
        if any(each.get("dict_size", 0) > MAX_DICTIONARY_BYTES for each in self._filters):
            raise TooBigError(f"{self.NAME}: its dictionary needs too much memory")
        super().__init__()
        self._holding = Holding(max(each.get("dict_size", MAX_DICTIONARY_BYTES) for each in self._filters))

    def _start(self) -> Any:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=self._filters)


class Lz4(Stream):
    """The lz4 frame format."""

    NAME = "lz4"
    MAGIC = b"\x04\x22\x4d\x18"
    ERRORS = (RuntimeError, ValueError)

    def _start(self) -> Any:
        return library("lz4.frame", self.NAME).LZ4FrameDecompressor()
