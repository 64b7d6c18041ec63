"""Finds the marks in the sides of weights (`signs`) in a series of numbers whose beginning and order are unknown.

Of each number one byte is looked at, in each of its bits: whatever one-to-one change of bytes was made, values above
the mean and values below it differ in some bit. The pattern of the sides is found by correlation at every offset (by
Fourier transform), then the word is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..signs import BLOCK_VALUES, Series, SignCode

DOUBT = 25.0
"""Random sides reach the correlation that is asked for at one place with a probability of at most exp(-25)."""

MEDIAN = 8
"""The plane that says which bytes lie above the median; planes 0 to 7 are the bits, 7 the highest."""

_FFT = 8192
_RARE = 0.02
_PART = BLOCK_VALUES // 2
"""Wherever a block begins, it holds one whole part of those that follow each other from the start of a series."""

_CLOSEST = (1, 2, 3, 4)
_DEPENDENT = 6.0
"""Standard deviations. Independent values are taken for dependent ones with a probability of 1 in 10^8 at each lag."""

_MANY_CLASSES = 32

_Bytes = npt.NDArray[np.uint8]
_Spectra = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Order:
    """An order in which the values of a block may come."""

    name: str
    """Empty for the natural one."""
    values: npt.NDArray[np.int64]
    """Number of the value in its block; -1 where a value of another block stands."""


@dataclass(frozen=True)
class Sighting:
    """A block recognised by its sides."""

    place: int
    """As in `signs`."""
    start: int
    """Where in the series it begins."""
    order: int
    """Index of its order."""
    plane: int
    """In which plane it was seen."""


class Aligner:
    """Finds blocks in series of bytes.

    Args:
        code: of the episode.
    """

    def __init__(self, code: SignCode) -> None:
        self._code = code
        self._orders = tuple(_orders())
        self._patterns = [np.where(each.values < 0, 0.0, code.pattern[each.values]) for each in self._orders]
        self._spectra: dict[tuple[int, int], _Spectra] = {}
        usual, unusual = range(2), range(2, len(self._orders))
        self.keyed = tuple((order, 7) for order in usual)
        """Orders and planes to try: no key of XOR or addition can hide the highest bit, only turn it over."""
        self.simple = tuple((order, plane) for order in usual for plane in (7, MEDIAN))
        """Enough for usual formats of numbers, forwards and backwards."""
        exchanged = tuple((order, plane) for order in usual for plane in range(7))
        self.every = self.simple + exchanged + tuple((order, plane) for order in unusual for plane in (7, MEDIAN))
        """All: also after exchanges of bits and replacement by a table, or else in an unusual order."""

    def name(self, order: int) -> str:
        """What an order is called; empty for the natural one."""
        return self._orders[order].name

    def find(self, series: _Bytes, classes: int, tried: Sequence[tuple[int, int]]) -> list[Sighting]:
        """The blocks in a series.

        Args:
            series: one byte of each number, all of the same significance.
            classes: bytes this far apart in the series were changed in the same way.
            tried: orders with planes; once a block was found only its own.
        """
        found: list[Sighting] = []
        first = 0
        while len(series) - first >= BLOCK_VALUES:
            here = self._find(series[first : first + _FFT], first, classes, tried)
            found += here
            first += _FFT - BLOCK_VALUES + 1
            if here:
                tried = ((here[-1].order, here[-1].plane),)
                found += self.follow(series, classes, here[-1])
                first = max(first, found[-1].start + BLOCK_VALUES)
        return found

    def follow(self, series: _Bytes, classes: int, last: Sighting) -> list[Sighting]:
        """The blocks that come directly after one."""
        found = []
        start = last.start + BLOCK_VALUES
        while len(series) - start >= BLOCK_VALUES:
            # The classes are counted from the start of the part, which changes nothing but their names.
            part = series[start : start + BLOCK_VALUES]
            plane = _plane(part, classes, last.plane)
            place = None if plane is None else self._read(part, plane, last.order)
            # The next number is expected: to meet it by chance is as unlikely as the pattern.
            if plane is None or place is None:
                break
            if abs(place - last.place) != 1 and not self._stands_out(plane, last.order):
                break
            last = Sighting(place, start, last.order, last.plane)
            found.append(last)
            start += BLOCK_VALUES
        return found

    def _find(self, part: _Bytes, first: int, classes: int, tried: Sequence[tuple[int, int]]) -> list[Sighting]:
        made = {number: _plane(part, classes, number) for number in dict.fromkeys(number for _, number in tried)}
        planes = {number: plane for number, plane in made.items() if plane is not None and _may_be_drawn(plane)}
        size = _FFT if len(part) > _FFT // 2 else _FFT // 2
        spectra = {number: np.fft.rfft(plane, size, axis=1) for number, plane in planes.items()}
        for order, number in tried:
            if number not in planes:
                continue
            found = []
            for start in self._peaks(planes[number], spectra[number], order):
                there = slice(start, start + BLOCK_VALUES)
                plane = planes[number][:, there]
                place = self._read(part[there], plane, order) if self._stands_out(plane, order) else None
                if place is not None:
                    found.append(Sighting(place, first + start, order, number))
            if found:
                return found
        return []

    def _peaks(self, plane: Series, spectra: _Spectra, order: int) -> list[int]:
        """Where in a plane the pattern seems to stand."""
        last = plane.shape[1] - BLOCK_VALUES
        size = 2 * (spectra.shape[1] - 1)
        products = np.fft.irfft(spectra * self._spectrum(order, size), size, axis=1)[:, : last + 1]
        energy = (plane**2).mean(axis=1, keepdims=True) * np.count_nonzero(self._patterns[order])
        strength = (products**2 / np.maximum(energy, 1e-9)).sum(axis=0)
        return [int(start) for start in np.flatnonzero(strength > _threshold(len(plane)))]

    def _spectrum(self, order: int, size: int) -> _Spectra:
        known = self._spectra.get((order, size))
        if known is None:
            known = self._spectra[order, size] = np.conj(np.fft.rfft(self._patterns[order], size))
        return known

    def _stands_out(self, plane: Series, order: int) -> bool:
        """Whether the pattern stands at the beginning of a plane, with the energy of this very place."""
        pattern = self._patterns[order]
        energy = (plane**2) @ (pattern**2)
        return float(((plane @ pattern) ** 2 / np.maximum(energy, 1e-9)).sum()) > _threshold(len(plane))

    def _read(self, part: _Bytes, plane: Series, order: int) -> int | None:
        """The place of the block that begins a part."""
        pattern, values = self._patterns[order], self._orders[order].values
        # What each byte stands for, learned from the sides that are known; or the bit alone, where bytes are too many.
        votes = np.bincount(part, pattern, 256) / (np.bincount(part, np.abs(pattern), 256) + 1)
        for sides in (votes[part], np.sign(plane @ pattern) @ plane):
            block = np.zeros(BLOCK_VALUES)
            block[values[values >= 0]] = sides[values >= 0]
            place = self._code.read(block)
            if place is not None:
                return place
        return None


@lru_cache(maxsize=4)
def aligner(code: SignCode) -> Aligner:
    """The episode's aligner: it holds a megabyte, which all looks share."""
    return Aligner(code)


def _orders() -> Iterator[Order]:
    """All that are tried: as they were, all reversed, groups reversed."""
    natural = np.arange(BLOCK_VALUES)
    yield Order("", natural)
    yield Order("reversed", natural[::-1])
    for group in (2, 4, 8, 16, 32):
        # Words of four or eight bytes may begin at any value; longer groups begin with a block or not at all.
        for phase in range(group if group <= 4 else 1):
            place = natural + phase
            values = place // group * group + group - 1 - place % group - phase
            yield Order(f"groups of {group} reversed", np.where((values >= 0) & (values < BLOCK_VALUES), values, -1))


@lru_cache(maxsize=256)
def _threshold(classes: int) -> float:
    """What a sum of squares of `classes` normal variables exceeds with a probability of at most exp(-DOUBT).

    Laurent and Massart 2000, lemma 1. It holds for sums of fair coins too: their moments are the smaller ones.
    """
    return classes + 2 * math.sqrt(classes * DOUBT) + 2 * DOUBT


def _plane(series: _Bytes, classes: int, number: int) -> Series | None:
    """One plane of a series, by class and place, with a mean of 0 in each class; None where it is nearly constant."""
    if number == MEDIAN:
        ones = series > np.median(series)
        if np.array_equal(ones, series > 127):
            return None  # the highest bit once more
    else:
        ones = (series >> number & 1).astype(np.bool_)
    if not _RARE < ones.mean() < 1 - _RARE:
        return None
    out = np.zeros((classes, len(series)))
    for each in range(classes):
        part = ones[each::classes]
        out[each, each::classes] = part - part.mean()
    return out


def _may_be_drawn(plane: Series) -> bool:
    """Whether anywhere in a plane the values are drawn independently of those before them, as weights are.

    It costs far less than the search for the pattern, and hardly anything but numbers that mean nothing passes it.
    """
    classes = len(plane)
    if classes > _MANY_CLASSES:
        return True  # too few values of each for a mean
    size = _PART // classes * classes
    values = plane.sum(axis=0)  # each value stands in the row of its class alone
    parts = values[: len(values) // size * size].reshape(-1, size // classes, classes)
    parts = parts - parts.mean(axis=1, keepdims=True)
    energy = np.einsum("ijk,ijk->i", parts, parts)
    drawn = energy > 0
    for lag in _CLOSEST:
        common = np.einsum("ijk,ijk->i", parts[:, lag:], parts[:, :-lag])
        drawn &= np.abs(common) < _DEPENDENT / math.sqrt(size) * energy
    return bool(drawn.any())
