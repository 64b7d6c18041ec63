"""Where opaque bytes have the structure of numbers, told by how often equal bytes come again at a distance.

Weights are independent draws from one distribution. So however their bytes were changed, as long as each is changed in
the same way or in a way that repeats, two bytes that lie a **period** apart are equal far more often than once in 256
(the test that Friedman made for repeating keys in 1922), and coincidences do not come in runs, as they do in text,
programs and pictures. Encrypted and compressed bytes have no period: they are let go after a look at a quarter of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .records import LONGEST, Record, are_all_numbers, find_records

LAGS = (1, *range(2, LONGEST + 1, 2), 256)
"""Distances looked at. Two-byte numbers below a repeating key of up to 64 bytes have an even period of up to 128."""

ROW = 1024
"""Bytes counted together."""

_WINDOW, _STEP = 4, 2
_SAMPLE = 256
_FLAT = 1 / 256
_REPEATS = 4
_MAX_SIZE = 8
_ABOUT_MOST = 0.7
_MAX_ALONE = 16
"""Bytes of a record that holds one number: a tag or an index, and the number."""
_PHASES = 2
_TELLING, _CONSTANT = 1.15, 0.6

_Bytes = npt.NDArray[np.uint8]
_Counts = npt.NDArray[np.int64]
_Rates = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """How bytes may make up numbers."""

    size: int
    """Bytes of each number: 1, 2, 4 or 8; or of a record that holds one."""
    phases: tuple[int, ...]
    """The two most telling bytes of a number, from 0, that are neither random nor all the same."""
    record: Record | None = None
    """Where numbers stand in records with something else; it counts from the start of the data."""


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
    room = np.zeros(len(rows), np.bool_)
    counts = np.array([_by_row(rows, lag, room) for lag in LAGS])
    many = counts.shape[1]
    # Short windows tell where numbers begin and end; over all of the data a faint period shows, too.
    spans = _spans(rows, counts, min(_WINDOW, many)) or _spans(rows, counts, many)
    # Numbers may begin and end a little before and after the windows that are full of them.
    around = _STEP * ROW
    found = [(start, end, period, _layouts(rows[start:end], period)) for start, end, period in spans]
    for start, end in _joined(spans):
        lag = _common_lag(counts[:, start // ROW : end // ROW].sum(axis=1))
        if lag and (layouts := tuple(_in_records(rows[start:end], lag, start))):
            found.append((start, end, lag, layouts))
    return [
        Stretch(max(0, start - around), min(len(rows), end + around), period, layouts)
        for start, end, period, layouts in found
    ]


def _joined(spans: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Spans that touch or overlap as one: where a period is faint, not every window shows it."""
    joined: list[tuple[int, int]] = []
    for start, end, _ in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def _is_flat(data: _Bytes) -> bool:
    """Whether equal bytes are nowhere more frequent than in random bytes: within 6 standard deviations, or 4 in all."""
    table = np.ascontiguousarray(data.reshape(-1, ROW)[:, : 2 * _SAMPLE])
    left = table[:, :_SAMPLE]
    counts = np.array([np.count_nonzero(left == table[:, lag : lag + _SAMPLE]) for lag in LAGS])
    mean, total = left.size * _FLAT, left.size * _FLAT * len(LAGS)
    return bool(counts.max() < mean + 6 * mean**0.5 + 4 and counts.sum() < total + 4 * total**0.5)


def _by_row(data: _Bytes, lag: int, room: npt.NDArray[np.bool_]) -> _Counts:
    """How many bytes of each row equal the byte `lag` further on; `room` is as long as the data."""
    np.equal(data[:-lag], data[lag:], out=room[:-lag])
    room[-lag:] = False
    # Eight counters of a byte each in one word: 128 ones at most in each.
    lanes: npt.NDArray[np.uint64] = room.view(np.uint64).reshape(-1, ROW // 8).sum(axis=1)
    counts: _Counts = lanes.view(np.uint8).reshape(-1, 8).sum(axis=1, dtype=np.int64)
    return counts


def _spans(data: _Bytes, counts: _Counts, width: int) -> list[tuple[int, int, int]]:
    """Where neighbouring windows of so many rows have one period and are white: start, end, period."""
    spans: list[tuple[int, int, int]] = []
    windows = sliding_window_view(data.reshape(-1, ROW), width, axis=0)[::_STEP].swapaxes(1, 2)
    periods = _periods(sliding_window_view(counts, width, axis=1)[:, ::_STEP].sum(axis=2), width * ROW)
    # All windows of one period are judged at once: in most data nearly all have the same.
    for period in sorted(set(periods[periods > 0].tolist())):
        having = np.flatnonzero(periods == period)
        periods[having[~_are_white(windows[having].reshape(len(having), -1), period)]] = 0
    for window in np.flatnonzero(periods).tolist():
        start, period = window * _STEP * ROW, int(periods[window])
        end = start + width * ROW
        if spans and spans[-1][2] == period and spans[-1][1] >= start:
            start = spans.pop()[0]
        spans.append((start, end, period))
    return spans


def _periods(counts: _Counts, size: int) -> _Counts:
    """For each column the smallest lag of about the most coincidences; 0 where all are as in random bytes.

    Args:
        counts: coincidences by lag and column.
        size: how many bytes each column is of.
    """
    flat = size * _FLAT
    most, mean = counts.max(axis=0), counts.mean(axis=0)
    random = (most < flat + 6 * flat**0.5 + 4) & (mean < flat + 5 * (flat / len(LAGS)) ** 0.5)
    even = (most < 1.25 * mean + 4 * mean**0.5) & (counts[0] > mean - 4 * mean**0.5)
    first = np.array(LAGS)[np.argmax(counts >= 0.85 * most - 2 * most**0.5, axis=0)]
    return np.where(random, 0, np.where(even, 1, first))


def _are_white(windows: _Bytes, period: int) -> npt.NDArray[np.bool_]:
    """In which windows two coincidences follow each other only as often as chance has it."""
    seen, expected = np.zeros(len(windows)), np.zeros(len(windows))
    for lag in range(period, (_REPEATS + 1) * period, period):
        equal = windows[:, :-lag] == windows[:, lag:]
        length = equal.shape[1]
        if length < 2 * period:
            break
        seen += [np.count_nonzero(each) for each in equal[:, :-period] & equal[:, period:]]
        expected += (_rates(equal, period) ** 2).mean(axis=1) * length
    white: npt.NDArray[np.bool_] = seen < 1.2 * expected + 3 * np.sqrt(expected) + 4
    return white


def _rates(equal: npt.NDArray[np.bool_], fold: int) -> _Rates:
    """The share of ones of each window (row) in each phase."""
    # Numpy adds long rows much faster than short ones, and bytes much faster than what they have to be widened to.
    wide = fold * max(1, ROW // 4 // fold)
    table = equal[:, : equal.shape[1] // wide * wide].view(np.uint8).reshape(len(equal), -1, wide)
    many = table.shape[1]
    ones = table.sum(axis=1, dtype=np.uint8 if many < 256 else np.uint32)
    rates: _Rates = ones.reshape(len(equal), -1, fold).mean(axis=1) / max(1, many)
    return rates


def _layouts(data: _Bytes, period: int) -> tuple[Layout, ...]:
    """What the numbers may look like, from how often bytes of each phase coincide."""
    fold = math.lcm(period, _MAX_SIZE)
    lags = [lag for lag in range(period, (_REPEATS + 1) * period, period) if len(data) > lag + fold]
    table = _mean_rates(data, lags, fold).reshape(-1, _MAX_SIZE).mean(axis=0)
    seen = next(size for size in (1, 2, 4, 8) if _is_even(table.reshape(-1, size)))
    # Bytes of different significance may coincide equally often; then the period alone tells that they are different.
    # And bytes of a number may be alike, as the high ones of small numbers are; then their rates alone tell it.
    sizes = dict.fromkeys((seen, period)) if period in (1, 2, 4, 8) else (seen,)
    return tuple(Layout(size, _telling(table.reshape(-1, size).mean(axis=0))) for size in sizes)


def _common_lag(counts: _Counts) -> int:
    """The smallest lag of about the most coincidences; 0 where none stands out.

    Args:
        counts: coincidences by lag.
    """
    most, mean = counts.max(), counts.mean()
    if most < mean + 6 * mean**0.5 + 4:
        return 0
    return int(LAGS[int(np.argmax(counts >= mean + _ABOUT_MOST * (most - mean)))])


def _in_records(data: _Bytes, lag: int, start: int) -> Iterator[Layout]:
    """Layouts in which numbers are not all that there is.

    Args:
        data: what may be numbers.
        lag: bytes so far apart are equal most often.
        start: from where to count; the data begins there.
    """
    size = lag // 2 if lag % 4 == 2 and _equal(data, lag // 2) > _ABOUT_MOST * _equal(data, lag) else lag
    if not 2 < size <= LONGEST or size in (4, 8) or len(data) < (_REPEATS + 2) * size:
        return
    lags = range(size, (_REPEATS + 1) * size, size)
    rates = _mean_rates(data, lags, size)
    counted = _REPEATS * len(data) // size
    if are_all_numbers(rates, counted):
        return
    layouts = [Layout(size, tuple((place + start) % size for place in _telling(rates)))] if size <= _MAX_ALONE else []
    for record, number in find_records(rates, counted):
        body = np.roll(rates, -record.at)[record.head :].reshape(-1, number)
        layouts.append(Layout(number, _telling(body.mean(axis=0)), record.moved(start)))
    yield from (layout for layout in layouts if layout.phases)


def _mean_rates(data: _Bytes, lags: Sequence[int], fold: int) -> _Rates:
    """How often the bytes of each phase equal those at the lags, on average."""
    rates = (_rates((data[:-lag] == data[lag:])[None], fold)[0] for lag in lags)
    return sum(rates, np.zeros(fold)) / max(1, len(lags))


def _equal(data: _Bytes, lag: int) -> int:
    return int(np.count_nonzero(data[:-lag] == data[lag:]))


def _telling(rates: _Rates) -> tuple[int, ...]:
    telling = [int(i) for i in np.argsort(-rates) if _FLAT * _TELLING < rates[i] < _CONSTANT]
    return tuple(telling[:_PHASES])


def _is_even(table: _Rates) -> bool:
    """Whether the rates in each column are the same."""
    return bool((np.ptp(table, axis=0) <= 0.25 * table.mean(axis=0) + _FLAT / 2).all())
