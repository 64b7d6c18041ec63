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

from .inflate import GZIP, RAW, ZLIB, inflater

PIECE_BYTES = 1 << 16
"""A piece of output is at most this long and a half (zstd: a block of 128 KiB)."""

MAX_DICTIONARY_BYTES = 80 << 20
"""A stream that needs more memory is not decoded, and said to be a limit. `xz -9` needs 65 MiB."""

_SLICE_BYTES = 1 << 13
_STEP_BYTES = 1 << 15


class BrokenError(Exception):
    """What follows is not, or no longer, a stream of this format."""


class TooBigError(Exception):
    """It is a stream of this format, but decoding it takes more memory than is allowed."""


class MissingError(Exception):
    """The library for this format is not installed."""


class Decoder(Protocol):
    """What undoes one layer."""

    NAME: ClassVar[str]
    ended: bool
    """The stream is over; `rest` follows it."""
    rest: bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` decodes to.

        Raises:
            BrokenError, TooBigError, MissingError: nothing more can be decoded; pieces already given are good.
        """


class _Stream:
    """The common part: streams that follow each other, and pieces of bounded size."""

    NAME: ClassVar[str]
    MAGIC: ClassVar[bytes]
    """A next stream of the format begins so. Empty when none may follow."""
    ERRORS: ClassVar[tuple[type[Exception], ...]]

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._engine: Any = self._start()
        self._between = False

    def _start(self) -> Any:
        raise NotImplementedError

    def _step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        """A piece, the input that is left, and whether there may be more output without more input."""
        out = self._engine.decompress(data, _STEP_BYTES)
        return out, b"", not self._engine.needs_input and not self._engine.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        gathered: list[bytes] = []
        size = 0
        try:
            for out in self._decode(data):
                gathered.append(out)
                size += len(out)
                if size >= PIECE_BYTES:
                    yield b"".join(gathered)
                    gathered, size = [], 0
        except BrokenError:
            yield b"".join(gathered)
            raise
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


class Gzip(_Stream):
    """gzip (RFC 1952), of one or more members."""

    NAME = "gzip"
    MAGIC = b"\x1f\x8b\x08"
    ERRORS = (zlib.error,)
    _WRAPPER = GZIP

    def _start(self) -> Any:
        return inflater(self._WRAPPER)

    def _step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        out = self._engine.decompress(data, _STEP_BYTES)
        return out, self._engine.unconsumed_tail, len(out) == _STEP_BYTES


class Zlib(Gzip):
    """zlib (RFC 1950), as inside git objects and many programs' own formats."""

    NAME = "zlib"
    MAGIC = b""
    _WRAPPER = ZLIB


class Zip(Gzip):
    """One deflated entry of a zip archive, from its local header on. Stored entries need no decoding."""

    NAME = "zip"
    MAGIC = b""
    _WRAPPER = RAW
    _HEADER = 30

    def __init__(self) -> None:
        super().__init__()
        self._head: bytes | None = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        if self._head is not None:
            self._head += data
            if len(self._head) < self._HEADER:
                return
            flags, method = self._head[6] | self._head[7] << 8, self._head[8] | self._head[9] << 8
            if method != 8 or flags & 1:
                raise BrokenError("not a deflated entry")
            start = self._HEADER + int.from_bytes(self._head[26:28], "little")
            start += int.from_bytes(self._head[28:30], "little")
            if len(self._head) < start:
                return
            data, self._head = self._head[start:], None
        yield from super().feed(data)


class Bzip2(_Stream):
    """bzip2."""

    NAME = "bzip2"
    MAGIC = b"BZh"
    ERRORS = (OSError, ValueError)

    def _start(self) -> Any:
        return bz2.BZ2Decompressor()


class Xz(_Stream):
    """xz."""

    NAME = "xz"
    MAGIC = b"\xfd7zXZ\x00"
    ERRORS = (lzma.LZMAError, ValueError)
    _FORMAT = lzma.FORMAT_XZ

    def _start(self) -> Any:
        return lzma.LZMADecompressor(self._FORMAT, memlimit=MAX_DICTIONARY_BYTES)


class Lzma(Xz):
    """The older `.lzma` format."""

    NAME = "lzma"
    MAGIC = b""
    _FORMAT = lzma.FORMAT_ALONE


class Lz4(_Stream):
    """The lz4 frame format."""

    NAME = "lz4"
    MAGIC = b"\x04\x22\x4d\x18"
    ERRORS = (RuntimeError, ValueError)

    def _start(self) -> Any:
        try:
            # A Debian package of the recorder, which the host may lack.
            frame: Any = importlib.import_module("lz4.frame")
        except ImportError as problem:
            raise MissingError("lz4") from problem
        return frame.LZ4FrameDecompressor()


class Zstd:
    """zstd frames. Fed block by block, since the library has no bound on the output of a call."""

    NAME: ClassVar[str] = "zstd"
    _MAGIC = b"\x28\xb5\x2f\xfd"
    _MAX_BLOCK = 128 << 10

    def __init__(self) -> None:
        try:
            # A Debian package of the recorder, which the host may lack.
            self._library: Any = importlib.import_module("zstandard")
        except ImportError as problem:
            raise MissingError("zstd") from problem
        self.ended = False
        self.rest = b""
        self._held = b""
        self._engine: Any = None
        self._checksum = False
        self._need = 0
        self._last = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        self._held += data
        try:
            while not self.ended:
                taken = self._take()
                if not taken:
                    return
                out = self._engine.decompress(taken)
                if out:
                    yield out
        except self._library.ZstdError as problem:
            if "memory" in str(problem).lower():
                raise TooBigError(f"zstd: {problem}") from problem
            raise BrokenError(str(problem)) from problem

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
        self._engine = self._library.ZstdDecompressor(max_window_size=MAX_DICTIONARY_BYTES // 5 * 2).decompressobj()
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        taken, self._held = self._held[:size], self._held[size:]
        return taken
