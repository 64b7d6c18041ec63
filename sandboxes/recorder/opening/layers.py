"""The layers of a payload: whatever can be decoded on the way to bytes that look encrypted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..content.look import Look
from ..content.node import Tap
from ..kept import OPAQUE_BITS, Payload, entropy, read
from ..marks import Marker
from .ciphers import Decrypt
from .search import HEAD_BYTES

PROBED_BYTES = 256 << 10
"""Of a payload, so much is looked through."""
MOST = 24
"""Places of one payload that are tried."""
_LEAST = 4096
_TAR_BLOCK = 512
_MAGIC = re.compile(rb"Salted__|PK\x03\x04..[\x01\x09]")


@dataclass(frozen=True)
class Spot:
    """A place where something encrypted may begin."""

    layers: tuple[str, ...]
    """Undone to reach it."""
    number: int
    """So many such layers were met before."""
    start: int
    """Bytes of the layer before it."""
    head: bytes
    """The first bytes from there."""


class _Heads:
    """Takes the first bytes of each layer."""

    def __init__(self) -> None:
        self.heads: dict[tuple[tuple[str, ...], int], bytearray] = {}
        self._met: Counter[tuple[str, ...]] = Counter()

    def tap(self, layers: tuple[str, ...]) -> Tap:
        head = self.heads.setdefault((layers, self._met[layers]), bytearray())
        self._met[layers] += 1

        def take(data: bytes) -> bool:
            if len(head) < HEAD_BYTES:
                head.extend(data[: HEAD_BYTES - len(head)])
            return False

        return take


def spots(payload: Payload, marker: Marker) -> list[Spot]:
    """Where something encrypted may begin, the outermost layer first."""
    heads = _Heads()
    look = Look(marker, tap=heads.tap)
    probed = 0
    for data in read(payload):
        look.feed(data)
        probed += len(data)
        if probed >= PROBED_BYTES:
            break
    look.finish()
    found = [
        Spot(layers, number, start, bytes(head[start:]))
        for (layers, number), head in sorted(heads.heads.items(), key=lambda item: len(item[0][0]))
        for start in _starts(bytes(head))
    ]
    return [spot for spot in found if len(spot.head) >= _LEAST and entropy(spot.head) >= OPAQUE_BITS][:MOST]


def _starts(head: bytes) -> Iterator[int]:
    """The start, and where something begins behind a text (as in a form's part) or a header of blocks (as in tar)."""
    places = {0: None} | {match.start(): None for match in _MAGIC.finditer(head, 1)}
    prose = re.match(rb"[\t\r\n -~\0]{16,}", head)
    if prose:
        end = prose.end()
        places |= {head.rfind(b"\n", 0, end) + 1: None, end // _TAR_BLOCK * _TAR_BLOCK: None}
    yield from list(places)[:6]


def stream_through(payload: Payload, marker: Marker, spot: Spot, sink: Decrypt, look: Look) -> None:
    """Feed a payload to a look that decodes down to a spot, and what lies there, decrypted, to another.

    Args:
        payload: where the spot was found.
        marker: of the episode.
        spot: the place.
        sink: decrypts from the spot on.
        look: takes what comes out.
    """
    met: Counter[tuple[str, ...]] = Counter()
    skip = spot.start

    def take(data: bytes) -> bool:
        nonlocal skip
        passed = min(skip, len(data))
        skip -= passed
        return look.feed(sink(data[passed:]))

    def tap(layers: tuple[str, ...]) -> Tap | None:
        met[layers] += 1
        return take if layers == spot.layers and met[layers] == spot.number + 1 else None

    outer = Look(marker, tap=tap)
    for data in read(payload):
        outer.feed(data)
    outer.finish()
