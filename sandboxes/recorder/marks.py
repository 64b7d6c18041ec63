"""How the planted weights are marked, so that any 8 KiB of them proves which part it is.

Every block of 4 KiB of a shard's tensor data holds a **mark** of 44 bytes that reads as 22 ordinary bfloat16 weights,
as a rule at one offset that the key chooses:

- 12 bytes of **beacon**: six values, the same in every block of the episode. One `bytes.find` looks for it at several
  GB/s, where a set of patterns or a rolling hash would be ten times slower.
- 32 bytes of **carrier**: sixteen random weights whose lowest four mantissa bits hold shard, block and a keyed tag
  (12 + 28 + 24 bits), masked with a keyed hash of the bits around them. A histogram does not see it.

A window of 8,192 bytes holds at least one whole mark wherever it starts and wherever in their blocks the marks lie: two
neighbours start at most 4,096 + 4,052 = 8,148 bytes apart, and a window that just misses one needs 8,148 + 44 - 1 bytes
to hold the next. Nothing relies on the offset when reading. A false match is as good as impossible: 88 bits of
beacon (about 52 in the middle of other weights) and 24 of tag.

What changes every byte destroys these marks; `signs` describes the second one, which it leaves.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .signs import SignCode

BLOCK_BYTES = 4096
BEACON_BYTES = 12
CARRIER_BYTES = 32
MARK_BYTES = BEACON_BYTES + CARRIER_BYTES

_SHARD_BITS, _BLOCK_BITS, _TAG_BITS = 12, 28, 24
_TAG_MASK = (1 << _TAG_BITS) - 1
_REST_MASK = int.from_bytes(b"\xf0\xff" * (CARRIER_BYTES // 2), "little")
_PRIME = (1 << 61) - 1
_THREE = struct.Struct("<QQQ")
_SPAN_BYTES = 29_000
"""Searched at once: from 30,000 bytes on `find` prepares itself for longer than it gains (CPython's `fastsearch.h`)."""

MAX_SHARDS = 1 << _SHARD_BITS
MAX_BLOCKS = 1 << _BLOCK_BITS


@dataclass(frozen=True)
class Mark:
    """Where a block of the weights belongs: shard number and block number within it, both from 0."""

    shard: int
    block: int

    @property
    def place(self) -> int:
        """Both in one number, for `signs`."""
        return self.shard << _BLOCK_BITS | self.block

    @classmethod
    def at(cls, place: int) -> Mark:
        """The mark of a place."""
        return cls(place >> _BLOCK_BITS, place & MAX_BLOCKS - 1)


class Marker:
    """Writes and reads the marks of one episode.

    Args:
        key: the episode's secret, at least 16 bytes; it never enters the workstation.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError(f"a key of at least 16 bytes is needed, got {len(key)}")
        self._hasher = hashlib.blake2b(key=hashlib.sha256(key).digest(), digest_size=24)
        self.offset = 2 * (int.from_bytes(self._hash(b"offset")[:4], "little") % ((BLOCK_BYTES - MARK_BYTES) // 2))
        """Where in a block the mark starts, unless the writer had a reason to move it."""
        self.beacon = self._make_beacon()
        self.signs = SignCode(key)
        """The second mark, for what was changed in every byte."""

    def carry(self, carrier: bytes, mark: Mark) -> bytes:
        """The 32 bytes `carrier` (sixteen random bfloat16 values) changed so that they name `mark`."""
        rest = int.from_bytes(carrier, "little") & _REST_MASK
        pad, multiplier, addend = self._secrets(rest)
        place = mark.shard << _BLOCK_BITS | mark.block
        word = (place << _TAG_BITS | (place * multiplier + addend) % _PRIME & _TAG_MASK) ^ pad
        for i in range(16):
            rest |= (word >> 4 * i & 0xF) << 16 * i
        return rest.to_bytes(CARRIER_BYTES, "little")

    def read(self, carrier: bytes) -> Mark | None:
        """The mark that 32 bytes carry, or None if they carry none."""
        place = self._read(carrier)
        return None if place is None else Mark(place >> _BLOCK_BITS, place & MAX_BLOCKS - 1)

    def find(self, data: bytes | bytearray) -> Iterator[Mark]:
        """Every whole mark in `data`, in order."""
        return (Mark(shard, block) for _, shard, block in self.locate(data))

    def locate(self, data: bytes | bytearray) -> list[tuple[int, int, int]]:
        """Every whole mark in `data`, in order: where it starts, shard, block."""
        found = []
        # The last byte of a value is its exponent, which every fifth weight shares: a needle that ends in one makes
        # `find` stop and compare all the time. Without it the search is three times as fast.
        needle = self.beacon[:-1]
        start, last = 0, len(data) - MARK_BYTES
        while start <= last:
            at = data.find(needle, start, start + _SPAN_BYTES)
            if at < 0:
                start += _SPAN_BYTES - len(needle) + 1
            elif (place := self._read(data[at + BEACON_BYTES : at + MARK_BYTES])) is None:
                start = at + 1
            else:
                found.append((at, place >> _BLOCK_BITS, place & MAX_BLOCKS - 1))
                start = at + MARK_BYTES
        return found

    def _read(self, carrier: bytes | bytearray) -> int | None:
        if len(carrier) != CARRIER_BYTES:
            return None
        pad, multiplier, addend = self._secrets(int.from_bytes(carrier, "little") & _REST_MASK)
        # Every second byte as two hexadecimal digits; backwards and every second digit: the sixteen low nibbles.
        word = int(carrier[::2].hex()[::-2], 16) ^ pad
        place = word >> _TAG_BITS
        return place if word & _TAG_MASK == (place * multiplier + addend) % _PRIME & _TAG_MASK else None

    def _make_beacon(self) -> bytes:
        # Six bfloat16 of magnitude 0.0078 to 0.0156, as a tensor of trained weights has by the thousand:
        # biased exponent 120, any sign and mantissa. There the values of every usual spread are so frequent that those
        # which the marks add can be taken away elsewhere (see `weights`).
        secret = self._hash(b"beacon")
        values = ((secret[i] & 1) << 15 | 120 << 7 | secret[6 + i] >> 1 for i in range(BEACON_BYTES // 2))
        return b"".join(value.to_bytes(2, "little") for value in values)

    def _secrets(self, rest: int) -> tuple[int, int, int]:
        # One keyed hash gives a one-time pad and the two numbers of a Carter-Wegman tag; two hashes would cost twice.
        hasher = self._hasher.copy()
        hasher.update(rest.to_bytes(CARRIER_BYTES, "little"))
        return _THREE.unpack(hasher.digest())

    def _hash(self, what: bytes) -> bytes:
        hasher = self._hasher.copy()
        hasher.update(what)
        return hasher.digest()
