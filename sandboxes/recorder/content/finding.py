"""Where in a stretch of bytes a text begins that stands for other bytes, and what it is written in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from . import columns, escapes, numbers, symbols, texts
from .texts import Alphabet, Kind

_FOREIGN = 24
_SHORTEST_LINE = 24
_TELLING = 1024
_NOT_SOLID = bytes(not 33 <= byte < 127 for byte in range(256))

_Found = tuple[int, Kind] | None


class TextFinder:
    """Finds the runs of text in one buffer from start to end; each test is made once, however many there are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._words: dict[bytes, _Words] = {}
        self._searched: dict[_Search, _Found] = {}

    def find(self, start: int, *, weak: bool = True) -> _Found:
        """Where the next run begins from `start` on, and what it is written in. `start` must not go back.

        Args:
            start: where to search from.
            weak: whether kinds that many other things look like count.
        """
        first = self._first(_STRUCTURED, start)
        if first or not weak:
            return first
        # Many other things look like the alphabets of 85 characters, and more like an unknown one, so they come last.
        return self._first(_WIDE, start) or self._first((TextFinder._own_words,), start)

    def _first(self, searches: tuple[_Search, ...], start: int) -> _Found:
        found = []
        for search in searches:
            known = self._searched.get(search, _NOT_SEARCHED)
            if known is not None and known[0] < start:
                known = self._searched[search] = search(self, start)
            if known is not None:
                found.append(known)
        return min(found, key=lambda each: each[0], default=None)

    def _escapes(self, start: int) -> _Found:
        return escapes.find(self._data, start)

    def _numbers(self, start: int) -> _Found:
        return numbers.find(self._data, start)

    def _column(self, start: int) -> _Found:
        words = self._words_of(texts.BASE64.outside)
        found = columns.find(self._data, *words.since(start), texts.BASE64)
        return found if found is None or not words.are_lines(found[0]) else None

    def _uuencoded(self, start: int) -> _Found:
        found = columns.find(self._data, *self._words_of(texts.UUENCODE.outside).since(start), texts.UUENCODE)
        # Capitals with quotes and blanks around them look like it, too.
        narrower = self._first((TextFinder._column,), start)
        return found if found is None or narrower is None or narrower[0] - found[0] > texts.MIN_RUN else None

    def _wide_column(self, start: int) -> _Found:
        return columns.find(self._data, *self._words_of(_NOT_SOLID).since(start), texts.ASCII85)

    def _own_digits(self, start: int) -> _Found:
        return symbols.find_digits(self._data, start)

    def _own_words(self, start: int) -> _Found:
        return symbols.find_words(self._data, start)

    def _base85(self, start: int) -> _Found:
        return self._wide(texts.BASE85, start)

    def _z85(self, start: int) -> _Found:
        return self._wide(texts.Z85, start)

    def _ascii85(self, start: int) -> _Found:
        return self._wide(texts.ASCII85, start)

    def _wide(self, alphabet: Alphabet, start: int) -> _Found:
        words = self._words_of(alphabet.outside)
        at = words.long(start)
        while at is not None and words.end(at) - at < _TELLING and not _is_varied(self._data[at : at + texts.MIN_RUN]):
            at = words.long(words.end(at))
        return None if at is None else (at, texts.WORDS[alphabet])

    def _words_of(self, outside: bytes) -> _Words:
        if outside not in self._words:
            self._words[outside] = _Words(self._data, outside)
        return self._words[outside]

    def _word(self, start: int) -> _Found:
        data, words = self._data, self._words_of(texts.BASE64.outside)
        while True:
            long, lines = words.long(start), words.lines(start)
            at = min((place for place in (long, lines) if place is not None), default=None)
            if at is None:
                return None
            end = words.end(at)
            if at and data[at - 1] == 0x5C and data[at] in b"ntr":
                at += 1  # an escaped line break, not a character of the text
            # What stands directly before a run may end in characters that belong to a wider alphabet.
            sample = texts.without_separators(data[at + _FOREIGN : at + 2 * texts.MIN_RUN])
            alphabet = _narrowest(sample[: texts.MIN_RUN - _FOREIGN - 1])
            far = at + _FAR if at == lines else min(end, at + _FAR)
            if alphabet in _NARROW:
                wider = _narrowest(texts.without_separators(data[at + _FOREIGN : far]))
                # Of a text, such as another text in hex, letters are rare; and few characters say nothing.
                if (alphabet in _DIGITS and wider is texts.HEX) or (wider and _is_dull(sample)):
                    alphabet = wider
            if alphabet is None:
                start = end  # words of one length by chance, among bytes of any kind
                continue
            at += data[at : at + _FOREIGN].translate(alphabet.outside).rfind(b"\1") + 1
            if (lines is not None and lines <= at) or end - at >= alphabet.for_a_mark:
                # Digits of somebody's own are characters of a wider alphabet, of which only they occur.
                few = alphabet not in _NARROW and symbols.of_bytes(texts.without_separators(data[at : at + _FAR]))
                kind = texts.in_lines(alphabet, end - at) if at == lines else texts.WORDS[alphabet]
                return at, few.kind if few else kind
            start = end  # a checksum, an identifier: too short to hold anything


class _Words:
    """The words of one alphabet in a buffer."""

    def __init__(self, data: bytes, outside: bytes) -> None:
        self._data = data
        breaks = np.flatnonzero(np.frombuffer(data.translate(outside), np.bool_))
        self._edges = np.concatenate(([-1], breaks, [len(data)]))
        """Where characters outside the alphabet stand, with one more before the start and one after the end."""
        lengths = np.diff(self._edges)
        self._long = self._edges[:-1][lengths > texts.MIN_RUN] + 1
        words = np.flatnonzero(lengths > 1)
        lengths = lengths[words]
        same = (lengths[:-1] == lengths[1:]) & (lengths[1:] > _SHORTEST_LINE)
        self._lines = self._edges[words[np.flatnonzero(same[:-2] & same[1:-1] & same[2:])]] + 1

    def long(self, start: int) -> int | None:
        """The first word of at least `texts.MIN_RUN` characters; one that has begun counts with what is left of it."""
        if self.end(start) - start >= texts.MIN_RUN:
            return start
        return _first(self._long, start)

    def lines(self, start: int) -> int | None:
        """The first of four words of the same length, which may be the lines of one text."""
        return _first(self._lines, start)

    def since(self, start: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Where the words from `start` on stand, and how long they are."""
        edges = self._edges[np.searchsorted(self._edges, start - 1) :]
        return edges[:-1] + 1, np.diff(edges) - 1

    def are_lines(self, at: int) -> bool:
        """Whether the words from `at` on are plain lines of whole groups, which are quicker to put together as such."""
        end = self.end(at)
        following = self._edges[np.searchsorted(self._edges, end) :]
        gap = following[:-1][np.diff(following) > 1][:1]
        separator = self._data[end : int(gap[0]) + 1] if len(gap) else b""
        return self.lines(at) == at and (end - at) % 4 == 0 and texts.is_separator(separator)

    def end(self, start: int) -> int:
        """Where the word that holds `start` ends."""
        return int(self._edges[np.searchsorted(self._edges, start)])


_DIGITS = (texts.BINARY, texts.DECIMAL)
_NARROW = (*_DIGITS, texts.HEX)
_FAR = 1024
_Search = Callable[[TextFinder, int], _Found]
_NOT_SEARCHED = (-1, texts.WORDS[texts.HEX])
_STRUCTURED: tuple[_Search, ...] = (
    TextFinder._escapes, TextFinder._numbers, TextFinder._column, TextFinder._word, TextFinder._uuencoded,
)  # fmt: skip
_WIDE: tuple[_Search, ...] = (
    TextFinder._own_digits, TextFinder._wide_column, TextFinder._base85, TextFinder._z85, TextFinder._ascii85,
)  # fmt: skip


def _first(places: npt.NDArray[np.int64], start: int) -> int | None:
    index = np.searchsorted(places, start)
    return int(places[index]) if index < len(places) else None


def _is_varied(word: bytes) -> bool:
    """Whether characters are as mixed as in base 85; identifiers, links and packed JSON are not."""
    return len(set(word)) >= 30 and len(word.translate(None, texts.BASE64.characters)) >= 8


def _is_dull(word: bytes) -> bool:
    """Whether most of it is one character, as where bytes repeat: that says nothing of the alphabet."""
    return 2 * max(map(word.count, set(word)), default=0) > len(word)


def _narrowest(word: bytes) -> Alphabet | None:
    fitting = (alphabet for alphabet in texts.ALPHABETS if not word.translate(None, alphabet.characters))
    return next(fitting, None)
