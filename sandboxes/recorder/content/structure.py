"""Where opaque bytes have the structure of numbers, told by how often equal bytes come again at a distance.

Weights are independent draws from one distribution. So however their bytes were changed, as long as each is changed in
the same way or in a way that repeats, two bytes that lie a **period** apart are equal far more often than once in 256
(the test of Friedman 1922 for repeating keys), and coincidences do not come in runs, as they do in text, programs and
pictures. Encrypted and compressed bytes have no period: most of what is opaque is let go after a look at a quarter of it.
"""

from __future__ import annotations

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

_Bytes = npt.NDArray[np.uint8]
_Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stretch:
    """Bytes that may be numbers."""

    start: int
    end: int
    period: int
    """Bytes this far apart were changed in the same way."""


def find_stretches(data: bytes) -> list[Stretch]:
    """The stretches of at least `ROW` bytes that may be numbers, in order; they may overlap by a few rows."""
    rows = np.frombuffer(data, np.uint8, len(data) // ROW * ROW)
    if len(rows) == 0 or _is_flat(rows):
        return []
    return [each for each in _periodic(rows) if _is_white(rows[each.start : each.end], each.period)]


def _is_flat(data: _Bytes) -> bool:
    """Whether equal bytes are nowhere more frequent than in random bytes: within 6 standard deviations, or 4 in all."""
    table = np.ascontiguousarray(data.reshape(-1, ROW)[:, : 2 * _SAMPLE])
    left = table[:, :_SAMPLE]
    counts = np.array([np.count_nonzero(left == table[:, lag : lag + _SAMPLE]) for lag in LAGS])
    mean = left.size * _FLAT
    return bool(counts.max() < mean + 6 * mean**0.5 + 4 and counts.sum() < len(LAGS) * mean + 4 * (len(LAGS) * mean) ** 0.5)


def _periodic(data: _Bytes) -> list[Stretch]:
    """Neighbouring rows of one period."""
    counts = np.array([_by_row(data, lag) for lag in LAGS])
    many = counts.shape[1]
    width = min(_WINDOW, many)
    sums = np.array([counts[:, i : i + width].sum(axis=1) for i in range(many - width + 1)])
    found: list[Stretch] = []
    for i, period in enumerate(_period(each, width * ROW) for each in sums):
        start, end = max(0, i - 1) * ROW, min(many, i + width + 1) * ROW
        if period and found and found[-1].period == period and found[-1].end >= start:
            found[-1] = Stretch(found[-1].start, end, period)
        elif period:
            found.append(Stretch(start, end, period))
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
    if most < 1.5 * mean + 4 * mean**0.5 and counts[0] > mean - 4 * mean**0.5:
        return 1
    return LAGS[int(np.argmax(counts >= 0.85 * most))]


def _is_white(data: _Bytes, period: int) -> bool:
    """Whether two coincidences follow each other only as often as chance has it."""
    whole = data[: len(data) // period * period]
    seen, expected = 0, 0.0
    for lag in range(period, (_REPEATS + 1) * period, period):
        if len(whole) <= lag + period:
            break
        equal = whole[:-lag] == whole[lag:]
        seen += int(np.count_nonzero(equal[:-period] & equal[period:]))
        expected += float((equal.reshape(-1, period).mean(axis=0) ** 2).sum() * (len(equal) / period))
    return seen < 1.5 * expected + 5 * expected**0.5 + 4
