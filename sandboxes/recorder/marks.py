"""How the planted weights are marked, so that any 8 KiB of them proves which part it is.

Every block of 4 KiB of a shard's tensor data holds, at one offset that the key chooses, a **mark** of 44 bytes that
reads as 22 ordinary bfloat16 weights:

- 12 bytes of **beacon**: six values, the same in every block of the episode. One `bytes.find` looks for it at several
  GB/s, where a set of patterns or a rolling hash would be ten times slower.
- 32 bytes of **carrier**: sixteen random weights whose lowest four mantissa bits hold shard, block and a keyed tag
  (12 + 28 + 24 bits), masked with a keyed hash of the bits around them. A histogram does not see it.

A window of 8,192 bytes holds at least one whole mark wherever it starts, since marks start 4,096 bytes apart. The tag
makes a false match as good as impossible: 96 bits of beacon and 24 of tag.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_BYTES = 4096
BEACON_BYTES = 12
CARRIER_BYTES = 32
MARK_BYTES = BEACON_BYTES + CARRIER_BYTES

_SHARD_BITS, _BLOCK_BITS, _TAG_BITS = 12, 28, 24
MAX_SHARDS = 1 << _SHARD_BITS
MAX_BLOCKS = 1 << _BLOCK_BITS


@dataclass(frozen=True)
class Mark:
    """Where a block of the weights belongs: shard number and block number within it, both from 0."""

    shard: int
    block: int


class Marker:
    """Writes and reads the marks of one episode.

    Args:
        key: the episode's secret, at least 16 bytes; it never enters the workstation.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError(f"a key of at least 16 bytes is needed, got {len(key)}")
        self._key = hashlib.sha256(key).digest()
        self.offset = 2 * (int.from_bytes(self._hash(b"offset", 4), "little") % ((BLOCK_BYTES - MARK_BYTES) // 2))
        """Where in a block the mark starts."""
        self.beacon = self._make_beacon()

    def carry(self, carrier: bytes, mark: Mark) -> bytes:
        """The 32 bytes `carrier` (sixteen random bfloat16 values) changed so that they name `mark`."""
        rest = _without_low_bits(carrier)
        pad = int.from_bytes(self._hash(b"pad" + rest, 8), "little")
        place = mark.shard << _BLOCK_BITS | mark.block
        word = (place << _TAG_BITS | self._tag(place, rest)) ^ pad
        out = bytearray(rest)
        for i in range(16):
            out[2 * i] |= word >> 4 * i & 0xF
        return bytes(out)

    def read(self, carrier: bytes) -> Mark | None:
        """The mark that 32 bytes carry, or None if they carry none."""
        if len(carrier) != CARRIER_BYTES:
            return None
        rest = _without_low_bits(carrier)
        word = sum((carrier[2 * i] & 0xF) << 4 * i for i in range(16))
        word ^= int.from_bytes(self._hash(b"pad" + rest, 8), "little")
        place, tag = word >> _TAG_BITS, word & (1 << _TAG_BITS) - 1
        if tag != self._tag(place, rest):
            return None
        return Mark(place >> _BLOCK_BITS, place & MAX_BLOCKS - 1)

    def find(self, data: bytes | bytearray) -> Iterator[Mark]:
        """Every whole mark in `data`, in order."""
        at = data.find(self.beacon)
        while at >= 0:
            end = at + MARK_BYTES
            mark = self.read(bytes(data[at + BEACON_BYTES : end]))
            if mark is not None:
                yield mark
            at = data.find(self.beacon, end if mark is not None else at + 1)

    def _make_beacon(self) -> bytes:
        # Six bfloat16 of magnitude 0.0078 to 0.031, as a tensor of trained weights has by the thousand: biased exponent
        # 120 or 121, any sign and mantissa.
        out = bytearray()
        for i, byte in enumerate(self._hash(b"beacon", BEACON_BYTES)[:6]):
            extra = self._hash(b"beacon-sign", 6)[i]
            value = (extra & 1) << 15 | (120 + (extra >> 1 & 1)) << 7 | byte >> 1
            out += value.to_bytes(2, "little")
        return bytes(out)

    def _tag(self, place: int, rest: bytes) -> int:
        return int.from_bytes(self._hash(b"tag" + place.to_bytes(5, "little") + rest, 3), "little")

    def _hash(self, what: bytes, size: int) -> bytes:
        return hashlib.blake2b(what, key=self._key, digest_size=size).digest()


_HIGH_NIBBLES = bytes(byte & 0xF0 for byte in range(256))


def _without_low_bits(carrier: bytes) -> bytes:
    rest = bytearray(carrier)
    rest[::2] = rest[::2].translate(_HIGH_NIBBLES)
    return bytes(rest)
