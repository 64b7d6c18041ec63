"""Where opaque bytes have the structure of numbers, told by how often equal bytes come again at a distance.

Weights are independent draws from one distribution. So however their bytes were changed, as long as each is changed in
the same way or in a way that repeats, two bytes that lie a **period** apart are equal far more often than once in 256
(the test of Friedman 1922 for repeating keys), and coincidences do not come in runs, as they do in text, programs and
pictures. Encrypted and compressed bytes have no period: most of what is opaque is let go after a look at a quarter of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LAGS = (1, *range(2, 130, 2), 256)
"""Distances looked at. Two-byte numbers below a repeating key of up to 64 bytes have an even period of up to 128."""

ROW = 1024
_WINDOW = 4
_SAMPLE = 256
_FLAT = 1 / 256
_REPEATS = 8
_MAX_SIZE = 8
_TELLING = 1.15
_CONSTANT = 0.97

_Bytes = npt.NDArray[np.uint8]
_Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stretch:
    """Bytes that may be numbers."""

    start: int
    end: int
    period: int
    """Bytes this far apart were changed in the same way."""
    size: int
    """Bytes of each number: 1, 2, 4 or 8; 1 also where bytes of different significance do not differ."""
    phases: tuple[int, ...]
    """Which bytes of a number, from 0, are neither random nor all the same, the most telling first."""


def find_stretches(data: bytes) -> list[Stretch]:
    """The stretches of at least `ROW` bytes that may be numbers, in order; they may overlap by a few rows."""
    rows = np.frombuffer(data, np.uint8, len(data) // ROW * ROW)
    if len(rows) == 0 or _is_flat(rows):
        return []
    judged = (_judge(rows, *span) for span in _periodic(rows))
    return [stretch for stretch in judged if stretch]


def _is_flat(data: _Bytes) -> bool:
    """Whether equal bytes are nowhere more frequent than in random bytes: within 6 standard deviations, or 4 in all."""
    table = np.ascontiguousarray(data.reshape(-1, ROW)[:, : 2 * _SAMPLE])
    left = table[:, :_SAMPLE]
    counts = np.array([np.count_nonzero(left == table[:, lag : lag + _SAMPLE]) for lag in LAGS])
    mean = left.size * _FLAT
    return bool(
        counts.max() < mean + 6 * mean**0.5 + 4 and counts.sum() < len(LAGS) * mean + 4 * (len(LAGS) * mean) ** 0.5
    )


def _periodic(data: _Bytes) -> list[tuple[int, int, int]]:
    """Where neighbouring rows have one period: start, end, period."""
    counts = np.array([_by_row(data, lag) for lag in LAGS])
    many = counts.shape[1]
    found: list[tuple[int, int, int]] = []
    # Short windows tell where it starts; over all of the data a faint period shows, too.
    for width in (min(_WINDOW, many), many):
        if found:
            break
        for i in range(many - width + 1):
            period = _period(counts[:, i : i + width].sum(axis=1), width * ROW)
            start, end = max(0, i - 1) * ROW, min(many, i + width + 1) * ROW
            if period and found and found[-1][2] == period and found[-1][1] >= start:
                found[-1] = (found[-1][0], end, period)
            elif period:
                found.append((start, end, period))
    return found


def _by_row(data: _Bytes, lag: int) -> _Counts:
    """How many bytes of each row equal the byte `lag` further on."""
    equal = np.zeros(len(data), np.uint8)
    np.equal(data[:-lag], data[lag:], out=equal[:-lag].view(np.bool_))
    # Eight counters of a byte each in one word: 128 ones at most in each.
    lanes: npt.NDArray[np.uint64] = equal.view(np.uint64).reshape(-1, ROW // 8).sum(axis=1)
    return lanes.view(np.uint8).reshape(-1, 8).sum(axis=1, dtype=np.int64)


def _period(counts: _Counts, size: int) -> int:
    """The smallest lag at which coincidences are as frequent as at any; 0 where all are as in random bytes."""
    flat = size * _FLAT
    most, mean = int(counts.max()), float(counts.mean())
    if most < flat + 6 * flat**0.5 + 4 and mean < flat + 5 * (flat / len(LAGS)) ** 0.5:
        return 0
    if most < 1.25 * mean + 4 * mean**0.5 and counts[0] > mean - 4 * mean**0.5:
        return 1
    return LAGS[int(np.argmax(counts >= 0.85 * most - 2 * most**0.5))]


def _judge(data: _Bytes, start: int, end: int, period: int) -> Stretch | None:
    """The stretch, if coincidences follow each other only as often as chance has it."""
    fold = math.lcm(period, _MAX_SIZE)
    whole = data[start : start + (end - start) // fold * fold]
    seen, expected, many = 0, 0.0, 0
    rate = np.zeros(fold)
    for lag in range(period, (_REPEATS + 1) * period, period):
        if len(whole) < lag + fold:
            break
        equal = np.zeros(len(whole), np.bool_)
        np.equal(whole[:-lag], whole[lag:], out=equal[:-lag])
        seen += int(np.count_nonzero(equal[:-period] & equal[period:]))
        here = equal.reshape(-1, fold).sum(axis=0) / ((len(whole) - lag) / fold)
        expected += float((here**2).mean() * len(whole))
        rate, many = rate + here, many + 1
    if not many or seen > 1.5 * expected + 5 * expected**0.5 + 4:
        return None
    return Stretch(start, end, period, *_numbers(rate / many))


def _numbers(rate: npt.NDArray[np.float64]) -> tuple[int, tuple[int, ...]]:
    """The size of the numbers, and their bytes that tell something, from how often bytes of each phase coincide."""
    size = next(size for size in (1, 2, 4, 8) if size == _MAX_SIZE or _is_even(rate, size))
    mean = rate.reshape(-1, size).mean(axis=0)
    phases = [i for i in np.argsort(-mean) if _FLAT * _TELLING < mean[i] < _CONSTANT]
    return size, tuple(int(i) for i in phases)


def _is_even(rate: npt.NDArray[np.float64], size: int) -> bool:
    """Whether bytes `size` apart coincide equally often."""
    table = rate.reshape(-1, _MAX_SIZE).mean(axis=0).reshape(-1, size)
    return bool((np.ptp(table, axis=0) <= 0.25 * table.mean(axis=0) + _FLAT / 2).all())
