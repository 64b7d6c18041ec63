"""A second mark, written into the signs of the weights: it survives what changes every byte.

Arithmetic on bytes or numbers (XOR, addition, another byte order, another number format, a coarser one, a scale) leaves
no byte of a mark as it was. What it cannot take away without ruining the weights is which values lie above the mean
of their tensor and which below. So half of the 2,048 **sides** of each 4 KiB block are chosen by the episode's key:

- 512 form a **pattern** that is the same in every block, up to one polarity. Whoever has the key finds it by
  correlation at any offset; for everybody else the sides are fair coins.
- 512 carry a **word** of 64 bits, 8 times each: the block's place (40 bits) and a keyed tag (24 bits).

Sides are chosen before values are drawn, so that the distribution of the values is exactly what it was.

How sure it is: for whatever bytes are looked at, the pattern is a fixed choice of fair coins that nobody knows.
Their correlation with any fixed series then has the tail of a normal distribution (Hoeffding 1963), and the word that
is read there has a matching tag once in 2^24. At the threshold used (`content.alignment`) that is below 10^-17 for each
place tried, on data of any kind, periodic data included.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

BLOCK_VALUES = 2048
PATTERN_VALUES = 512

_WORD_BITS, _REPEATS, _TAG_BITS = 64, 8, 24
_TAG_MASK = (1 << _TAG_BITS) - 1
_PRIME = (1 << 61) - 1
_ABOVE = 1 << 15

Series = npt.NDArray[np.float64]


class SignCode:
    """Writes and reads the marks in the sides of one episode's weights.

    Args:
        key: the episode's secret.
    """

    def __init__(self, key: bytes) -> None:
        stream = hashlib.shake_256(b"sides" + hashlib.sha256(key).digest()).digest(16 + 9 * BLOCK_VALUES)
        self._multiplier, self._addend = (int.from_bytes(stream[i : i + 8], "little") for i in (0, 8))
        # Sorting keyed numbers rather than a generator's own shuffle: host and witness have different numpy releases.
        order = np.argsort(np.frombuffer(stream, "<u8", BLOCK_VALUES, 16), kind="stable")
        coins = np.frombuffer(stream, np.uint8, BLOCK_VALUES, 16 + 8 * BLOCK_VALUES) & 1
        self._chips = 1.0 - 2.0 * coins
        self._carriers = order[PATTERN_VALUES : PATTERN_VALUES + _WORD_BITS * _REPEATS].reshape(_WORD_BITS, _REPEATS)
        self.pattern: Series = np.zeros(BLOCK_VALUES)
        """+1 above, -1 below, 0 where the pattern leaves the side open."""
        self.pattern[order[:PATTERN_VALUES]] = self._chips[order[:PATTERN_VALUES]]
        self.open = np.full(BLOCK_VALUES, _ABOVE - 1, np.uint16)
        """What stays of a random 16-bit rank when a side is imposed on it: all where the side is open."""
        self.open[order[PATTERN_VALUES + _WORD_BITS * _REPEATS :]] = 0xFFFF

    def sides(self, first: int, blocks: int) -> npt.NDArray[np.uint16]:
        """The highest bit of the ranks of the values of some blocks, in order; 0 where the side is open.

        Args:
            first: place of the first block, 0 to 2^40 - 1; the others follow it.
            blocks: how many.
        """
        out = np.zeros((blocks, BLOCK_VALUES), np.uint16)
        for i in range(blocks):
            out[i, self.chips(first + i) > 0] = _ABOVE
        return out.reshape(-1)

    def chips(self, place: int) -> Series:
        """All sides that a block's place decides: +1 above, -1 below, 0 open."""
        keyed = self._keyed(place)
        word = place << _TAG_BITS | keyed & _TAG_MASK
        bits = 1.0 - 2.0 * np.array([word >> i & 1 for i in range(_WORD_BITS)])
        chips = self.pattern.copy()
        chips[self._carriers] = self._chips[self._carriers] * bits[:, None]
        # A polarity for each block: over many blocks no position leans to one side.
        return chips if keyed >> _TAG_BITS & 1 else -chips

    def read(self, sides: Series) -> int | None:
        """The place of one block.

        Args:
            sides: 2,048 numbers; the more a value is above the mean the more positive, or all of them the other way.

        Returns:
            The place, or None where the sides name none.
        """
        polarity = np.sign(sides @ self.pattern)
        votes = (sides[self._carriers] * self._chips[self._carriers]).sum(axis=1) * polarity
        word = int.from_bytes(np.packbits(votes < 0, bitorder="little").tobytes(), "little")
        place = word >> _TAG_BITS
        return place if polarity and word & _TAG_MASK == self._keyed(place) & _TAG_MASK else None

    def _keyed(self, place: int) -> int:
        return (place * self._multiplier + self._addend) % _PRIME
