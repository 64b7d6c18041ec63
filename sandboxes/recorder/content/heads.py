"""Decoders of streams that begin with a head of their own and go on in one of several formats: zip entries, lzip."""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from .streams import BrokenError, Bzip2, Decoder, Deflate, MissingError, RawLzma, SealedError, Xz
from .zstd import Zstd


class Headed:
    """A head, and then what another decoder undoes."""

    NAME: ClassVar[str]

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._head = b""
        self._inner: Decoder | None = None

    def _open(self, head: bytes) -> tuple[Decoder, int] | None:
        """The decoder that the head names and the head's length; None while the head is not there whole.

        Raises:
            DecodeError: as `Decoder.feed`.
        """
        raise NotImplementedError

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        if self._inner is None:
            self._head += data
            opened = self._open(self._head)
            if opened is None:
                return
            self._inner, length = opened
            data, self._head = self._head[length:], b""
        yield from self._inner.feed(data)
        self.ended, self.rest = self._inner.ended, self._inner.rest

    def finish(self) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        if self._inner is not None:
            yield from self._inner.finish()


class Zip(Headed):
    """One compressed entry of a zip archive, from its local header on. Stored entries need no decoding."""

    NAME = "zip"
    METHODS: ClassVar[dict[int, Callable[[], Decoder]]] = {8: Deflate, 12: Bzip2, 93: Zstd, 95: Xz}
    LZMA = 14
    OTHERS: ClassVar[dict[int, str]] = {1: "shrink", 6: "implode", 9: "deflate64", 98: "PPMd", 99: "AES"}
    _HEAD_BYTES = 30

    def _open(self, head: bytes) -> tuple[Decoder, int] | None:
        if len(head) < self._HEAD_BYTES:
            return None
        flags, method = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        if flags & 1:
            raise SealedError("encrypted zip entry")
        if method in self.OTHERS:
            raise MissingError(f"zip entries of method {self.OTHERS[method]}")
        start = self._HEAD_BYTES + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        if method == self.LZMA:
            # Two bytes of version, two of length, and the properties.
            if len(head) < start + 9:
                return None
            return RawLzma([lzma_properties(head[start + 4 : start + 9])]), start + 9
        if method not in self.METHODS:
            raise BrokenError("not a compressed entry")
        return (self.METHODS[method](), start) if len(head) >= start else None


class Lzip(Headed):
    """lzip: its head gives only the size of the dictionary."""

    NAME = "lzip"
    _HEAD_BYTES = 6

    def _open(self, head: bytes) -> tuple[Decoder, int] | None:
        if len(head) < self._HEAD_BYTES:
            return None
        size = 1 << (head[5] & 31)
        size -= size // 16 * (head[5] >> 5)
        return RawLzma([{"id": lzma.FILTER_LZMA1, "dict_size": size}]), self._HEAD_BYTES


def lzma_properties(properties: bytes) -> dict[str, Any]:
    """The five bytes before LZMA data as `lzma` wants them."""
    settings, size = properties[0], int.from_bytes(properties[1:5], "little")
    if settings >= 9 * 5 * 5:
        raise BrokenError("not LZMA")
    return {"id": lzma.FILTER_LZMA1, "lc": settings % 9, "lp": settings // 9 % 5, "pb": settings // 45,
            "dict_size": max(size, 4096)}  # fmt: skip
