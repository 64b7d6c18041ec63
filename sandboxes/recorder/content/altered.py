"""Recognises weights whose bytes or numbers were all changed by arithmetic, as they stream.

Seen, in any stretch that holds a whole block (2,048 values), and at any offset:

- any fixed replacement of bytes: XOR with a byte, addition, rotation, NOT, exchanged nibbles, reversed bits, a table;
- the same with a key that repeats after up to 64 bytes (or 128, if even) added or XORed, and constants added to words;
- bytes in another order: reversed, swapped in words of 2, 4 or 8, reversed in groups of up to 64 that begin with a
  block; the high bytes of all values apart from the low ones;
- another number format: float16, float32, float64 of either byte order, 8 and 4 bits, signed or not, with a scale for
  all, for a row or for a group; numbers multiplied by a constant, as integers of any size;
- numbers in records of up to 136 bytes (`records`): a scale and a group of quantised values, a tag or an index and one.

Not seen: values in a new order (transposed, shuffled in pieces shorter than a block), fewer than 2,048 values,
differences between neighbours, scales between rows of other lengths, numbers whose bits are apart (formats of 5 or 6
bits), sums with other weights. Ciphers leave no structure at all.

What is found is a keyed mark, so it is proof; `signs` has the chance of error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..signs import BLOCK_VALUES, SignCode
from .alignment import Sighting, aligner
from .records import Record
from .spotting import is_text
from .structure import LAGS, Layout, Stretch, find_stretches

WINDOW_BYTES = 1 << 17
"""Looked at in one go, together with the end of what came before."""

EVERY_BYTES = 1 << 20
"""So much of one layer that may be numbers is searched in every way without a gap."""

SIMPLE_BYTES = 16 << 20
"""And so much in the simple ways: those that need no exchange of bits, no table, no
unusual order and no half bytes."""

SPARSELY = 16
"""Of what follows, one window in so many is searched. Where weights were found, it goes on from there in any case."""

_CARRY = 1 << 15
_LONG_KEY = 8
_WORDS = (1, 2, 4, 8)
_LONGEST_NUMBER = _WORDS[-1]

_Bytes = npt.NDArray[np.uint8]


class Shared(Protocol):
    """What is needed of the look."""

    @property
    def signs(self) -> SignCode:
        """The episode's marks in the signs."""

    def note(self, place: int, layers: tuple[str, ...]) -> None:
        """Note a block that was recognised by its signs."""


@dataclass(frozen=True)
class _View:
    """A way to read numbers out of bytes."""

    size: int
    """Bytes of a number; 0 for two numbers in each byte."""
    phase: int
    classes: int = 1
    record: Record | None = None
    """Where numbers stand in records with something else."""
    apart: bool = False
    """Of two numbers in each byte of a record all low ones come before the high ones."""

    def read(self, data: _Bytes) -> _Bytes:
        """One byte of each number."""
        if self.record is not None:
            if not self.size:
                return self.record.halves(data, apart=self.apart)
            return np.ascontiguousarray(self.record.numbers(data)[self.phase :: self.size])
        if self.size:
            return np.ascontiguousarray(data[self.phase :: self.size])
        return np.stack((data & 15, data >> 4), axis=1).reshape(-1)

    @property
    def unit(self) -> int:
        """Bytes of which whole ones must be left out, so that the rest is read in the same way."""
        return self.record.size if self.record is not None else max(1, self.size * self.classes)

    def count(self, length: int) -> int:
        """Numbers in so many bytes."""
        if self.record is not None:
            length = length // self.record.size * (self.record.size - self.record.head)
        return length // self.size if self.size else 2 * length

    @property
    def name(self) -> str:
        """What it is called as a layer."""
        numbers = f"altered {self.size}-byte numbers" if self.size else "4-bit numbers"
        if self.record is not None:
            return f"{numbers} in records of {self.record.size} bytes"
        return f"{numbers}, key of {self.classes * self.size} bytes" if self.classes > 1 else numbers


class Altered:
    """Looks for altered weights in the unexplained bytes of one layer.

    Args:
        look: where to note what is found.
        layers: that were undone to get here.
    """

    __slots__ = ("_held", "_last", "_layers", "_look", "_new", "_searched")

    def __init__(self, look: Shared, layers: tuple[str, ...]) -> None:
        self._look = look
        self._layers = layers
        self._held = bytearray()
        self._new = 0
        """Bytes at the end of those held that were not looked at yet."""
        self._searched = 0
        self._last: tuple[_View, Sighting] | None = None
        """How the last block was read; its start counts from that of the bytes held."""

    def feed(self, data: bytes) -> bool:
        """Look at the next bytes. True while what was last looked at holds altered weights."""
        self._held += data
        self._new += len(data)
        if self._new >= WINDOW_BYTES:
            self._flush()
        return self._last is not None

    def finish(self) -> bool:
        """No more bytes come. True as `feed`."""
        if self._new:
            self._flush()
        self._held.clear()
        found, self._last = self._last is not None, None
        return found

    def _flush(self) -> None:
        window = bytes(self._held)
        if not self._goes_on(window):
            self._search(window)
        cut = max(0, len(window) - _CARRY)
        del self._held[:cut]
        self._new = 0
        if self._last:
            view, sighting = self._last
            # Where numbers are not of one byte, the cut must not change which byte of them comes first.
            keep = cut % view.unit
            self._held[:0] = window[cut - keep : cut]
            self._last = view, replace(sighting, start=sighting.start - view.count(cut - keep))

    def _goes_on(self, window: bytes) -> bool:
        """Whether the blocks go on to the end of the window where the last one was; notes them."""
        if not self._last or self._last[1].start < -BLOCK_VALUES:  # none, or it ended long before
            return False
        view, last = self._last
        series = view.read(np.frombuffer(window, np.uint8))
        found = aligner(self._look.signs).follow(series, view.classes, last)
        self._note(view, found)
        last = found[-1] if found else last
        self._last = view, last
        return len(series) - last.start < 2 * BLOCK_VALUES

    def _search(self, window: bytes) -> None:
        before, self._last = self._last, None
        # Text is no number, whatever it stands for; it is decoded first, and searched then.
        if window.count(window[:1]) == len(window) or is_text(window):
            return
        for stretch in find_stretches(window):
            turn = self._searched // WINDOW_BYTES % SPARSELY == 0
            every = turn or self._searched < EVERY_BYTES
            if every or before or self._searched < SIMPLE_BYTES:
                self._search_stretch(window, stretch, every=every)
            self._searched += stretch.end - stretch.start

    def _search_stretch(self, window: bytes, stretch: Stretch, *, every: bool) -> None:
        finder = aligner(self._look.signs)
        for view in _views(stretch, every=every):
            # From a multiple of the numbers' size on, so that phases count from the start of the window.
            start = stretch.start // (unit := math.lcm(view.unit, _LONGEST_NUMBER)) * unit
            part = np.frombuffer(window, np.uint8)[start : stretch.end]
            # Below a long key each class is a series of its own, and costs as much.
            tried = finder.keyed if view.classes > _LONG_KEY else finder.every if every else finder.simple
            found = finder.find(view.read(part), view.classes, tried)
            if found:
                self._note(view, found)
                self._last = view, replace(found[-1], start=found[-1].start + view.count(start))
                return

    def _note(self, view: _View, found: list[Sighting]) -> None:
        for sighting in found:
            order = aligner(self._look.signs).name(sighting.order)
            self._look.note(sighting.place, (*self._layers, ", ".join(filter(None, (view.name, order)))))


def _views(stretch: Stretch, *, every: bool) -> Iterator[_View]:
    """How to read numbers out of a stretch, the most likely first."""
    for layout in stretch.layouts:
        if layout.record is not None:
            yield from _views_of_records(layout, layout.record, every=every)
        elif layout.size not in _WORDS:
            yield from (_View(layout.size, phase) for phase in layout.phases)
    # A key may turn signs over at half its length, which no count of equal bytes shows.
    doubled = every and _LONGEST_NUMBER < stretch.period <= LAGS[-1] // 2
    for period in (stretch.period, 2 * stretch.period) if doubled else (stretch.period,):
        for layout in stretch.layouts:
            if layout.record is None and layout.size in _WORDS:
                for phase in layout.phases:
                    yield _View(layout.size, phase, max(1, period // layout.size))
    # Where bytes are nearly constant, so are halves of bytes: no sides are left in them.
    if every and stretch.period == 1 and any(layout.phases for layout in stretch.layouts):
        yield _View(0, 0)


def _views_of_records(layout: Layout, record: Record, *, every: bool) -> Iterator[_View]:
    for phase in layout.phases:
        yield _View(layout.size, (record.first(layout.size) + phase) % layout.size, 1, record)
    if every and layout.size == 1:
        yield from (_View(0, 0, 1, record, apart) for apart in (True, False))
