"""Decoders of bytes written as text: alphabets, and how a text's lines are put together again.

A **run** is a long stretch of one alphabet's characters: a single long word, or lines of equal length. It may have been
cut anywhere, so it is decoded at every alignment until one proves right.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from ..marks import MARK_BYTES
from . import six_bits

MIN_RUN = 64
"""A run is at least this long; a mark alone takes 60 characters of base64."""

_END = 16
"""Characters at a run's end that are decoded apart: a quote or a bracket that follows may be of the alphabet, too. A
decoder of compressed streams gives nothing of the call in which it meets an error."""

SHORTEST = 8
"""Characters of a part of a text that was cut up: shorter words do not count, and most words of a prose are."""

MAX_LINE = 4096
"""Longer words stand for themselves; shorter ones may be the lines of one text."""

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = b"0123456789"
_BASE64 = _LETTERS + _LETTERS.lower() + _DIGITS + b"+/"
_BASE32 = _LETTERS + b"234567"
_BASE32_HEX = _DIGITS + _LETTERS[:22]
_BASE85 = _DIGITS + _LETTERS + _LETTERS.lower() + b"!#$%&()*+-;<=>?@^_`{|}~"
_ASCII85 = bytes(range(33, 118))
_Z85 = _DIGITS + _LETTERS.lower() + _LETTERS + b".-:+=^!/*?&<>()[]{}@%$#"
_UU_TO_64 = bytes.maketrans(bytes(range(32, 96)) + b"`", _BASE64 + b"A")
_XX_TO_64 = bytes.maketrans(b"+-" + _DIGITS + _LETTERS + _LETTERS.lower(), _BASE64)
_ZEROS = (b"z", b"!!!!!")
_SEPARATOR = re.compile(rb"(?:[ \t\r\n\"',]|\\[ntr\r\n\"]){1,16}")
_URL = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class Alphabet:
    """One way to write bytes as characters."""

    name: str
    characters: bytes
    """All that a run may hold."""
    group: int
    """Characters that are decoded together: the number of possible alignments."""
    size: int
    """Bytes that a group stands for."""
    decode: Callable[[bytes], bytes]
    """Whole groups to bytes. Never fails on the alphabet's own characters."""
    short: tuple[bytes, bytes] | None = None
    """A character that stands for a whole group, and that group."""

    @cached_property
    def outside(self) -> bytes:
        """A table for `translate`: 1 for what is not of the alphabet, else 0."""
        return bytes(byte not in self.characters for byte in range(256))

    @property
    def for_a_mark(self) -> int:
        """Characters that the shortest text holding a whole mark may have."""
        return MARK_BYTES * self.group // self.size

    @property
    def word(self) -> re.Pattern[bytes]:
        """Matches as many of the characters as there are."""
        return re.compile(b"[" + re.escape(self.characters) + b"]*")


def _base64(text: bytes) -> bytes:
    return six_bits.decode(text.translate(_URL) if b"-" in text or b"_" in text else text)


def _positional(digits: bytes, base: int, group: int, size: int) -> Callable[[bytes], bytes]:
    """Decoder of groups of digits, the most significant first, to `size` bytes each; values wrap around."""
    values = np.zeros(256, np.uint64)
    values[np.frombuffer(digits, np.uint8)] = np.arange(base, dtype=np.uint64)

    def decode(text: bytes) -> bytes:
        columns = values[np.frombuffer(text, np.uint8)].reshape(-1, group)
        number = np.zeros(len(columns), np.uint64)
        for i in range(group):
            number = number * np.uint64(base) + columns[:, i]
        return number.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - size :].tobytes()

    return decode


_base32 = _positional(_BASE32, 32, 8, 5)

BINARY = Alphabet("binary", b"01", 8, 1, lambda text: np.packbits(np.frombuffer(text, np.uint8) & 1).tobytes())
OCTAL = Alphabet("octal", b"01234567", 3, 1, _positional(b"01234567", 8, 3, 1))
DECIMAL = Alphabet("digits", _DIGITS, 3, 1, _positional(_DIGITS, 10, 3, 1))
HEX = Alphabet("hex", _DIGITS + b"abcdefABCDEF", 2, 1, binascii.unhexlify)
BASE32 = Alphabet("base32", _BASE32, 8, 5, _base32)
BASE32_LOWER = Alphabet("base32", _BASE32.lower(), 8, 5, lambda text: _base32(text.upper()))
BASE32_HEX = Alphabet("base32", _BASE32_HEX, 8, 5, _positional(_BASE32_HEX, 32, 8, 5))
BASE32_HEX_LOWER = Alphabet("base32", _BASE32_HEX.lower(), 8, 5, lambda text: BASE32_HEX.decode(text.upper()))
BASE64 = Alphabet("base64", _BASE64 + b"-_", 4, 3, _base64)
BASE85 = Alphabet("base85", _BASE85, 5, 4, _positional(_BASE85, 85, 5, 4))
ASCII85 = Alphabet("ascii85", _ASCII85 + b"z", 5, 4, _positional(_ASCII85, 85, 5, 4), _ZEROS)

Z85 = Alphabet("z85", _Z85, 5, 4, _positional(_Z85, 85, 5, 4))
UUENCODE = Alphabet("uuencode", bytes(range(32, 97)), 4, 3, lambda text: _base64(text.translate(_UU_TO_64)))
XXENCODE = Alphabet("xxencode", BASE64.characters, 4, 3, lambda text: _base64(text.translate(_XX_TO_64)))

ALPHABETS = (BINARY, DECIMAL, HEX, BASE32, BASE32_LOWER, BASE32_HEX, BASE32_HEX_LOWER, BASE64, BASE85, Z85, ASCII85)
"""The narrowest first: what a run of characters is taken for."""

_WORDS = {alphabet: alphabet.word for alphabet in ALPHABETS}


def is_separator(data: bytes) -> bool:
    """Whether this may stand between a run's lines."""
    return _SEPARATOR.fullmatch(data) is not None


def without_separators(data: bytes) -> bytes:
    """What is left without the characters that may stand between a run's lines."""
    return _SEPARATOR.sub(b"", data)


def longest(words: list[bytes]) -> bytes:
    """The longest word, which may be the last part of a text that was cut up; nothing if it is too short for one."""
    found = max(words, key=len, default=b"")
    return found if len(found) >= SHORTEST else b""


class Lines:
    """Takes a run's characters out of the text around and between its lines, as it streams.

    A run ends at a character that is neither of its alphabet nor a separator (white space, quotes, commas, an escaped
    line break), and after a line that is shorter than the ones before.
    """

    def __init__(self, alphabet: Alphabet) -> None:
        self.ended = False
        self.name = b""
        """The last line, where it may be none but name what follows it, as in `name: `."""
        self._characters = alphabet.characters
        self._word = _WORDS[alphabet]
        self._column = 0
        self._width = 0
        self._first = False
        self._separator: bytes | None = None
        self._parted = False
        """Whether a separator stands behind the last line."""
        self._pending = b""
        self._last = b""

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """See `Taker`. The last few characters are left to `finish`."""
        text, rest = self._take(data)
        last = self._last
        if len(text) < _END:
            text, last = last + text, b""
        self._last = text[-_END:]
        if self.ended and 0 < self._column < min(_END, self._width) and self._names(rest):
            self.name = self._last[-self._column :]
        return b"".join((last, memoryview(text)[:-_END])), rest

    def _take(self, data: bytes) -> tuple[bytes, bytes]:
        data, self._pending = self._pending + data, b""
        pieces: list[bytes] = []
        at = 0
        while at < len(data):
            at = self._block(data, at, pieces)
            end = self._end_of_word(data, at)
            pieces.append(data[at:end])
            self._column += end - at
            at = end
            if at == len(data):
                break
            following = self._next_line(data, at)
            if following is None:
                break
            at = following
            if self.ended:
                return b"".join(pieces), data[at:]
        return b"".join(pieces), b""

    def finish(self) -> bytes:
        """See `Taker`. The name is not in it."""
        return self._last.removesuffix(self.name)

    def _names(self, rest: bytes) -> bool:
        """Whether the last line names what follows; padding does not make it a name."""
        if self._parted:
            return rest[:1] in (b"=", b":")
        return not rest.startswith(b"=") or (len(rest) > 1 and rest[1] in self._characters)

    def last_word(self, data: bytes) -> bytes:
        """The longest word of the alphabet in what stands behind the text; nothing if that is but a short one."""
        return longest(self._word.findall(data))

    def _end_of_word(self, data: bytes, at: int) -> int:
        # Deleting the alphabet is four times as fast as matching it; most windows of a long word hold nothing else.
        if at == 0 and not data.translate(None, self._characters):
            return len(data)
        match = self._word.match(data, at)
        return match.end() if match else at

    def _next_line(self, data: bytes, at: int) -> int | None:
        """Where the next line starts (with `ended` set: where the run stopped), or None while that is not known yet."""
        match = _SEPARATOR.match(data, at)
        end = match.end() if match else at
        if data[end:] in (b"", b"\\") and end - at < 16:
            self._pending = data[at:]
            return None
        separator = data[at:end]
        width = self._column
        # The first line may have been cut at its start.
        same = width == self._width or not self._width or (self._first and width > self._width)
        self._first = not self._width
        if not separator or width > MAX_LINE or not same or self._separator not in (None, separator):
            self.ended, self._parted = True, bool(separator)
            return end
        self._width, self._column, self._separator = width, 0, separator
        return end

    def _block(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take as many whole lines as follow each other regularly, at once."""
        if self._column or not self._separator or not self._width:
            return at
        gap = len(self._separator)
        period = self._width + gap
        many = (len(data) - at) // period
        if many < 4:
            return at
        table = np.frombuffer(data, np.uint8, many * period, at).reshape(many, period)
        regular = (table[:, self._width :] == np.frombuffer(self._separator, np.uint8)).all(axis=1)
        good = many if regular.all() else int(np.argmin(regular))
        text = table[:good, : self._width].tobytes()
        if not good or text.translate(None, self._characters):
            return at
        pieces.append(text)
        return at + good * period


class Grouped:
    """Decodes an alphabet from one alignment on."""

    def __init__(self, alphabet: Alphabet, skip: int) -> None:
        self._alphabet = alphabet
        self._skip = skip
        self._held = b""
        self._cut = False
        """Whether the text was seen to be cut within a group."""

    def feed(self, text: bytes) -> bytes:
        """What the next characters of the run decode to."""
        if self._alphabet.short:
            text = text.replace(*self._alphabet.short)
        if self._skip:
            skip = min(self._skip, len(text))
            self._skip, text = self._skip - skip, text[skip:]
        held, size = self._held, len(self._held) + len(text)
        if size < self._alphabet.group:
            self._held += text
            return b""
        end = len(text) - size % self._alphabet.group
        self._held = text[end:]
        return self._alphabet.decode(b"".join((held, memoryview(text)[:end])) if held or self._held else text)

    def end_group(self) -> bytes:
        """The text is interrupted: what the characters of a group that is not full stand for, if they can be the last.

        Who encodes each piece by itself leaves bits over, and they are 0. Other ones show that the text was cut up:
        then the group goes on with the next piece, here and from then on.
        """
        held, alphabet = self._held, self._alphabet
        full = alphabet.decode(held + alphabet.characters[:1] * (-len(held) % alphabet.group))
        many = len(held) * alphabet.size // alphabet.group
        self._cut = self._cut or any(full[many:])
        if self._cut:
            return b""
        self._held = b""
        return full[:many]


class Mirrored:
    """Decodes an alphabet of which every line was turned around.

    Args:
        alphabet: of the text.
        width: characters of a line; the first one is whole.
        skip: as for `Grouped`.
    """

    def __init__(self, alphabet: Alphabet, width: int, skip: int) -> None:
        self._width = width
        self._lines = Grouped(alphabet, skip)
        self._held = b""

    def feed(self, text: bytes) -> bytes:
        """See `TextDecoder`."""
        text = self._held + text
        end = len(text) // self._width * self._width
        self._held = text[end:]
        table = np.frombuffer(text[:end], np.uint8).reshape(-1, self._width)
        return self._lines.feed(table[:, ::-1].tobytes())


class Taker(Protocol):
    """Takes a run's text out of what surrounds it."""

    ended: bool

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """The run's text in `data`, and what follows when the run has ended."""

    def finish(self) -> bytes:
        """The run's last text: no more comes, or it has ended."""


class TextDecoder(Protocol):
    """Undoes one layer of text."""

    def feed(self, text: bytes) -> bytes:
        """What the next characters of the run decode to."""


@dataclass(frozen=True)
class Kind:
    """A way to write bytes as text, with all that is needed to undo it."""

    name: str
    taker: Callable[[], Taker]
    decoders: Callable[[], list[TextDecoder]]
    """One for each alignment (or reading) that is possible."""
    weak: bool = False
    """Many other things look like this: where it shows nothing, it is not believed beyond what is looked at at once."""


_READINGS = {DECIMAL: (DECIMAL, OCTAL, HEX)}
"""What else a text of nothing but an alphabet's characters may be: no digit of octal numbers is above 7, and what is
hexadecimal twice over has no letters."""


def aligned(alphabet: Alphabet) -> list[TextDecoder]:
    """Decoders for all readings of an alphabet's characters, from every alignment on."""
    readings = _READINGS.get(alphabet, (alphabet,))
    return [Grouped(reading, skip) for reading in readings for skip in range(reading.group)]


def _of(alphabet: Alphabet) -> Kind:
    return Kind(
        alphabet.name,
        lambda: Lines(alphabet),
        lambda: aligned(alphabet),
        weak=alphabet in (BASE85, Z85, ASCII85),
    )


WORDS = {alphabet: _of(alphabet) for alphabet in ALPHABETS}


def in_lines(alphabet: Alphabet, width: int) -> Kind:
    """Text in lines of this width, from the first character of one on."""
    skips = range(alphabet.group if width % alphabet.group else 1)
    return replace(
        WORDS[alphabet],
        decoders=lambda: [*aligned(alphabet), *(Mirrored(alphabet, width, skip) for skip in skips)],
    )
