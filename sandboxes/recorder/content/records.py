"""Numbers in records: so many bytes that are none of them, then so many numbers, again and again.

The common formats of quantised weights are such: a scale, then the 32 values that it is for. What the bytes of a record
are is told by how often each equals the one at its place in other records: those of numbers at the same significance
do so equally often, and those before them do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

LONGEST = 136
"""Bytes of a record."""
_LONGEST_HEAD = 8
_SIZES = (1, 2, 4, 8)
_GROUPS = (8, 16, 32, 64, 128)
_UNLIKE, _DEVIATIONS = 0.25, 4.0

_Bytes = npt.NDArray[np.uint8]
_Rates = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Record:
    """How bytes are divided."""

    size: int
    """Of a record."""
    head: int
    """Bytes that are no numbers."""
    at: int
    """Where these begin, 0 to `size` - 1, from wherever the bytes are counted."""

    def moved(self, by: int) -> Record:
        """The same, counted from so many bytes before."""
        return replace(self, at=(self.at + by) % self.size)

    def numbers(self, data: _Bytes) -> _Bytes:
        """The bytes of the numbers alone, of all records that are there whole, counted from the first byte."""
        return self._table(data)[:, ~self._is_head].reshape(-1)

    def halves(self, data: _Bytes, *, apart: bool) -> _Bytes:
        """Numbers of half a byte: both of each byte, or (`apart`) the low ones of a record before the high ones.

        A scale may be negative, which turns all of its numbers over: its sign is the highest bit of its last byte.
        """
        whole = self._table(np.roll(data[: len(data) // self.size * self.size], -self.at))
        turned = np.where(whole[:, self.head - 1 : self.head] > 127, np.uint8(0xFF), np.uint8(0))
        numbers = whole[:, self.head :] ^ turned
        pair = (numbers & 15, numbers >> 4)
        return np.hstack(pair).reshape(-1) if apart else np.stack(pair, axis=2).reshape(-1)

    def first(self, size: int) -> int:
        """Where in `numbers` the first number of so many bytes begins: 0 to `size` - 1."""
        return self.at % size if self.at + self.head <= self.size else 0

    @property
    def _is_head(self) -> npt.NDArray[np.bool_]:
        places = np.zeros(self.size, np.bool_)
        places[(self.at + np.arange(self.head)) % self.size] = True
        return places

    def _table(self, data: _Bytes) -> _Bytes:
        return data[: len(data) // self.size * self.size].reshape(-1, self.size)


def are_all_numbers(rates: _Rates, counted: int) -> bool:
    """Whether a record holds nothing but numbers of one size: only what was done to them repeats, as a key does.

    Args:
        rates: as for `find_records`.
        counted: as for `find_records`.
    """
    return any(
        len(rates) % number == 0 and bool(_alike(rates, np.roll(rates, -number), counted).all()) for number in _SIZES
    )


def find_records(rates: _Rates, counted: int) -> Iterator[tuple[Record, int]]:
    """The records that there may be, and the bytes of each number in them.

    Args:
        rates: how often the byte at each place of a record equals the byte at that place in others, 0 to 1.
        counted: from so many pairs of records.
    """
    size = len(rates)
    for number in _SIZES:
        told = _unlike_numbers(rates, number, counted)
        if told is None or (size - told.head) // number < 2:
            continue
        # Of a scale some bytes may be as random as those of numbers. Groups of numbers are mostly powers of two.
        for head in range(told.head, _LONGEST_HEAD + 1):
            many, rest = divmod(size - head, number)
            if not rest and (head == told.head or many in _GROUPS):
                for before in range(head - told.head + 1):
                    yield Record(size, head, (told.at - before) % size), number
        return


def _unlike_numbers(rates: _Rates, number: int, counted: int) -> Record | None:
    """The shortest head that leaves nothing but numbers of so many bytes, all of them alike, and at least as much."""
    size = len(rates)
    places = np.flatnonzero(~_alike(rates, np.roll(rates, -number), counted))
    if not len(places):
        return None
    # The smallest arc around the record that holds all of them begins behind the widest gap.
    gaps = np.diff(places, append=places[0] + size)
    widest = int(np.argmax(gaps))
    start, arc = int(places[(widest + 1) % len(places)]), size - int(gaps[widest]) + 1
    record = Record(size, arc - number, (start + number) % size)
    return record if 0 < record.head <= min(_LONGEST_HEAD, size // 2) else None


def _alike(one: _Rates, other: _Rates, counted: int) -> npt.NDArray[np.bool_]:
    more = np.maximum(np.maximum(one, other), 1 / 256)
    return np.abs(one - other) <= _UNLIKE * more + _DEVIATIONS * np.sqrt(2 * more / counted)
