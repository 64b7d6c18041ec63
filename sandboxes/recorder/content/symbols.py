"""Text in an alphabet of somebody's own: characters or whole words, each of which stands for 1, 2, 4 or 8 bits.

Which symbol stands for which bits need not be known: whatever it is, it is a fixed replacement of bytes, and `altered`
sees through those. Symbols of which all occur are numbered in their order, since people move alphabets more often than
they shuffle them; then what is compressed below is read, too.

An alphabet is told from a language by three things: its symbols are few, none is much more frequent than weights make
it, and none comes again at a fixed distance.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from .spotting import is_text
from .texts import Kind

_SAMPLE_BYTES = 4096
_WORDS_BYTES, _FEWEST_WORDS = 16 << 10, 1024
"""Words of a program or a log are few, too, in a short sample."""
_FEWEST = 128
"""Symbols that a sample must hold."""
_LARGEST_SHARE = 0.4
"""Of one symbol. Of the high digits of weights, two are about as frequent as all the others together."""
_LAGS = 64
_AGAIN, _SLACK, _NEARLY_ALL = 2.5, 0.06, 0.95
"""A symbol may come again at one distance so many times as often as by chance, since the halves of a number differ."""
_WIDTHS = (1, 2, 4, 8)
_LINE_BREAKS = b"\r\n"
_WORD = re.compile(rb"[^ \t\r\n,;:|\"'\x00-\x1f]{2,32}")
_WIDE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_DENSE = re.compile(rb"(?:(?:%b)[ \r\n]{0,2}){64}" % _WIDE.pattern)
_DENSE_BYTES = 128
"""What that matches is no shorter."""
_NOT_WIDE = bytes(byte not in b" \r\n" and not 0x80 <= byte <= 0xF4 for byte in range(256))
"""A table for `translate`: 0 for the bytes that may stand in such a text."""
_LONGEST_SYMBOL = 32
_PATIENCE_BYTES = 1024


@dataclass(frozen=True)
class Script:
    """An alphabet that was learned from a sample."""

    bits: int
    """What each symbol stands for."""
    symbols: tuple[bytes, ...]
    """In the order of their values, as far as they are known."""
    pattern: re.Pattern[bytes] | None
    """Matches one symbol; None where symbols are single bytes."""

    @property
    def kind(self) -> Kind:
        """What undoes it."""
        return Kind(
            f"alphabet of {1 << self.bits}",
            lambda: _Taker(self) if self.pattern else _ByteTaker(self),
            lambda: [_Packed(self.bits, skip) for skip in range(8 // self.bits)],
            weak=True,
        )


def find_digits(data: bytes, start: int) -> tuple[int, Kind] | None:
    """Whether a text of a few different characters begins at `start`, or soon behind it when something else comes."""
    for at in (start, start + _SAMPLE_BYTES):
        sample = data[at : at + _SAMPLE_BYTES]
        # Bytes beside a text are no text: the high bytes of weights are few as well, and are numbers.
        if is_text(sample) and (script := of_bytes(sample)):
            return at, script.kind
    return None


def find_words(data: bytes, start: int) -> tuple[int, Kind] | None:
    """Whether a text begins at `start` of which the words are symbols."""
    first = _WORD.search(data, start)
    if first is None:
        return None
    # The first word may be cut, and would be one symbol more.
    words = _WORD.findall(data, first.end(), start + _WORDS_BYTES)[:-1]
    script = _of(words, _WORD) if len(words) >= _FEWEST_WORDS else None
    return None if script is None else (first.end(), script.kind)


def find_wide(data: bytes, start: int = 0) -> tuple[int, Kind] | None:
    """Where a text begins of which the symbols are characters outside ASCII."""
    if data.isascii() or max(data[start::61], default=0) < 0xC4:  # Latin-1 at most
        return None
    # The pattern is slow where nothing is; that so many bytes follow each other which may stand in it is seen at once.
    if data.translate(_NOT_WIDE).find(bytes(_DENSE_BYTES), start) < 0:
        return None
    match = _DENSE.search(data, start)
    if match is None:
        return None
    script = _of(_WIDE.findall(data, match.start(), match.start() + _SAMPLE_BYTES), _WIDE)
    return None if script is None else (match.start(), script.kind)


def of_bytes(sample: bytes) -> Script | None:
    """The alphabet of a text in which every byte but line breaks is a symbol; None if it has none, or over 16."""
    text = sample.translate(None, _LINE_BREAKS)
    return _of([text[i : i + 1] for i in range(len(text))], None) if 1 < len(set(text)) <= 16 else None


def _of(symbols: Sequence[bytes], pattern: re.Pattern[bytes] | None) -> Script | None:
    """The alphabet of a sample; None where it is no such text."""
    counts = Counter(symbols)
    if len(symbols) < _FEWEST or not 1 < len(counts) <= 1 << _WIDTHS[-1]:
        return None
    bits = next(width for width in _WIDTHS if len(counts) <= 1 << width)
    if bits > 1 and counts.most_common(1)[0][1] > _LARGEST_SHARE * len(symbols):
        return None
    numbers = {symbol: number for number, symbol in enumerate(sorted(counts))}
    if _returns(np.array([numbers[symbol] for symbol in symbols])):
        return None
    return Script(bits, tuple(numbers) if len(numbers) == 1 << bits else (), pattern)


def _returns(values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    """Whether symbols come again at a fixed distance, as the words of a log do."""
    shares = np.bincount(values) / len(values)
    most = min(_AGAIN * float((shares**2).sum()) + _SLACK, _NEARLY_ALL)
    return any(float((values[lag:] == values[:-lag]).mean()) > most for lag in range(1, _LAGS + 1))


class _Numbers(dict[bytes, int]):
    """Numbers symbols in the order in which they are first met."""

    def __missing__(self, symbol: bytes) -> int:
        self[symbol] = len(self)
        return self[symbol]


class _Taker:
    """Takes symbols out of a text, a byte for each, until there are too many of them."""

    def __init__(self, script: Script) -> None:
        assert script.pattern is not None
        self.ended = False
        self._pattern = script.pattern
        self._most = 1 << script.bits
        self._numbers = _Numbers((symbol, number) for number, symbol in enumerate(script.symbols))
        self._held = b""
        self._barren = 0
        """Bytes since the last symbol."""

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """See `texts.Taker`."""
        whole = self._held + data
        cut = self._whole(whole)
        found = self._pattern.findall(whole, 0, cut)
        self._held = whole[cut:]
        values = [self._numbers[symbol] for symbol in found]
        self._barren = 0 if found else self._barren + cut
        self.ended = len(self._numbers) > self._most or self._barren > _PATIENCE_BYTES
        if not self.ended:
            return bytes(values), b""
        # Another text may begin where the symbols become too many.
        many = next((number for number, value in enumerate(values) if value >= self._most), len(values))
        places = (match.start() for match in self._pattern.finditer(whole, 0, cut))
        return bytes(values[:many]), whole[next(islice(places, many, None), cut) :]

    def _whole(self, data: bytes) -> int:
        """Where the last symbol begins, which may go on; it is not waited for when it is too long."""
        tail = max(0, len(data) - 4 * _LONGEST_SYMBOL)
        last = max((match.start() for match in self._pattern.finditer(data, tail)), default=0)
        return max(last, len(data) - _LONGEST_SYMBOL)

    def finish(self) -> bytes:
        """See `texts.Taker`."""
        found = [] if self.ended else self._pattern.findall(self._held)
        return bytes(self._numbers[symbol] for symbol in found if symbol in self._numbers)


class _ByteTaker:
    """Takes characters out of a text, until there are too many different ones."""

    def __init__(self, script: Script) -> None:
        self.ended = False
        self._most = 1 << script.bits
        self._symbols = b"".join(script.symbols)

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """See `texts.Taker`."""
        new = bytes(dict.fromkeys(data.translate(None, self._symbols + _LINE_BREAKS)))
        room = self._most - len(self._symbols)
        end = len(data) if len(new) <= room else data.index(new[room : room + 1])
        self._symbols += new[:room]
        self.ended = end < len(data)
        numbers = bytes.maketrans(self._symbols, bytes(range(len(self._symbols))))
        return data[:end].translate(numbers, _LINE_BREAKS), data[end:]

    def finish(self) -> bytes:
        """See `texts.Taker`."""
        return b""


class _Packed:
    """Packs values of some bits into bytes, the first highest, from one alignment on."""

    def __init__(self, bits: int, skip: int) -> None:
        self._bits = bits
        self._skip = skip
        self._held = b""

    def feed(self, text: bytes) -> bytes:
        """See `texts.TextDecoder`."""
        if self._skip:
            skip = min(self._skip, len(text))
            self._skip, text = self._skip - skip, text[skip:]
        many = 8 // self._bits
        if many == 1:
            return text
        text = self._held + text
        end = len(text) // many * many
        self._held = text[end:]
        table = np.frombuffer(text[:end], np.uint8).reshape(-1, many)
        packed = np.zeros(len(table), np.uint8)
        for column in table.T:
            packed = np.bitwise_or(packed << self._bits, column)
        return packed.tobytes()
