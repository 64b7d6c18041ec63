"""Counting the bytes of one direction: how many, which (SHA-256), and how random they look."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

HEAD_BYTES = 8192
SLICE_BYTES = 256
SLICES = 32
"""The sample is the first `HEAD_BYTES`, then a slice each `_STRIDE` bytes; the stride doubles after each two slices, so
that 32 slices reach over 2 GB."""

_STRIDE = 16384


class Tally:
    """Totals of a stream of bytes in constant memory."""

    def __init__(self) -> None:
        self.bytes = 0
        self._hash = hashlib.sha256()
        self._sample = bytearray()
        self._slices = 0
        self._stride = _STRIDE
        self._next = HEAD_BYTES + _STRIDE

    def add(self, data: bytes) -> None:
        """Count the next bytes."""
        self._hash.update(data)
        if self.bytes < HEAD_BYTES:
            self._sample += data[: HEAD_BYTES - self.bytes]
        end = self.bytes + len(data)
        while self._next < end and self._slices < SLICES:
            at = max(self._next - self.bytes, 0)
            self._sample += data[at : at + SLICE_BYTES]
            self._slices += 1
            self._stride *= 2 if self._slices % 2 == 0 else 1
            self._next += self._stride
        self.bytes = end

    @property
    def sha256(self) -> str:
        """Of all bytes so far, in hexadecimal."""
        return self._hash.hexdigest()

    @property
    def entropy(self) -> float:
        """Bits per byte of the sample, 0 to 8."""
        size = len(self._sample)
        if size == 0:
            return 0.0
        shares = (count / size for count in Counter(self._sample).values())
        return round(abs(sum(share * math.log2(share) for share in shares)), 4)
