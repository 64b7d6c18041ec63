r"""Text in which some bytes stand for themselves and the others are written with a mark before them.

`%41`, `=41`, `\x41`, `\101`, `\u0041` and `&#65;` are one idea: a character that announces, and digits. Where such
marks follow each other densely, the text around them is undone as a whole.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote_to_bytes

import numpy as np
import numpy.typing as npt

from .texts import Kind

_DENSE = 6
"""So many marks, no further apart than `_GAP_BYTES`, make a run."""

_GAP_BYTES = 256
_LONGEST = 8
"""Characters of the longest mark."""


_Table = npt.NDArray[np.bool_]


def _table(characters: bytes) -> _Table:
    """Which bytes are among the characters."""
    return np.isin(np.arange(256), np.frombuffer(characters, np.uint8))


@dataclass(frozen=True)
class _Style:
    name: str
    mark: bytes
    """The character that announces."""
    whole: re.Pattern[bytes]
    """A mark with its digits."""
    outside: re.Pattern[bytes]
    """What cannot stand in such a text, and so ends it."""
    begins: tuple[_Table, _Table]
    """Of which characters the first two after the announcing one must be, for a mark to be whole."""
    harmless: _Table
    """What else may come first without ending the text."""
    decoders: tuple[Callable[[bytes], bytes], ...]
    """Its readings, each for text that holds only whole marks."""

    def kind(self) -> Kind:
        return Kind(self.name, lambda: _Taker(self), lambda: [_Decoder(self, decode) for decode in self.decoders])


def find(data: bytes, start: int) -> tuple[int, Kind] | None:
    """Where the first dense run of marks begins from `start` on, with the text before that may belong to it."""
    found = [(at, style) for style in _STYLES if (at := _dense(style, data, start)) is not None]
    if not found:
        return None
    at, style = min(found, key=lambda each: each[0])
    return at, style.kind()


def may_stand_in_binary(data: bytes) -> bool:
    """Whether there are marks that only some characters of a text got, so that the others are any bytes."""
    return data.count(b"&#") >= _DENSE or data.count(b"\\u00") >= _DENSE


def _dense(style: _Style, data: bytes, start: int) -> int | None:
    if data.count(style.mark, start) < _DENSE:
        return None
    if (first := _six(style, data, start)) < 0:
        return None
    row: list[int] = []
    for match in style.whole.finditer(data, first):
        if row and (match.start() - row[-1] > _GAP_BYTES or style.outside.search(data, row[-1], match.end())):
            row = []
        row.append(match.start())
        if len(row) == _DENSE:
            before = max(start, row[0] - _GAP_BYTES)
            breaks = [found.end() for found in style.outside.finditer(data, before, row[0])]
            return breaks[-1] if breaks else before
    return None


def _six(style: _Style, data: bytes, start: int) -> int:
    """Where so many marks may follow each other that they make a run; -1 where that is ruled out."""
    # In most texts the announcing character stands for itself; that is told for all of them at once.
    values = np.frombuffer(data, np.uint8)[start:]
    places = np.flatnonzero(values[:-2] == style.mark[0])
    first, second = values[places + 1], values[places + 2]
    whole = style.begins[0][first] & style.begins[1][second]
    telling = whole | ~style.harmless[first]
    places, whole = places[telling], whole[telling]
    if len(places) < _DENSE:
        return -1
    near = np.concatenate(([0], np.cumsum((np.diff(places) > _GAP_BYTES) | ~whole[1:])))
    dense = whole[: 1 - _DENSE] & (near[_DENSE - 1 :] == near[: 1 - _DENSE])
    return start + int(places[np.argmax(dense)]) if dense.any() else -1


class _Taker:
    """Takes text up to what cannot stand in it, or until marks have been missing for long."""

    def __init__(self, style: _Style) -> None:
        self.ended = False
        self._style = style
        self._without = 0

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """See `texts.Taker`."""
        match = self._style.outside.search(data)
        end = match.start() if match else len(data)
        last = data.rfind(self._style.mark, 0, end)
        self._without = self._without + end if last < 0 else end - last
        self.ended = match is not None or self._without > 4 * _GAP_BYTES
        return data[:end], data[end:]

    def finish(self) -> bytes:
        """See `texts.Taker`."""
        return b""


class _Decoder:
    """Undoes one reading; a mark that is cut off waits for its digits."""

    def __init__(self, style: _Style, decode: Callable[[bytes], bytes]) -> None:
        self._mark = style.mark
        self._whole = style.whole
        self._decode = decode
        self._held = b""

    def feed(self, text: bytes) -> bytes:
        """See `texts.TextDecoder`."""
        text = self._held + text
        cut = text.rfind(self._mark, max(0, len(text) - _LONGEST))
        cut = len(text) if cut < 0 else cut
        # Of several marks in a row, as of backslashes, the first says what the others are.
        while cut and text[cut - 1 : cut] == self._mark and len(text) - cut < 2 * _LONGEST:
            cut -= 1
        if self._whole.match(text, cut):
            cut = len(text)
        text, self._held = text[:cut], text[cut:]
        return self._decode(text)


def _percent(text: bytes, plus: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", plus))


def _quoted_printable(text: bytes, newline: bytes) -> bytes:
    return binascii.a2b_qp(text.replace(b"\r\n", newline))


_SHORT = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"\n": b""}
_THREE = {
    **{b"%c%02x" % (x, value): bytes([value]) for value in range(256) for x in b"xX"},
    **{b"%c%02X" % (x, value): bytes([value]) for value in range(256) for x in b"xX"},
    **{b"%03o" % value: bytes([value]) for value in range(256)},
}
_OCTAL = re.compile(rb"[0-7]{1,3}")
_JOINT = re.compile(rb"[\"'][ \t]*\\?\r?\n[ \t]*(?:b|u8)?[\"']")
"""Between the parts of a string literal that goes over several lines."""


def _backslash(text: bytes) -> bytes:
    text = _JOINT.sub(b"", text).replace(b"\\\\", b"\\x5c").replace(b"\\u00", b"\\x")
    first, *others = text.split(b"\\")
    pieces = [first]
    for item in others:
        value = _THREE.get(item[:3])
        pieces += (value, item[3:]) if value is not None else _unusual(item)
    return b"".join(pieces)


def _unusual(item: bytes) -> tuple[bytes, bytes]:
    if match := _OCTAL.match(item):
        return bytes([int(match[0], 8) & 255]), item[match.end() :]
    return _SHORT.get(item[:1], item[:1]), item[1:]


_NAMED = {b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&apos;": b"'", b"&amp;": b"&"}
_REFERENCES = {
    **{b"%d" % value: bytes([value]) for value in range(256)},
    **{form % value: bytes([value]) for value in range(256) for form in (b"x%x", b"x%X", b"x%02x", b"x%02X")},
}


def _reference(text: bytes) -> bytes:
    first, *others = text.split(b"&#")
    pieces = [first]
    for item in others:
        number, mark, after = item.partition(b";")
        value = _REFERENCES.get(number.lstrip(b"0") or b"0")
        pieces += (value, after) if value is not None and mark else (b"&#", item)
    text = b"".join(pieces)
    for name, value in _NAMED.items():
        text = text.replace(name, value)
    return text


# A mark that announces nothing cannot stand there either: in another text's alphabet it is a character like others.
# Nor can what every address has to write with a mark (RFC 3986), and alphabets of 85 characters are full of.
_NOT_WORD = re.compile(rb"[^!#-&(-;=?-\[\]_a-z~]|%(?![0-9A-Fa-f]{2}|[0-9A-Fa-f]?\Z)")
_NOT_TEXT = re.compile(rb"[^ -~\t\r\n]|=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[0-9A-Fa-f]?\r?\Z)")
_NOT_LITERAL = re.compile(rb"\0|\\(?!\Z)[^abefnrtvxXuUN0-7\\'\"?/ \r\n]")
_NOTHING = re.compile(rb"(?!)")
_DIGIT = _table(b"0123456789abcdefABCDEF")
_ANY, _NONE = _table(bytes(range(256))), _table(b"")
_STYLES = (
    _Style("percent", b"%", re.compile(rb"%[0-9A-Fa-f]{2}"), _NOT_WORD, (_DIGIT, _DIGIT), _NONE,
           (partial(_percent, plus=b"+"), partial(_percent, plus=b" "))),
    _Style("quoted-printable", b"=", re.compile(rb"=[0-9A-F]{2}"), _NOT_TEXT, (_DIGIT, _DIGIT), _table(b" \t\r\n"),
           (partial(_quoted_printable, newline=b"\r\n"), partial(_quoted_printable, newline=b"\n"))),
    _Style("escapes", b"\\", re.compile(rb"\\(?:[xX][0-9A-Fa-f]{2}|u00[0-9A-Fa-f]{2}|[0-7]{3})"), _NOT_LITERAL,
           (_table(b"xXu01234567"), _DIGIT), _table(b"abefnrtvxXuUN01234567\\'\"?/ \r\n"), (_backslash,)),
    _Style("references", b"&", re.compile(rb"&#(?:[0-9]{1,3}|x[0-9A-Fa-f]{1,2});"), _NOTHING,
           (_table(b"#"), _table(b"0123456789x")), _ANY, (_reference,)),
)  # fmt: skip
