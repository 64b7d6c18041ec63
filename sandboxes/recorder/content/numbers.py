"""Bytes written as numbers: lists of values in any radix and word size, and the tables of dump tools.

A table's row may begin with its offset and end in a gutter that shows the bytes as characters. Both are known by what
they are, not by the tool that wrote them: the first cell counts up by the same step from row to row, and the gutter is
what follows the number of values that most rows have.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .texts import Kind

_ALLOWED = b"0123456789abcdefABCDEFxXoOuUlLinN+-.,;:|[](){}<> \t\r\n_\"'"
_NUMERIC = bytes(byte in _ALLOWED for byte in range(256))
_STEP = 4
_ROUGH = 10
"""So many of every fourth character in a row are looked for first."""

_SAMPLE_BYTES = 4096
_SAMPLE_ROWS = 33
_TELLING_ROWS = 12
_FEWEST = 24
"""Values that a sample must hold."""

_LONGEST_ROW = 4096
_MOST_COLUMNS = 256
_LONGEST_CELL = 256
_LEAST_SHARE = 0.1
"""Of the characters of a text, below which it is no longer one of numbers."""

_TRIES = 4
_CELL = re.compile(rb"[+-]?(?:[0-9.]+[eE][+-][0-9]+(?![0-9A-Za-z])|[0-9A-Za-z._]+)")
_FLOAT = rb"(?:[+-]?(?:[0-9]{1,24}(?:\.[0-9]{0,32})?|\.[0-9]{1,32})(?:[eE][+-]?[0-9]{1,3})?|[+-]?(?:nan|inf))"
_PLAIN = re.compile(rb"(?:0[xX])?[0-9A-Fa-f]{1,64}|" + _FLOAT)
_PLAIN_LINE = re.compile(rb"^(?:" + _PLAIN.pattern + rb")$", re.MULTILINE)
_REAL = re.compile(_FLOAT)
_INTEGER = re.compile(rb"[+-]?[0-9]{1,20}")
_DIGITS = {1: 3, 2: 5, 4: 10, 8: 20}
"""Decimal digits of the largest value of so many bytes."""


@dataclass(frozen=True)
class Style:
    """How one value is written."""

    radix: int
    """2, 8, 10 or 16; 0 for floating point."""
    size: int
    """Bytes of a value."""
    width: int
    """Digits of every value, or 0 where they vary."""

    @property
    def name(self) -> str:
        """What the layer is called."""
        return {0: "floats", 2: "binary", 8: "octal", 10: "decimal", 16: "hex"}[self.radix]

    @property
    def pattern(self) -> bytes:
        """Matches one value."""
        if not self.radix:
            return _FLOAT
        if not self.width:
            return rb"(?:0[xX][0-9A-Fa-f]{1,16})" if self.radix == 16 else b"[+-]?[0-9]{1,%d}" % _DIGITS[self.size]
        digits = {2: rb"[01]", 8: rb"[0-7]", 10: rb"[0-9]", 16: rb"[0-9A-Fa-f]"}[self.radix]
        return (rb"(?:0[xX])?" if self.radix == 16 else b"") + digits + b"{%d}" % self.width


@dataclass(frozen=True)
class Layout:
    """How values stand in a text."""

    style: Style
    offset: bool = False
    """Rows begin with a cell that is no value."""
    values: int = 0
    """Values of a row before its gutter; 0 where all of a row is values."""


def find(data: bytes, start: int) -> tuple[int, Kind] | None:
    """Where the first list or table of numbers begins from `start` on."""
    rough = data.translate(_NUMERIC)
    at, tries = start, 0
    thin = rough[start::_STEP]
    while tries < _TRIES and (found := thin.find(b"\1" * _ROUGH, (at - start) // _STEP)) >= 0:
        at = start + found * _STEP
        gap = rough.rfind(b"\0", at, at + _ROUGH * _STEP)
        if gap >= 0:
            at = gap + _STEP
            continue
        place = max(_row_start(data, start, at), rough.rfind(b"\0", start, at) + 1)
        layout = learn(data[place : place + _SAMPLE_BYTES])
        if layout is not None and _bears(layout, data[place : place + _SAMPLE_BYTES]):
            return place, kind(layout)
        at += _SAMPLE_BYTES
        tries += 1
    return None


def _bears(layout: Layout, sample: bytes) -> bool:
    text, _ = Rows(layout).take(sample)
    return len(text) >= _LEAST_SHARE * len(sample)


def _row_start(data: bytes, start: int, at: int) -> int:
    """The start of the row that holds `at`, or of the numbers in it where a row is long."""
    row = max(data.rfind(b"\n", start, at) + 1, start)
    if at - row <= 64:
        return row
    return max(data.rfind(b" ", row, at), data.rfind(b",", row, at)) + 1 or at


def kind(layout: Layout) -> Kind:
    """What undoes a text of this layout."""
    orders = ("little", "big") if layout.style.size > 1 and layout.style.radix else ("big",)
    return Kind(
        layout.style.name,
        lambda: Rows(layout),
        lambda: [Values(layout.style, order) for order in orders],
    )


# --- learning a layout ------------------------------------------------------------------------------------------------


def learn(sample: bytes) -> Layout | None:
    """How numbers stand in a text that begins with `sample`; None if it does not hold any that make sense."""
    lines = sample.split(b"\n")
    rows = [cells for line in lines[: _SAMPLE_ROWS + 1] if (cells := _CELL.findall(line))]
    if len(lines) > 2:
        rows = rows[:-1]  # it may be cut off
    if not rows:
        return None
    offset = len(rows) >= 3 and _counts_up(rows)
    bodies = [row[1:] if offset else row for row in rows]
    if len(rows) == 1:
        bodies = [bodies[0][1:-1]]  # its ends may be cut off
    # The first cells of many rows say enough, and are no gutter's.
    first = 1 if offset and len(rows) >= _SAMPLE_ROWS // 2 else 4 if offset else None
    style = _style([cell for body in bodies for cell in body[:first]])
    if style is None:
        return None
    whole = re.compile(rb"[+-]?" + style.pattern)
    counts = [next((i for i, cell in enumerate(body) if not whole.fullmatch(cell)), len(body)) for body in bodies]
    many, often = Counter(counts).most_common(1)[0]
    regular = 0 < many <= _MOST_COLUMNS and len(rows) > 2 and often >= 0.6 * len(counts)
    if offset or (regular and any(len(body) > many for body in bodies)):
        return Layout(style, offset, many) if regular and sum(counts) >= _FEWEST else None
    values = sum(whole.fullmatch(cell) is not None for body in bodies for cell in body)
    return Layout(style) if values >= max(_FEWEST, 0.8 * sum(map(len, bodies))) else None


def _counts_up(rows: list[list[bytes]]) -> bool:
    """Whether the first cells are offsets or numbers of rows: nearly all as much above the one before."""
    if all(len(row) == 1 for row in rows):
        return False
    for radix in (16, 8, 10):
        numbers = [_number(row[0], radix) for row in rows[:_TELLING_ROWS]]
        if numbers.count(None) > 0.25 * len(rows):
            continue
        numbers += [_number(row[0], radix) for row in rows[_TELLING_ROWS:]]
        steps = [after - before for before, after in pairwise(numbers) if before is not None and after is not None]
        step, often = Counter(steps).most_common(1)[0] if steps else (0, 0)
        if step > 0 and often >= 0.75 * (len(rows) - 1):
            return True
    return False


def _number(cell: bytes, radix: int) -> int | None:
    try:
        return int(cell, radix) if len(cell) <= 20 else None
    except ValueError:
        return None


def _style(cells: list[bytes]) -> Style | None:
    """How the values among the cells of a sample are written, by the cells that are numbers at all."""
    if _are_hex([cell.lstrip(b"-") for cell in cells]):
        cells = [cell.lstrip(b"-") for cell in cells]
    plain = [cell for cell in _PLAIN_LINE.findall(b"\n".join(cells)) if len(cell) <= 64]
    if len(plain) < min(_FEWEST, len(cells)) or len(plain) < 0.5 * len(cells) or len(plain) < 8:
        return None
    prefixed = sum(cell[:2] in (b"0x", b"0X") for cell in plain) > len(plain) // 2
    digits = [cell[2:] if prefixed else cell for cell in plain]
    (width, often), *_ = Counter(map(len, digits)).most_common(1)
    same = often >= (1.0 if prefixed else 0.9) * len(digits)
    text = b"".join(cell for cell in digits if not same or len(cell) == width)
    if same and (style := _fixed(text, width, prefixed=prefixed)):
        return style
    if prefixed:
        return Style(16, _size_of_bits(4 * max(map(len, digits))), 0) if max(map(len, digits)) <= 16 else None
    return _varying(plain)


def _are_hex(cells: list[bytes]) -> bool:
    """Whether hyphens stand between bytes, not before numbers."""
    pairs = list(map(len, cells)).count(2)
    return pairs >= 0.8 * len(cells) and any(cell.strip(b"0123456789") for cell in cells)


def _fixed(text: bytes, width: int, *, prefixed: bool) -> Style | None:
    if not text.translate(None, b"01") and width == 8:
        return Style(2, 1, 8)
    octal = {3: 1, 6: 2, 11: 4, 22: 8}.get(width)
    if octal and not prefixed and not text.translate(None, b"01234567"):
        return Style(8, octal, width)
    if width in (2, 4, 8, 16) and not text.translate(None, b"0123456789abcdefABCDEF"):
        return Style(16, width // 2, width)
    return None


def _varying(cells: list[bytes]) -> Style | None:
    numbers = [int(cell) for cell in cells if _INTEGER.fullmatch(cell)]
    if len(numbers) >= 0.9 * len(cells):
        signed = 1 if min(numbers) < 0 else 0
        bits = max(max(numbers).bit_length(), (-min(numbers) - 1).bit_length() if signed else 0) + signed
        return Style(10, _size_of_bits(bits), 0) if bits <= 64 else None
    floats = sum(_REAL.fullmatch(cell) is not None for cell in cells)
    return Style(0, 2, 0) if floats >= 0.9 * len(cells) else None


def _size_of_bits(bits: int) -> int:
    return next(size for size in (1, 2, 4, 8) if bits <= 8 * size)


# --- reading them -----------------------------------------------------------------------------------------------------


class Rows:
    """Takes the values out of rows, separated by single spaces."""

    def __init__(self, layout: Layout) -> None:
        self.ended = False
        self._table = bool(layout.offset or layout.values)
        value = layout.style.pattern
        if self._table:
            many = max(layout.values, 1)
            # Nothing is given back once taken, so that no text can make it slow.
            before = rb"[0-9A-Za-z]++[^\w\n.+-]++" if layout.offset else b""
            values = rb"((?>%b)(?![\w.])(?:(?>[^\w\n.+-]{1,8}+%b)(?![\w.])){0,%d}+)" % (value, value, many - 1)
            self._find = re.compile(rb"(?m)^[^\w\n.+-]*+" + before + values)
        else:
            self._find = re.compile(rb"(?<![0-9A-Za-z.])%b(?![0-9A-Za-z.])" % value)
        self._value = re.compile(value)
        self._held = b""

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """See `texts.Lines.take`."""
        data = self._held + data
        end = self._end(data)
        batch, self._held = data[:end], data[end:]
        if len(self._held) > _LONGEST_ROW:
            self.ended = True
        found = self._find.findall(batch)
        if len(batch) >= _SAMPLE_BYTES // 2 and sum(map(len, found)) < _LEAST_SHARE * len(batch):
            self.ended = True
            return b"", self._held
        if self._table:
            found = self._value.findall(b" ".join(found))
        text = b" ".join(found) + b" " if found else b""
        return text, self._held if self.ended else b""

    def finish(self) -> bytes:
        """See `texts.Taker`."""
        return b"" if self.ended else self.take(b"\n")[0]

    def _end(self, data: bytes) -> int:
        """Where the last row, or the last value, ends that is there whole."""
        if self._table:
            return data.rfind(b"\n") + 1
        end = max(map(data.rfind, (b" ", b",", b"\n", b";", b":", b"|", b"\t", b"]")))
        # A hyphen is rather a sign, unless nothing else separates.
        return (end if len(data) - end <= _LONGEST_CELL else max(end, data.rfind(b"-"))) + 1


class Values:
    """Reads values, each followed by a space, as words in one byte order."""

    def __init__(self, style: Style, order: str) -> None:
        self._style = style
        self._order = order

    def feed(self, text: bytes) -> bytes:
        """See `texts.TextDecoder`."""
        style = self._style
        if not text:
            return b""
        if not style.radix:
            return _to_bfloat16(np.fromstring(text, np.float64, sep=" "))
        if style.radix == 16:
            cells = text.replace(b"0x", b"").replace(b"0X", b"").split()
            words = bytes.fromhex(b"".join(cell.rjust(2 * style.size, b"0") for cell in cells).decode())
            return words if self._order == "big" else _swapped(words, style.size)
        values = _decimal(text, style) if style.radix == 10 else _positional(text, style)
        words = values.astype("<u8").view(np.uint8).reshape(-1, 8)[:, : style.size].tobytes()
        return words if self._order == "little" or style.size == 1 else _swapped(words, style.size)


def _decimal(text: bytes, style: Style) -> npt.NDArray[np.uint64]:
    """Values of at most 64 bits, signed or not; of larger ones the lowest bits."""
    if style.size < 8:
        return np.fromstring(text, np.int64, sep=" ").astype(np.uint64)
    return np.array([int(cell) & (1 << 64) - 1 for cell in text.split()], np.uint64)


def _positional(text: bytes, style: Style) -> npt.NDArray[np.uint64]:
    digits = np.frombuffer(text, np.uint8).reshape(-1, style.width + 1)[:, : style.width]
    values = np.zeros(len(digits), np.uint64)
    for i in range(style.width):
        values = values * np.uint64(style.radix) + (digits[:, i] - 48)
    return values


def _swapped(words: bytes, size: int) -> bytes:
    return np.frombuffer(words, np.uint8).reshape(-1, size)[:, ::-1].tobytes()


def _to_bfloat16(values: npt.NDArray[np.float64]) -> bytes:
    """The nearest bfloat16 of each value, little-endian."""
    with np.errstate(over="ignore"):
        bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + np.uint64(0x7FFF) + (bits >> np.uint64(16) & np.uint64(1))) >> np.uint64(16)
    return rounded.astype("<u2").tobytes()
