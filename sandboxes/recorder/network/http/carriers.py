"""What a body is packed in: taken apart as it streams, so that each payload is looked at as one.

A carrier loses nothing: what is not payload is given as framing, and once the bytes do not fit its format, all of them
are. It trusts no length and holds little.
"""

from __future__ import annotations

import importlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .multipart import Multipart
from .packed import FRAMING, Packed

if TYPE_CHECKING:
    from .messages import Head

_LINE_BYTES = 1024
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r\n")
_STEP_BYTES = 32
"""Decoded at once: brotli knows no limit of its own, and 32 bytes of it can stand for 48 MB."""
_RATIO = 200
_FREE_BYTES = 8 << 20
"""A body may decode to so many bytes, and beyond that to `_RATIO` times its own: the rest is not looked at decoded."""


class Carrier(Protocol):
    """Takes a body apart."""

    def feed(self, data: bytes) -> Iterator[Packed]:
        """What the next bytes hold, in order."""

    def finish(self) -> Iterator[Packed]:
        """What was held back."""


@dataclass(frozen=True)
class Packing:
    """How a body is packed."""

    carrier: Carrier
    layers: tuple[str, ...] = ()
    """Undone by it, as in `events.Content`. Then the body is looked at as it stands as well: a decoder may give up."""
    is_transfer: bool = False
    """Whether the other side gets the payload only, as if it had come without."""


def packings_of(head: Head) -> list[Packing]:
    """How the body of a request is packed, by what its headers say; empty for a plain one."""
    coding = head.header("content-encoding").lower()
    kind = head.header("content-type")
    if "aws-chunked" in coding or head.header("x-amz-content-sha256").startswith("STREAMING-"):
        return [Packing(SignedChunks(), is_transfer=True)]
    if kind.lower().startswith("multipart/") and (boundary := _boundary(kind)):
        return [Packing(Multipart(boundary))]
    if kind.lower().startswith("application/grpc"):
        return [Packing(Messages())]
    return [
        Packing(Decoded(name, make), (name,))
        for name, make in _CODINGS.items()
        if name in coding.replace(" ", "").split(",")
    ]


class SignedChunks:
    """The chunks with signatures between them in which S3's clients send a body (`aws-chunked`)."""

    def __init__(self) -> None:
        self._held = b""
        self._left = 0
        self._between = False
        """Whether a line follows, not data."""
        self._over = False

    def feed(self, data: bytes) -> Iterator[Packed]:
        """See `Carrier`."""
        self._held += data
        while self._held and not self._over:
            if self._left:
                piece, self._held = self._held[: self._left], self._held[self._left :]
                self._left -= len(piece)
                yield Packed(piece)
                continue
            skip = 2 if self._between and self._held.startswith(b"\r\n") else 0
            found = _CHUNK.match(self._held, skip)
            if found is None:
                self._over = len(self._held) > _LINE_BYTES or b"\n" in self._held[skip:]
                break
            yield Packed(self._held[: found.end()], FRAMING)
            self._left, self._between = int(found[1], 16), True
            self._over = self._left == 0  # trailers follow
            self._held = self._held[found.end() :]
        if self._over:
            yield from self.finish()

    def finish(self) -> Iterator[Packed]:
        """See `Carrier`."""
        held, self._held = self._held, b""
        if held:
            yield Packed(held, FRAMING)


class Messages:
    """Messages with a byte and a length before each, as gRPC sends them; their payloads are joined."""

    def __init__(self) -> None:
        self._held = b""
        self._left = 0

    def feed(self, data: bytes) -> Iterator[Packed]:
        """See `Carrier`."""
        self._held += data
        while self._held:
            if self._left:
                piece, self._held = self._held[: self._left], self._held[self._left :]
                self._left -= len(piece)
                yield Packed(piece)
            elif len(self._held) < 5:
                return
            else:
                yield Packed(self._held[:5], FRAMING)
                self._left, self._held = int.from_bytes(self._held[1:5], "big"), self._held[5:]

    def finish(self) -> Iterator[Packed]:
        """See `Carrier`."""
        held, self._held = self._held, b""
        if held:
            yield Packed(held, FRAMING)


class Decoded:
    """A body below a content coding that cannot be told from its bytes alone.

    Args:
        name: of the coding.
        make: a decoder: a function from encoded to decoded bytes that raises at the first that do not fit.
    """

    def __init__(self, name: str, make: Callable[[], Callable[[bytes], bytes]]) -> None:
        self.gave_up = ""
        """Why the rest is not decoded, if it is not."""
        self._name = name
        self._decode = make()
        self._fed = self._given = 0

    def feed(self, data: bytes) -> Iterator[Packed]:
        """See `Carrier`."""
        for at in range(0, len(data), _STEP_BYTES):
            if self.gave_up:
                return
            piece = data[at : at + _STEP_BYTES]
            self._fed += len(piece)
            try:
                out = self._decode(piece)
            except Exception as problem:  # each library has its own; the body is looked at as it stands as well
                self.gave_up = f"{self._name}: {problem}"[:200]
                return
            self._given += len(out)
            if self._given > _FREE_BYTES + _RATIO * self._fed:
                self.gave_up = f"{self._name}: decodes to more bytes than are looked at"
            yield Packed(out)

    def finish(self) -> Iterator[Packed]:
        """See `Carrier`."""
        yield from ()


def _make_brotli() -> Callable[[bytes], bytes]:
    decoder: Any = importlib.import_module("brotli").Decompressor()
    return lambda data: bytes(decoder.process(data))


def _make_deflate() -> Callable[[bytes], bytes]:
    """With the zlib header that the standard wants, or without, as many send it."""
    decoder: Any = None

    def decode(data: bytes) -> bytes:
        nonlocal decoder
        if decoder is None:
            zlib_header = len(data) > 1 and data[0] & 0xF == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            decoder = zlib.decompressobj(15 if zlib_header else -15)
        return bytes(decoder.decompress(data))

    return decode


_CODINGS: dict[str, Callable[[], Callable[[bytes], bytes]]] = {"br": _make_brotli, "deflate": _make_deflate}
"""Those that have no magic; the others are found in the bytes."""

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))', re.IGNORECASE)


def _boundary(kind: str) -> bytes:
    found = _BOUNDARY.search(kind)
    return (found[1] or found[2]).encode("latin-1", "replace") if found else b""
