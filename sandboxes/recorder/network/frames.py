"""Datagrams that each carry a piece of something larger between bytes of another purpose.

Nothing is known of the sender's format, but much shows when its datagrams are compared: columns that are the same in
all of them, and numbers that count. The longest run of other columns is the payload. A number that counts also tells
the order, whatever became of it on the way, and which datagrams came twice. A payload that repeats itself within each
datagram (as a pattern does that fills an echo request) is taken once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

MAX_HEADER = 64
"""Bytes at the start of a datagram in which numbers are looked for that count."""

ENOUGH = 8
"""Different datagrams, at least, that are compared."""

SAMPLE = 256
"""Datagrams that are compared column by column."""

MAX_COLUMNS = 2048
"""Columns that are compared; what lies behind them is as the last of them."""

MAX_READ = 4_000_000
"""Numbers that are read at most to find those that count."""

_WIDTHS = (1, 2, 4, 8)
_MOST = 0.9
"""Of the datagrams that may count must do so."""


@dataclass(frozen=True)
class Count:
    """A number in each datagram that counts them."""

    at: int
    width: int
    order: Literal["big", "little"]

    def of(self, datagram: bytes) -> int:
        """The number that a datagram bears."""
        return int.from_bytes(datagram[self.at : self.at + self.width], self.order)


@dataclass(frozen=True)
class Layout:
    """What the datagrams of one place have in common."""

    start: int
    """Where the payload begins."""
    stop: int | None
    """Where it ends; None when it reaches to the end of the datagram."""
    count: Count | None
    """What tells their order, if anything."""
    period: int = 0
    """Bytes after which each payload repeats itself; 0 when it does not."""

    def payload(self, datagram: bytes) -> bytes:
        """What a datagram carries."""
        if not self.period:
            return datagram[self.start : self.stop]
        start = -(-self.start // self.period) * self.period  # a pattern fills the datagram from its very start
        return datagram[start : start + self.period]


def layout_of(datagrams: Sequence[bytes]) -> Layout | None:
    """How the datagrams are laid out; None where all of each is payload, as far as that can be told."""
    different = list(dict.fromkeys(datagrams))
    if len(different) < ENOUGH:
        return None
    sample = different[:SAMPLE]
    length = min(_usual_length(sample), MAX_COLUMNS)
    columns = ({datagram[i] for datagram in sample if len(datagram) > i} for i in range(length))
    told = {i for i, values in enumerate(columns) if len(values) == 1}
    count = _find_count(different, length)
    for number in _numbers(length):
        if number == count or _steps(sample, number):
            told.update(range(number.at, number.at + number.width))
    start, stop = _longest_run(length, told)
    period = _period([datagram[start:] for datagram in sample])
    if period:
        return Layout(start, None, count, period)
    return Layout(start, None if stop == length else stop, count) if stop - start < length and stop > start else None


def _longest_run(length: int, told: Set[int]) -> tuple[int, int]:
    """The most columns on end that are none of `told`: the first, and the one behind the last."""
    best = (0, 0)
    start = 0
    for i in range(length + 1):
        if i == length or i in told:
            best = max(best, (start, i), key=lambda run: run[1] - run[0])
            start = i + 1
    return best


def payloads(datagrams: Sequence[bytes], layout: Layout) -> Iterator[Callable[[], Iterator[bytes]]]:
    """Ways to read the payloads: as they came and, where they count and came otherwise, in their own order."""
    yield lambda: map(layout.payload, datagrams)
    count = layout.count
    if count is None:
        return
    numbers = [count.of(datagram) for datagram in datagrams]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        first = dict(zip(reversed(numbers), reversed(datagrams), strict=True))
        yield lambda: (layout.payload(first[number]) for number in sorted(first))


def _usual_length(sample: Sequence[bytes]) -> int:
    """The length that nearly all have at least."""
    lengths = sorted(map(len, sample))
    return lengths[len(lengths) // 10]


def _numbers(length: int) -> Iterator[Count]:
    for size in _WIDTHS:
        for at in range(min(length, MAX_HEADER) - size + 1):
            yield Count(at, size, "big")
            if size > 1:
                yield Count(at, size, "little")


def _find_count(datagrams: Sequence[bytes], length: int) -> Count | None:
    left = MAX_READ
    for count in _numbers(length):
        counts, read = _counts(datagrams, count)
        left -= read
        if counts or left < 0:
            return count if counts else None
    return None


def _counts(datagrams: Sequence[bytes], count: Count) -> tuple[bool, int]:
    """Whether the numbers are nearly all different and lie close together, in whatever order.

    Numbers drawn at random from a range at most twice as large as there are datagrams are never so different: of n,
    at most n * 2 * (1 - exp(-1/2)) are, or 79 %. Gives also how many were read to find out.
    """
    values: set[int] = set()
    low, high = 1 << 64, 0
    end = count.at + count.width
    for done, datagram in enumerate(datagrams, 1):
        if len(datagram) >= end:
            value = count.of(datagram)
            values.add(value)
            low, high = min(low, value), max(high, value)
        if high - low > 2 * len(datagrams) or len(values) < _MOST * done - 1:
            return False, done
    return len(values) >= _MOST * len(datagrams), len(datagrams)


def _steps(sample: Sequence[bytes], count: Count) -> bool:
    """Whether the numbers go on by the same step, and past their end from the start."""
    end = count.at + count.width
    values = [count.of(datagram) for datagram in sample if len(datagram) >= end]
    steps = Counter((b - a) % (1 << 8 * count.width) for a, b in pairwise(values))
    if len(values) < ENOUGH or not steps:
        return False
    step, often = steps.most_common(1)[0]
    return step != 0 and often >= _MOST * (len(values) - 1)


def _period(payloads: Sequence[bytes]) -> int:
    """After how many bytes nearly every payload repeats itself."""
    periods = Counter(map(_own_period, payloads))
    found = max((period for period in periods if period), default=0)
    repeat = sum(often for period, often in periods.items() if period and found % period == 0)
    return found if found and repeat >= _MOST * len(payloads) else 0


def _own_period(payload: bytes) -> int:
    """The smallest period of a payload that shows it twice at least; 0 when there is none. By the borders of KMP."""
    payload = payload[:512]
    border = [0] * (len(payload) + 1)
    matched = 0
    for i in range(1, len(payload)):
        while matched and payload[i] != payload[matched]:
            matched = border[matched]
        matched += payload[i] == payload[matched]
        border[i + 1] = matched
    period = len(payload) - border[len(payload)]
    return period if 2 * period <= len(payload) else 0
