"""Where opaque bytes have the structure of numbers, told by how often equal bytes come again at a distance.

Weights are independent draws from one distribution. So however their bytes were changed, as long as each is changed in
the same way or in a way that repeats, two bytes that lie a **period** apart are equal far more often than once in 256
(the test that Friedman made for repeating keys in 1922), and coincidences do not come in runs, as they do in text,
programs and pictures. Encrypted and compressed bytes have no period: they are let go after a look at a quarter of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LAGS = (1, *range(2, 130, 2), 256)
"""Distances looked at. Two-byte numbers below a repeating key of up to 64 bytes have an even period of up to 128."""

ROW = 1024
"""Bytes counted together."""

_WINDOW, _STEP = 4, 2
_SAMPLE = 256
_FLAT = 1 / 256
_REPEATS = 4
_MAX_SIZE = 8
_PHASES = 2
_TELLING, _CONSTANT = 1.15, 0.6

_Bytes = npt.NDArray[np.uint8]
_Counts = npt.NDArray[np.int64]
_Rates = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """How bytes may make up numbers."""

    size: int
    """Bytes of each number: 1, 2, 4 or 8."""
    phases: tuple[int, ...]
    """The two most telling bytes of a number, from 0, that are neither random nor all the same."""


@dataclass(frozen=True)
class Stretch:
    """Bytes that may be numbers."""

    start: int
    end: int
    period: int
    """Bytes this far apart were changed in the same way."""
    layouts: tuple[Layout, ...]
    """The most likely first."""


def find_stretches(data: bytes) -> list[Stretch]:
    """The stretches of at least `ROW` bytes that may be numbers, in order; they may overlap by a few rows."""
    rows = np.frombuffer(data, np.uint8, len(data) // ROW * ROW)
    if len(rows) == 0 or _is_flat(rows):
        return []
    counts = np.array([_by_row(rows, lag) for lag in LAGS])
    many = counts.shape[1]
    # Short windows tell where numbers begin and end; over all of the data a faint period shows, too.
    spans = _spans(rows, counts, min(_WINDOW, many)) or _spans(rows, counts, many)
    # Numbers may begin and end a little before and after the windows that are full of them.
    around = _STEP * ROW
    return [
        Stretch(max(0, start - around), min(len(rows), end + around), period, _layouts(rows[start:end], period))
        for start, end, period in spans
    ]


def _is_flat(data: _Bytes) -> bool:
    """Whether equal bytes are nowhere more frequent than in random bytes: within 6 standard deviations, or 4 in all."""
    table = np.ascontiguousarray(data.reshape(-1, ROW)[:, : 2 * _SAMPLE])
    left = table[:, :_SAMPLE]
    counts = np.array([np.count_nonzero(left == table[:, lag : lag + _SAMPLE]) for lag in LAGS])
    mean, total = left.size * _FLAT, left.size * _FLAT * len(LAGS)
    return bool(counts.max() < mean + 6 * mean**0.5 + 4 and counts.sum() < total + 4 * total**0.5)


def _by_row(data: _Bytes, lag: int) -> _Counts:
    """How many bytes of each row equal the byte `lag` further on."""
    equal = np.zeros(len(data), np.uint8)
    np.equal(data[:-lag], data[lag:], out=equal[:-lag].view(np.bool_))
    # Eight counters of a byte each in one word: 128 ones at most in each.
    lanes: npt.NDArray[np.uint64] = equal.view(np.uint64).reshape(-1, ROW // 8).sum(axis=1)
    counts: _Counts = lanes.view(np.uint8).reshape(-1, 8).sum(axis=1, dtype=np.int64)
    return counts


def _spans(data: _Bytes, counts: _Counts, width: int) -> list[tuple[int, int, int]]:
    """Where neighbouring windows of so many rows have one period and are white: start, end, period."""
    spans: list[tuple[int, int, int]] = []
    many = counts.shape[1]
    for row in range(0, many - width + 1, _STEP):
        period = _period(counts[:, row : row + width].sum(axis=1), width * ROW)
        if not period or not _is_white(data[row * ROW : (row + width) * ROW], period):
            continue
        start, end = row * ROW, (row + width) * ROW
        if spans and spans[-1][2] == period and spans[-1][1] >= start:
            start = spans.pop()[0]
        spans.append((start, end, period))
    return spans


def _period(counts: _Counts, size: int) -> int:
    """The smallest lag at which coincidences are as frequent as at any; 0 where all are as in random bytes."""
    flat = size * _FLAT
    most, mean = int(counts.max()), float(counts.mean())
    if most < flat + 6 * flat**0.5 + 4 and mean < flat + 5 * (flat / len(LAGS)) ** 0.5:
        return 0
    if most < 1.25 * mean + 4 * mean**0.5 and counts[0] > mean - 4 * mean**0.5:
        return 1
    first: int = LAGS[int(np.argmax(counts >= 0.85 * most - 2 * most**0.5))]
    return first


def _is_white(data: _Bytes, period: int) -> bool:
    """Whether two coincidences follow each other only as often as chance has it."""
    seen, expected = 0, 0.0
    for lag in range(period, (_REPEATS + 1) * period, period):
        equal = data[:-lag] == data[lag:]
        if len(equal) < 2 * period:
            break
        seen += int(np.count_nonzero(equal[:-period] & equal[period:]))
        expected += float((_rates(equal, period) ** 2).mean() * len(equal))
    return seen < 1.2 * expected + 3 * math.sqrt(expected) + 4


def _rates(equal: npt.NDArray[np.bool_], fold: int) -> _Rates:
    """The share of ones in each phase."""
    # Numpy adds long rows much faster than short ones.
    wide = fold * max(1, ROW // 4 // fold)
    table = equal[: len(equal) // wide * wide].view(np.uint8).reshape(-1, wide)
    ones: _Rates = table.sum(axis=0, dtype=np.float64).reshape(-1, fold).mean(axis=0)
    return ones / max(1, len(table))


def _layouts(data: _Bytes, period: int) -> tuple[Layout, ...]:
    """What the numbers may look like, from how often bytes of each phase coincide."""
    fold = math.lcm(period, _MAX_SIZE)
    lags = [lag for lag in range(period, (_REPEATS + 1) * period, period) if len(data) > lag + fold]
    rates = sum((_rates(data[:-lag] == data[lag:], fold) for lag in lags), np.zeros(fold)) / max(1, len(lags))
    table = rates.reshape(-1, _MAX_SIZE).mean(axis=0)
    seen = next(size for size in (1, 2, 4, 8) if _is_even(table.reshape(-1, size)))
    # Bytes of different significance may coincide equally often; then the period alone tells that they are different.
    sizes = dict.fromkeys((seen, period)) if period in (2, 4, 8) else (seen if period > 1 else 1,)
    return tuple(Layout(size, _telling(table.reshape(-1, size).mean(axis=0))) for size in sizes)


def _telling(rates: _Rates) -> tuple[int, ...]:
    telling = [int(i) for i in np.argsort(-rates) if _FLAT * _TELLING < rates[i] < _CONSTANT]
    return tuple(telling[:_PHASES])


def _is_even(table: _Rates) -> bool:
    """Whether the rates in each column are the same."""
    return bool((np.ptp(table, axis=0) <= 0.25 * table.mean(axis=0) + _FLAT / 2).all())
