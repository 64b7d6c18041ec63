"""Recognises weights whose bytes or numbers were all changed by arithmetic, as they stream.

Seen, in any stretch that holds a whole block (2,048 values), and at any offset:

- any fixed replacement of bytes: XOR with a byte, addition, rotation, NOT, exchanged nibbles, reversed bits, a table;
- the same with a key that repeats after up to 64 bytes (or 128, if even) added or XORed, and constants added to words;
- bytes in another order: reversed, swapped in words of 2, 4 or 8, reversed in groups of up to 64 that begin with a block;
  the high bytes of all values apart from the low ones;
- another number format: float16, float32, float64 of either byte order, 8 and 4 bits, signed or not, with a scale for all,
  for a row or for a group, as long as the scales stand elsewhere; numbers multiplied by a constant.

Not seen: values in a new order (transposed, shuffled by rows shorter than a block), fewer than 2,048 values, differences
between neighbours, formats that mix scales with values, sums with other weights. Ciphers leave no structure at all.

What is found is a keyed mark, so it is proof (`signs` has the chance of error), though below no further layer: of a
stream that was compressed and then altered nothing is seen here (see `keyed`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..signs import SignCode
from .alignment import Aligner, aligner
from .spotting import is_text
from .structure import LAGS, Stretch, find_stretches

WINDOW_BYTES = 1 << 16
"""Looked at in one go, together with the end of what came before."""

CLOSELY_BYTES = 64 << 20
"""So much of one layer that may be numbers is searched without a gap; of what follows, one window in `SPARSELY`."""

SPARSELY = 16
"""See `CLOSELY_BYTES`; and beyond `EVERY_ORDER_BYTES`, one window in so many is searched for unusual orders."""

EVERY_ORDER_BYTES = 1 << 20

_CARRY = 1 << 15
_USUAL = 2


class Shared(Protocol):
    """What is needed of the look."""

    @property
    def signs(self) -> SignCode:
        """The episode's marks in the signs."""

    def note(self, place: int, layers: tuple[str, ...]) -> None:
        """Note a block that was recognised by its signs."""

    def spend(self, decoded: int) -> None:
        """Account for time.

        Raises:
            ExhaustedError: it took too long.
        """


@dataclass(frozen=True)
class _View:
    """A way to read numbers out of bytes."""

    size: int
    phase: int
    classes: int
    orders: tuple[int, ...]


class Altered:
    """Looks for altered weights in the unexplained bytes of one layer.

    Args:
        look: where to note what is found.
        layers: that were undone to get here.
    """

    __slots__ = ("_held", "_layers", "_look", "_new", "_searched", "_view")

    def __init__(self, look: Shared, layers: tuple[str, ...]) -> None:
        self._look = look
        self._layers = layers
        self._held = bytearray()
        self._new = 0
        """Bytes at the end of those held that were not looked at yet."""
        self._searched = 0
        self._view: _View | None = None
        """How the last blocks were read."""

    def feed(self, data: bytes) -> bool:
        """Look at the next bytes. True while what was last looked at holds altered weights."""
        self._held += data
        self._new += len(data)
        if self._new >= WINDOW_BYTES:
            self._flush()
        return self._view is not None

    def finish(self) -> bool:
        """No more bytes come. True as `feed`."""
        if self._new:
            self._flush()
        self._held.clear()
        return self._view is not None

    def _flush(self) -> None:
        window = bytes(self._held)
        del self._held[:-_CARRY]
        self._new = 0
        # Text is no number, whatever it stands for; it is decoded first, and searched then.
        stretches = [] if is_text(window) else find_stretches(window)
        if not stretches:
            self._view = None
            return
        number = self._searched // WINDOW_BYTES
        self._searched += len(window)
        if self._searched <= CLOSELY_BYTES or self._view or number % SPARSELY == 0:
            every = self._searched <= EVERY_ORDER_BYTES or number % SPARSELY == 0
            found = [self._search(window, stretch, every) for stretch in stretches]
            self._view = next(filter(None, reversed(found)), None)

    def _search(self, window: bytes, stretch: Stretch, every: bool) -> _View | None:
        """Note the blocks in a stretch; gives how they were read, or None."""
        part = np.frombuffer(window, np.uint8)[stretch.start : stretch.end]
        finder = aligner(self._look.signs)
        for view in self._views(stretch, finder, every):
            self._look.spend(0)
            sightings = finder.find(part[view.phase :: view.size], view.classes, view.orders)
            if sightings:
                order = sightings[0].order
                layers = (*self._layers, _describe(view, finder.name(order)))
                for sighting in sightings:
                    self._look.note(sighting.place, layers)
                return _View(view.size, view.phase, view.classes, (order,))
        return None

    def _views(self, stretch: Stretch, finder: Aligner, every: bool) -> list[_View]:
        """What to try, the most likely first: what helped before, then what the stretch looks like."""
        views = [self._view] if self._view else []
        # A key may turn signs over at half its length, which no count of equal bytes shows.
        for period in (stretch.period, 2 * stretch.period):
            classes = max(1, period // stretch.size)
            few = not every or classes > stretch.size * _USUAL
            orders = tuple(finder.orders)[: _USUAL if few else None]
            if period == stretch.period or (every and period <= LAGS[-1]):
                views += [_View(stretch.size, phase, classes, orders) for phase in stretch.phases]
        return views


def _describe(view: _View, order: str) -> str:
    key = f"key of {view.classes * view.size} bytes" if view.classes > 1 else ""
    return ", ".join(filter(None, (f"altered {view.size}-byte numbers", key, order)))
