"""Finds the marks in the sides of weights (`signs`) in a series of numbers whose beginning and order are unknown.

Of each number one byte is looked at, in each of its bits: whatever one-to-one change of bytes was made, values above the
mean and values below it differ in some bit. The pattern of the sides is found by correlation at every offset (by
Fourier transform), then the word is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..signs import BLOCK_VALUES, Series, SignCode

DOUBT = 25.0
"""A correlation that random sides reach at one place with a probability of at most exp(-25)."""

_MAX_FFT = 8192
_RARE = 0.02
_MANY = 4

_Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Order:
    """An order in which the values of a block may come."""

    name: str
    """Empty for the natural one."""
    values: npt.NDArray[np.int64]
    """Number of the value in its block; -1 where a value of another block stands."""


def orders() -> Iterator[Order]:
    """All that are tried: as they were, all reversed, groups reversed, every second one."""
    natural = np.arange(BLOCK_VALUES)
    yield Order("", natural)
    yield Order("reversed", natural[::-1])
    for group in (2, 4, 8, 16, 32):
        # Words of four or eight bytes may begin at any value; longer groups begin with a block or not at all.
        for phase in range(group if group <= 4 else 1):
            place = natural + phase
            values = place // group * group + group - 1 - place % group - phase
            yield Order(f"groups of {group} reversed", np.where((values >= 0) & (values < BLOCK_VALUES), values, -1))
    for phase in (0, 1):
        yield Order("two to a byte", natural[phase::2])


@dataclass(frozen=True)
class Sighting:
    """A block recognised by its sides."""

    place: int
    """As in `signs`."""
    order: int
    """Index of its order."""


class Aligner:
    """Finds blocks in series of bytes.

    Args:
        code: of the episode.
    """

    def __init__(self, code: SignCode) -> None:
        self._code = code
        self._orders = tuple(orders())
        self._patterns = [np.where(each.values < 0, 0.0, code.pattern[each.values]) for each in self._orders]
        self._spectra: dict[tuple[int, int], npt.NDArray[np.complex128]] = {}

    @property
    def orders(self) -> range:
        """Indices of all orders; the first are natural and reversed."""
        return range(len(self._orders))

    def name(self, order: int) -> str:
        """What an order is called; empty for the natural one."""
        return self._orders[order].name

    def find(self, series: _Bytes, classes: int, tried: Sequence[int]) -> list[Sighting]:
        """The blocks in a series.

        Args:
            series: one byte of each number, all of the same significance.
            classes: bytes this far apart in the series were changed in the same way.
            tried: indices of the orders to try; nothing further is tried once one is found.
        """
        found: dict[int, Sighting] = {}
        for first in range(0, max(1, len(series) - BLOCK_VALUES // 2), _MAX_FFT - BLOCK_VALUES):
            part = series[first : first + _MAX_FFT]
            planes = _planes(part, classes)
            if not len(planes):
                continue
            size = _MAX_FFT if len(part) > _MAX_FFT // 2 else _MAX_FFT // 2
            spectra = np.fft.rfft(planes, size, axis=2)
            for order in tried:
                for start, plane in self._peaks(planes, spectra, order, len(part), size):
                    place = self._read(part[start:], planes[plane, :, start:], order)
                    if place is not None:
                        found[first + start] = Sighting(place, order)
                if found:
                    tried = (order,)
                    break
        return list(found.values())

    def _peaks(
        self, planes: Series, spectra: npt.NDArray[np.complex128], order: int, length: int, size: int
    ) -> Iterator[tuple[int, int]]:
        """Where the pattern seems to stand: start and plane."""
        pattern = self._patterns[order]
        last = length - len(pattern)
        if last < 0:
            return
        products = np.fft.irfft(spectra * self._spectrum(order, size), size, axis=2)[:, :, : last + 1]
        energy = (planes**2).mean(axis=2, keepdims=True) * np.count_nonzero(pattern)
        strength = (products**2 / np.maximum(energy, 1e-9)).sum(axis=1)
        threshold = _threshold(planes.shape[1])
        best = strength.argmax(axis=0)
        for start in np.flatnonzero(strength.max(axis=0) > threshold):
            plane = int(best[start])
            # The energy above is the average; a bound has to hold with the energy at this very place.
            there = planes[plane, :, start : start + len(pattern)]
            exact = ((there @ pattern) ** 2 / np.maximum((there * pattern) ** 2 @ np.ones(len(pattern)), 1e-9)).sum()
            if exact > threshold:
                yield int(start), plane

    def _spectrum(self, order: int, size: int) -> npt.NDArray[np.complex128]:
        known = self._spectra.get((order, size))
        if known is None:
            known = self._spectra[order, size] = np.conj(np.fft.rfft(self._patterns[order], size))
        return known

    def _read(self, series: _Bytes, plane: Series, order: int) -> int | None:
        pattern, values = self._patterns[order], self._orders[order].values
        series, plane = series[: len(pattern)], plane[:, : len(pattern)]
        # What each byte stands for, learned from the sides that are known; or the bit alone, where bytes are too many.
        votes = np.bincount(series, pattern, 256) / (np.bincount(series, np.abs(pattern), 256) + 1)
        for sides in (votes[series], np.sign(plane @ pattern) @ plane):
            block = np.zeros(BLOCK_VALUES)
            block[values[values >= 0]] = sides[values >= 0]
            place = self._code.read(block)
            if place is not None:
                return place
        return None


@lru_cache(maxsize=256)
def _threshold(classes: int) -> float:
    """What a sum of squares of `classes` normal variables exceeds with a probability of at most exp(-DOUBT).

    Laurent and Massart 2000, lemma 1; it holds for sums of fair coins too, whose squares have smaller moments.
    """
    return classes + 2 * (classes * DOUBT) ** 0.5 + 2 * DOUBT


def _planes(series: _Bytes, classes: int) -> Series:
    """The bits of a series, and which bytes lie above the median: arrays of plane, class, place; mean 0 in each class.

    With many classes it is only the highest bit: XOR and addition may turn it over in a class, never hide it.
    """
    if classes > _MANY:
        planes = (series[None] >> 7).astype(np.float64)
    else:
        above = series > np.median(series)
        planes = np.concatenate((np.unpackbits(series[:, None], axis=1).T, above[None])).astype(np.float64)
    level = planes.mean(axis=1)
    planes = planes[(level > _RARE) & (level < 1 - _RARE)]
    out = np.zeros((len(planes), classes, len(series)))
    for each in range(classes):
        part = planes[:, each::classes]
        out[:, each, each::classes] = part - part.mean(axis=1, keepdims=True)
    return out


@lru_cache(maxsize=4)
def aligner(code: SignCode) -> Aligner:
    """The episode's aligner: it holds a few megabytes, which all looks share."""
    return Aligner(code)
