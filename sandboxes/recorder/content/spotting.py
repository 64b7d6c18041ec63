"""Where in a stretch of bytes something encoded or compressed may begin. Cheap tests first: most bytes hold nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from . import texts
from .streams import Bzip2, Decoder, Gzip, Lz4, Lzma, Xz, Zip, Zlib, Zstd
from .texts import Alphabet, Kind

LOOKAHEAD = 16
"""A beginning is judged by this many bytes."""

_STEP = 4
_FOREIGN = 24
_SHORTEST_LINE = 24
_TELLING = 1024
_SAMPLES = texts.MIN_RUN // _STEP - 1


def _members(characters: bytes) -> bytes:
    return bytes(byte in characters for byte in range(256))


_PRINTABLE = _members(bytes(range(32, 127)) + b"\t\r\n")
_PAIRS = _members(texts.Pairs.ALLOWED)
_NOT_SOLID = bytes(not 33 <= byte < 127 for byte in range(256))
_PERCENT = re.compile(rb"(?:[!#$&(-~]{0,256}?%[0-9A-Fa-f]{2}){6}")
_PAIRED = re.compile(
    rb"(?:(?:0x|\\x)?(?:[0-9A-Fa-f]{2}){1,8}[ \t\r\n:,;+\\-]{1,4}){20,}|(?:(?:0x|\\x)[0-9A-Fa-f]{2}[, ]{0,2}){20,}"
)


# --- compressed streams -----------------------------------------------------------------------------------------------

_Judge = Callable[[bytes], bool]


def _is_zlib(head: bytes) -> bool:
    return (head[0] << 8 | head[1]) % 31 == 0 and not head[1] & 0x20 and head[2] & 7 in (0, 1, 2, 3, 4, 5)


def _is_lzma(head: bytes) -> bool:
    # A dictionary of a power of two from 64 KiB on, a length that is unknown or below 2^40, and a first byte of zero.
    size = int.from_bytes(head[1:5], "little")
    known = head[5:13] == b"\xff" * 8 or head[10:13] == b"\0\0\0"
    return size >= 1 << 12 and size & (size - 1) in (0, size // 2) and known and head[13] == 0


STREAMS: tuple[tuple[bytes, type[Decoder], _Judge], ...] = (
    (b"\x1f\x8b", Gzip, lambda head: head[2] == 8 and head[3] < 0x20),
    (b"PK", Zip, lambda head: head[2:4] == b"\x03\x04" and head[8:10] == b"\x08\x00"),
    (b"BZ", Bzip2, lambda head: head[2:3] == b"h" and head[4:10] == b"1AY&SY"),
    (b"\xfd7", Xz, lambda head: head.startswith(b"\xfd7zXZ\x00")),
    (b"(\xb5", Zstd, lambda head: head[2:4] == b"\x2f\xfd"),
    (b"\x04\x22", Lz4, lambda head: head[2:4] == b"\x4d\x18"),
    (b"]\x00", Lzma, _is_lzma),
    (b"\x78\x01", Zlib, _is_zlib),
    (b"\x78\x5e", Zlib, _is_zlib),
    (b"\x78\x9c", Zlib, _is_zlib),
    (b"\x78\xda", Zlib, _is_zlib),
)
"""The first two bytes of a format, its decoder, and what else its first bytes must be."""

_FIRST_TWO = tuple(int.from_bytes(magic, "little") for magic, _, _ in STREAMS)

CLOSED = {
    b"7z\xbc\xaf\x27\x1c": "7z archive",
    b"Rar!\x1a\x07": "rar archive",
    b"Salted__": "encrypted by openssl",
    b"age-encryption.org/": "encrypted by age",
    b"-----BEGIN PGP MESSAGE": "encrypted by PGP",
}
"""What cannot be looked into, by its first bytes."""


def find_streams(data: bytes, start: int, end: int) -> list[tuple[int, type[Decoder]]]:
    """Where in `data[start:end]` compressed streams may begin, in order; `LOOKAHEAD` bytes must follow each place."""
    found: list[int] = []
    for phase in (0, 1):
        # A copy, since numpy is several times slower on words at odd addresses.
        words = np.frombuffer(data[start + phase : end + 1][: max(0, end + 1 - start - phase) // 2 * 2], "<u2")
        hits = np.zeros(len(words), np.bool_)
        equal = np.empty_like(hits)
        for value in _FIRST_TWO:
            np.equal(words, value, out=equal)
            np.logical_or(hits, equal, out=hits)
        found += [start + phase + 2 * int(i) for i in np.flatnonzero(hits)]
    return [place for at in sorted(found) if at < end for place in _judge(data, at)]


def _judge(data: bytes, at: int) -> Iterator[tuple[int, type[Decoder]]]:
    head = data[at : at + LOOKAHEAD]
    for magic, decoder, is_one in STREAMS:
        if head.startswith(magic) and len(head) == LOOKAHEAD and is_one(head):
            yield at, decoder


# --- text -------------------------------------------------------------------------------------------------------------


def has_text(data: bytes) -> bool:
    """Whether a printable stretch of `texts.MIN_RUN` may stand in `data`. False for nearly all binary data."""
    return data[::_STEP].translate(_PRINTABLE).find(b"\1" * _SAMPLES) >= 0


def is_text(data: bytes) -> bool:
    """Whether nothing but printable characters stands in `data`."""
    return 0 not in data.translate(_PRINTABLE)


_Found = tuple[int, Kind] | None


class TextFinder:
    """Finds the runs of text in one buffer from start to end; each test is made once, however many there are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._words: dict[bytes, _Words] = {}
        self._searched: dict[str, _Found] = {}

    def find(self, start: int) -> _Found:
        """Where the next run begins from `start` on, and what it is written in. `start` must not go back."""
        found = [
            self._next("percent", self._percent, start),
            self._next("pairs", self._pairs, start),
            self._next("word", self._word, start),
        ]
        first = min(filter(None, found), key=lambda each: each[0], default=None)
        if first or self._words_of(_NOT_SOLID).long(start) is None:
            return first
        # Many other things look like the alphabets of 85 characters, so they come last.
        wide = [
            self._next(alphabet.name, lambda start, alphabet=alphabet: self._wide(alphabet, start), start)  # type: ignore[misc]
            for alphabet in (texts.BASE85, texts.ASCII85)
        ]
        return min(filter(None, wide), key=lambda each: each[0], default=None)

    def _next(self, name: str, search: Callable[[int], _Found], start: int) -> _Found:
        known = self._searched.get(name, (-1, texts.PERCENT))
        if known is not None and known[0] < start:
            known = self._searched[name] = search(start)
        return known

    def _percent(self, start: int) -> _Found:
        data = self._data
        if data.count(b"%", start) < 6:
            return None
        match = _PERCENT.search(data, max(start, data.find(b"%", start) - 256))
        return (match.start(), texts.PERCENT) if match else None

    def _pairs(self, start: int) -> _Found:
        rough = self._data[start::_STEP].translate(_PAIRS).find(b"\1" * _SAMPLES)
        if rough < 0:
            return None
        match = _PAIRED.search(self._data, start + max(0, rough - 1) * _STEP)
        return (match.start(), texts.PAIRS) if match else None

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
            at += data[at : at + _FOREIGN].translate(alphabet.outside).rfind(b"\1") + 1
            if (lines is not None and lines <= at) or end - at >= alphabet.for_a_mark:
                return at, texts.WORDS[alphabet]
            start = end  # a checksum, an identifier: too short to hold anything


class _Words:
    """The words of one alphabet in a buffer."""

    def __init__(self, data: bytes, outside: bytes) -> None:
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

    def end(self, start: int) -> int:
        """Where the word that holds `start` ends."""
        return int(self._edges[np.searchsorted(self._edges, start)])


def _first(places: npt.NDArray[np.int64], start: int) -> int | None:
    index = np.searchsorted(places, start)
    return int(places[index]) if index < len(places) else None


def _is_varied(word: bytes) -> bool:
    """Whether characters are as mixed as in base 85; identifiers, links and packed JSON are not."""
    return len(set(word)) >= 30 and len(word.translate(None, texts.BASE64.characters)) >= 8


def _narrowest(word: bytes) -> Alphabet:
    return next(alphabet for alphabet in texts.ALPHABETS if not word.translate(None, alphabet.characters))
