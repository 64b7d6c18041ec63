"""A text cut into words of one length that stand among other things: prefixes, counters, keys, quotes, time stamps.

What stands between does not matter. Words of one length that come again and again, and whose characters change from one
to the next, are a **column**; it is decoded both as one text that was cut up and as words that were encoded each by
itself, also such as begin with a character for their length (uuencode).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .texts import ALPHABETS, BASE64, SHORTEST, UUENCODE, XXENCODE, Alphabet, Kind, TextDecoder, aligned, longest

LONGEST = 4096
_WORDS = 12
"""A column is judged by so many of its words."""

_MOST_WIDTHS = 3
"""Words as long or longer that stand among those of a column have hardly more lengths than this."""

_FIGURES = 18
"""Characters that columns of figures are written in: digits, signs, points, blanks and the like."""

_FILLER_BYTES = 96
_PATIENCE_BYTES = 1024
_ORDERS = {BASE64: (BASE64, XXENCODE)}
"""Alphabets of the same characters in another order."""


@dataclass(frozen=True)
class Column:
    """Words of `width` characters of an alphabet."""

    alphabet: Alphabet
    width: int

    @property
    def kind(self) -> Kind:
        """What undoes it."""
        return Kind(self.alphabet.name, lambda: _Taker(self), self._decoders)

    def _decoders(self) -> list[TextDecoder]:
        group = self.alphabet.group
        decoders = aligned(self.alphabet)
        for alphabet in _ORDERS.get(self.alphabet, (self.alphabet,)):
            decoders += [_Alone(alphabet, self.width, skip) for skip in (0, 1) if (self.width - skip) % group or skip]
        return decoders


def find(
    data: bytes, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], wide: Alphabet
) -> tuple[int, Kind] | None:
    """The first column among words of an alphabet that stand in `data` at `starts` and have these `lengths`.

    Where the words are of a narrower alphabet, too, they are taken for that.
    """
    enough = lengths >= SHORTEST
    starts, lengths = starts[enough], lengths[enough]
    found: list[tuple[int, Kind]] = []
    for width, places in _close(starts, lengths):
        between = slice(*np.searchsorted(starts, (places[0], places[-1] + 1)))
        if len({length for length in lengths[between].tolist() if length >= width}) > _MOST_WIDTHS:
            continue
        if (alphabet := _alphabet([data[at : at + width] for at in places], wide)) is not None:
            found.append((places[0], Column(alphabet, width).kind))
    return min(found, key=lambda each: each[0], default=None)


def _close(starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
    """For each length the first words of it that stand close enough together to be a column, if there are any."""
    # All lengths at once: sorted by them, and by place within one.
    order = np.argsort(lengths, kind="stable")
    widths, places = lengths[order], starts[order]
    far = (np.diff(places) > 3 * widths[1:] + _FILLER_BYTES) | (np.diff(widths) != 0) | (widths[1:] > LONGEST)
    breaks = np.concatenate(([0], np.cumsum(far)))
    firsts = np.flatnonzero(breaks[_WORDS - 1 :] == breaks[: 1 - _WORDS])
    seen = widths[firsts]
    for first in firsts[np.diff(seen, prepend=0) != 0].tolist():
        yield int(widths[first]), places[first : first + _WORDS].tolist()


def _alphabet(words: list[bytes], wide: Alphabet) -> Alphabet | None:
    """What the words are written in; None if they are not as mixed as encoded bytes are."""
    table = np.frombuffer(b"".join(words), np.uint8).reshape(len(words), -1)
    # A letter for the length is the same in each word; nothing else of encoded bytes is the same in most positions.
    various = sum(len(set(column.tolist())) >= _WORDS // 3 for column in table.T)
    if various < 0.7 * table.shape[1] - 1 or len(set(words)) < len(words) - 1:
        return None
    if wide is UUENCODE:
        return wide if len(set(table.ravel().tolist())) > _FIGURES else None
    return next((each for each in ALPHABETS if not b"".join(words).translate(None, each.characters)), None)


class _Taker:
    """Takes the words of a column out of a text, as long as they go on coming, and the shorter one that is the last."""

    def __init__(self, column: Column) -> None:
        self.ended = False
        characters = b"[" + re.escape(column.alphabet.characters) + b"]"
        self._find = re.compile(b"(?<!%b)%b{%d}(?!%b)" % (characters, characters, column.width, characters))
        self._word = re.compile(characters + b"+")
        self._outside = column.alphabet.outside
        self._width = column.width
        self._held = b""
        self._after = b""
        """What followed the last word, until the next comes."""
        self._between = 0
        """Other words that stand between two of the column."""

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """See `texts.Taker`."""
        data = self._held + data
        # The last word may go on. What stands before it is kept, too, so that a longer one is not cut to size.
        end = data.translate(self._outside).rfind(b"\1") + 1
        self._held = data[max(0, end - 1) :][: self._width + 2]
        found = list(self._find.finditer(data, 0, end))
        if found:
            self._after = data[found[-1].end() : end]
        else:
            self._after += data[1:end]
        if len(found) > 1:
            self._between = len(self._word.findall(data, found[-2].end(), found[-1].start()))
        self.ended = len(self._after) > max(_PATIENCE_BYTES, 4 * self._width)
        words = [match[0] for match in found]
        if not self.ended:
            return b"".join(words), b""
        return b"".join((*words, self._last())), self._after + self._held[1:]

    def finish(self) -> bytes:
        """See `texts.Taker`."""
        if self.ended:
            return b""
        self._after += self._held
        return self._last()

    def _last(self) -> bytes:
        """The word at the column's place after its last whole one; if there are not as many before it, the longest."""
        words: list[bytes] = self._word.findall(self._after)[: self._between + 1]
        if len(words) == self._between + 1:
            return words[-1][: self._width]
        return longest(words)[: self._width]


class _Alone:
    """Decodes words one by one, from a character on; what does not fill a byte is dropped."""

    def __init__(self, alphabet: Alphabet, width: int, skip: int) -> None:
        self._alphabet = alphabet
        self._width = width
        self._skip = skip
        group, size = alphabet.group, alphabet.size
        used = width - skip
        self._padding = -used % group
        self._bytes = used * size // group

    def feed(self, text: bytes) -> bytes:
        """See `texts.TextDecoder`."""
        short = len(text) % self._width
        return self._whole(text[: len(text) - short]) + self._short(text[len(text) - short :])

    def _short(self, word: bytes) -> bytes:
        """The last word."""
        group = self._alphabet.group
        word = word[self._skip :]
        padded = word + self._alphabet.characters[:1] * (-len(word) % group)
        return self._alphabet.decode(padded)[: len(word) * self._alphabet.size // group] if word else b""

    def _whole(self, text: bytes) -> bytes:
        if not text:
            return b""
        table = np.frombuffer(text, np.uint8).reshape(-1, self._width)[:, self._skip :]
        if self._padding:
            zero = np.full((len(table), self._padding), self._alphabet.characters[0], np.uint8)
            table = np.hstack((table, zero))
        whole = self._alphabet.decode(table.tobytes())
        return np.frombuffer(whole, np.uint8).reshape(len(table), -1)[:, : self._bytes].tobytes()
