"""Finds compressed streams and encoded texts below a repeating XOR; `altered` sees weights below one directly.

A compressed stream begins with bytes that are known, and a text has no byte with the highest bit set: each gives away
the key. A guess counts only if what it leads to decodes for a while, so a wrong one costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from . import spotting
from .streams import BrokenError, Bzip2, DecodeError, Decoder
from .texts import BASE64

MAX_STREAM_KEY = 4
"""Longest key found for a compressed stream: what follows a format's first bytes is not known. One of a single byte is
found wherever the stream begins, a longer one where something else begins, too: a layer, or what follows a stream."""

MAX_TEXT_KEY = 64
"""Longest key found for a text. Not always found: where the text is of plain weights, some bytes of a key meet few
different characters, which others could be just as well. Keys of 16 or 24 bytes are missed more often than not below
base32, and often below base64; a few others now and then."""

_MAGICS = (b"\x1f\x8b\x08", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
_FOREIGN = bytes(not (32 <= byte < 127 or byte in b"\t\r\n") for byte in range(256))
_COMMON = bytes(byte in BASE64.characters + b"=\r\n" for byte in range(256))
_TRIAL = 4096
_SHORTEST = 256
_SAMPLES = 32
_VARIETY = 8
_NEAR = 1024
_SHARE = 0.9
_SAMPLE = 1 << 14

_Bytes = npt.NDArray[np.uint8]

_TURNED = np.arange(256)[None] ^ np.arange(256)[:, None]
_IS_FOREIGN, _IS_COMMON = (np.frombuffer(each, np.uint8)[_TURNED].astype(np.float64) for each in (_FOREIGN, _COMMON))
"""For each key of one byte (row) and each byte (column), whether what it stands for is such a character."""

_MAKES_TEXT = [sum(1 << key for key in range(256) if not _FOREIGN[byte ^ key]) for byte in range(256)]
"""For each byte the keys that make text of it, as bits."""

_EVERY_KEY = (1 << 256) - 1


@dataclass(frozen=True)
class Keyed:
    """A decoder's kind, below a key.

    Args:
        NAME: of the layers.
        key: XORed with the bytes from the first one on.
        make: makes the decoder of what is left.
    """

    NAME: str
    key: bytes
    make: Callable[[], Decoder]
    weak: bool = False
    """Numbers of a narrow range look like this, too."""

    def __call__(self) -> KeyedDecoder:
        """A new decoder."""
        return KeyedDecoder(self)


class KeyedDecoder:
    """Undoes a repeating XOR and then what lies below it; see `streams.Decoder`."""

    def __init__(self, kind: Keyed) -> None:
        self.NAME = kind.NAME
        self.ended = False
        self.rest = b""
        """As long as what was left over of the input."""
        self._key = kind.key
        self._inner = kind.make()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        turned = len(data) % len(self._key)
        plain = _xor(data, self._key)
        self._key = self._key[turned:] + self._key[:turned]
        yield from self._inner.feed(plain)
        self.ended, self.rest = self._inner.ended, self._inner.rest

    def finish(self) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        return self._inner.finish()


class Text:
    """Nothing more to undo, as long as it is text; see `streams.Decoder`."""

    NAME: ClassVar[str] = "text"

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The same bytes, up to the first that is no text.

        Raises:
            BrokenError: there is such a one at once.
        """
        end = data.translate(_FOREIGN).find(1)
        if end >= 0:
            if not self._begun:
                raise BrokenError("no text")
            data, self.rest, self.ended = data[:end], data[end:], True
        self._begun = True
        yield data

    def finish(self) -> Iterator[bytes]:
        """Nothing is held back."""
        return iter(())


def find_keyed(data: bytes, *, begins: bool = True) -> list[tuple[int, Keyed]]:
    """Where in `data` something below a key begins, in order; at most one thing for each place.

    Args:
        data: what to look at.
        begins: whether its first byte is the first of something.
    """
    found = {at: kind for at, kind in _candidates(data, begins=begins) if _lasts(kind, data[at : at + _TRIAL])}
    return sorted(found.items())


def _candidates(data: bytes, *, begins: bool) -> Iterator[tuple[int, Keyed]]:
    if text := _text(data[:_SAMPLE]):
        yield 0, text
    for magic in _MAGICS if begins else ():
        for size in range(2, min(MAX_STREAM_KEY, len(magic)) + 1):
            yield from _stream(data, 0, magic, size)
    # Differences of neighbours are the same below a key of one byte.
    values = np.frombuffer(data, np.uint8)
    steps = (values[1:] ^ values[:-1]).tobytes()
    for magic in _MAGICS:
        needle = _xor(magic[1:], magic[:-1])
        at = steps.find(needle)
        while at >= 0:
            yield from _stream(data, at, magic, 1)
            at = steps.find(needle, at + 1)


def _stream(data: bytes, at: int, magic: bytes, size: int) -> Iterator[tuple[int, Keyed]]:
    key = _xor(data[at : at + size], magic[:size])
    if any(key) and len(key) == size:
        for decoder in spotting.streams_at(_xor(data[at : at + spotting.LOOKAHEAD], key)):
            yield at, Keyed(f"{decoder.NAME} below XOR", key, decoder)


def _text(sample: bytes) -> Keyed | None:
    """The shortest key that makes text of bytes that are none."""
    values = np.frombuffer(sample, np.uint8)
    # The cheapest first: random bytes have no period, and come often.
    sizes = _periods_of_highest_bits(values) if len(values) >= _SHORTEST else []
    foreign = sample.translate(_FOREIGN).find(1)
    if not sizes or foreign < 0 or len(set(sample)) < _VARIETY:
        return None
    bits = values >> 7
    for size in sizes:
        # What is no text by itself rules out most keys, together with what stands near it: its place comes first.
        first = foreign % size
        if not _keys(sample[first + max(0, foreign - first - _NEAR) // size * size : foreign + _NEAR : size]):
            continue
        if _likeliest(values[first::size]) is not None and np.array_equal(bits[size:], bits[:-size]):
            # The first byte that has none settles it.
            keys = takewhile(lambda each: each is not None, (_likeliest(values[i::size]) for i in range(size)))
            key = bytes(each for each in keys if each is not None)
            if len(key) == size:
                return Keyed("text below XOR", key, Text, weak=True)
    return None


def _periods_of_highest_bits(values: _Bytes) -> list[int]:
    """The sizes of key that the first bytes do not rule out: all are tried at once, and nearly all fail."""
    most = min(MAX_TEXT_KEY, len(values) // _SAMPLES)
    bits = values[:_SHORTEST] >> 7
    shifted = np.lib.stride_tricks.sliding_window_view(bits[1:], _SHORTEST - most)[:most]
    return [int(i) + 1 for i in np.flatnonzero((shifted == bits[: _SHORTEST - most]).all(axis=1))]


def _keys(some: bytes) -> int:
    """The keys of one byte, as bits, that make text of each of some bytes."""
    possible = _EVERY_KEY
    for value in set(some):
        possible &= _MAKES_TEXT[value]
        if not possible:
            break
    return possible


def _likeliest(values: _Bytes) -> int | None:
    """The key of one byte under which values are text, most of it of the commonest alphabet."""
    counts = np.bincount(values, minlength=256).astype(np.float64)
    if not _keys(bytes(np.flatnonzero(counts).tolist())):
        return None
    foreign, common = _IS_FOREIGN @ counts, _IS_COMMON @ counts
    best = int(np.argmax(common))
    # Numbers of a narrow range may look like text, but not like this one.
    return None if foreign[best] or common[best] < _SHARE * len(values) else best


def _lasts(kind: Keyed, sample: bytes) -> bool:
    if len(sample) < _SHORTEST:
        return False
    try:
        # A header alone takes in anything. bzip2 gives nothing before a whole block, but begins with ten known bytes.
        return any(list(kind().feed(sample))) or kind.make is Bzip2
    except DecodeError:
        return False


def _xor(data: bytes, key: bytes) -> bytes:
    repeated = (key * (len(data) // len(key) + 1))[: len(data)]
    return (np.frombuffer(data, np.uint8) ^ np.frombuffer(repeated, np.uint8)).tobytes()
