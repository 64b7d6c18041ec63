"""Bytes that nearly stand for themselves.

They were shifted and freed of control characters (yEnc), or widened to characters of several bytes (UTF-8, UTF-16,
arrays of small numbers).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import merge

import numpy as np

from . import symbols
from .texts import Kind

_CELL = 4096
_SHIFT = bytes((byte - 42) % 256 for byte in range(256))
_NOT_ESCAPED = re.compile(rb"=[^@IJMn}`]")
_EVERY_BYTE = bytes(range(256))
_WIDE_CHARACTERS = 48
_WIDE = {width: re.compile(rb"(?:[^\0]\0{%d}){%d}" % (width - 1, _WIDE_CHARACTERS)) for width in (2, 4, 8)}
_NOT_ZERO = re.compile(rb"[^\0]")
_UTF8_PAIRS, _UTF8_GAP = 32, 16
_UTF8 = re.compile(rb"(?:[\xc2\xc3][\x80-\xbf][\0-\x7f]{0,%d}){%d}" % (_UTF8_GAP, _UTF8_PAIRS))
_NOT_UTF8 = re.compile(rb"[\xc4-\xff\xc0\xc1]|[\xc2\xc3][^\x80-\xbf]|(?<![\xc2\xc3])[\x80-\xbf]")


def find(data: bytes, start: int = 0) -> tuple[int, Kind] | None:
    """Where the first stretch of such bytes begins from `start` on."""
    return (
        _find_wide(data, start) or _find_utf8(data, start) or symbols.find_wide(data, start) or _find_yenc(data, start)
    )


def _find_wide(data: bytes, start: int) -> tuple[int, Kind] | None:
    for first, end in merge(_half_zero(data, start, 0), _half_zero(data, start, 1)):
        for width, pattern in _WIDE.items():
            if match := pattern.search(data, first, end):
                return match.start(), Kind(f"utf-{8 * width}", lambda w=width: _Wide(w), lambda: [_Same()])  # type: ignore[misc]  # bound now
    return None


def _half_zero(data: bytes, start: int, phase: int) -> Iterator[tuple[int, int]]:
    """Stretches in which every byte of a phase is zero and others are not, with a character before and after.

    Of characters of two, four or eight bytes every second byte is zero; such a row is found much faster than they.
    """
    start, half, at = start + phase, data[start + phase :: 2], 0
    while (at := half.find(b"\0" * _WIDE_CHARACTERS, at)) >= 0:
        first = max(start - phase, start + 2 * at - max(_WIDE))
        at = len(half) if (end := _NOT_ZERO.search(half, at)) is None else end.start()
        last = start + 2 * at + max(_WIDE)
        # Padding is zero all over.
        if len(data[first:last].translate(None, b"\0")) >= _WIDE_CHARACTERS:
            yield first, last


def _find_utf8(data: bytes, start: int) -> tuple[int, Kind] | None:
    values = np.frombuffer(data, np.uint8)[start:]
    pairs = np.flatnonzero(((values[:-1] & 0xFE) == 0xC2) & ((values[1:] & 0xC0) == 0x80))
    close = pairs[_UTF8_PAIRS - 1 :] - pairs[: 1 - _UTF8_PAIRS] <= (_UTF8_PAIRS - 1) * (_UTF8_GAP + 2)
    if not close.any():
        return None
    match = _UTF8.search(data, start + int(pairs[np.argmax(close)]))
    return (match.start(), UTF8) if match else None


def _find_yenc(data: bytes, start: int) -> tuple[int, Kind] | None:
    """No byte of zero in thousands, though most others occur; and a `=` always before one of a few characters."""
    for at in range(start, len(data) - _CELL + 1, _CELL):
        if data.find(0, at, at + _CELL) >= 0:
            continue
        cell = data[at : at + _CELL]
        missing = len(_EVERY_BYTE.translate(None, cell))
        if missing > 56 or _NOT_ESCAPED.search(cell) or cell.count(b"\r") > cell.count(b"\r\n"):
            continue
        return max(data.rfind(0, start, at) + 1, start), YENC
    return None


class _Wide:
    """Takes the first byte of every `width`, as long as the others are zero."""

    def __init__(self, width: int) -> None:
        self.ended = False
        self._width = width
        self._held = b""

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """See `texts.Taker`."""
        data = self._held + data
        end = len(data) - len(data) % self._width
        good = min(self._zeros(data[:end], phase) for phase in range(1, self._width))
        self.ended = good < end
        self._held = b"" if self.ended else data[end:]
        return data[: good : self._width], data[good:] if self.ended else b""

    def finish(self) -> bytes:
        """See `texts.Taker`."""
        return b""

    def _zeros(self, data: bytes, phase: int) -> int:
        """How far every byte of a phase is zero."""
        others = data[phase :: self._width]
        return (len(others) - len(others.lstrip(b"\0"))) * self._width


@dataclass
class _Until:
    """Takes everything up to what `stop` matches; `keep` gives how many of the last bytes wait for the next."""

    stop: re.Pattern[bytes]
    keep: Callable[[bytes], int]
    ended: bool = False
    _held: bytes = b""

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """See `texts.Taker`."""
        data = self._held + data
        whole = len(data) - self.keep(data)
        match = self.stop.search(data, 0, whole)
        self.ended = match is not None
        end = match.start() if match else whole
        self._held = b"" if match else data[end:]
        return data[:end], data[end:] if match else b""

    def finish(self) -> bytes:
        """See `texts.Taker`."""
        return self._held


class _Same:
    def feed(self, text: bytes) -> bytes:
        """See `texts.TextDecoder`."""
        return text


class _Narrowed:
    def feed(self, text: bytes) -> bytes:
        """See `texts.TextDecoder`."""
        return text.decode("utf-8", "ignore").encode("latin-1", "replace")


class _Yenc:
    """Args: dots: what stands for a point at the start of a line."""

    def __init__(self, dots: bytes) -> None:
        self._dots = dots

    def feed(self, text: bytes) -> bytes:
        """See `texts.TextDecoder`."""
        text = text.replace(b"\n" + self._dots, b"\n.").translate(None, b"\r\n")
        first, *others = text.split(b"=")
        pieces = [first]
        for item in others:
            pieces += (bytes([(item[0] - 64) % 256]), item[1:]) if item else ()
        return b"".join(pieces).translate(_SHIFT)


_YENC_TAIL = re.compile(rb"(?:\r?\n\.?|=|\r)\Z")


def _cut(data: bytes) -> int:
    match = _YENC_TAIL.search(data, max(0, len(data) - 3))
    return len(match[0]) if match else 0


UTF8 = Kind(
    "utf-8", lambda: _Until(_NOT_UTF8, lambda data: int(data[-1:] in (b"\xc2", b"\xc3"))), lambda: [_Narrowed()]
)
YENC = Kind("yenc", lambda: _Until(re.compile(rb"\0"), _cut), lambda: [_Yenc(b"."), _Yenc(b"..")], weak=True)
