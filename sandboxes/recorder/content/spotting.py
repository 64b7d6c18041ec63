"""Where in a stretch of bytes something encoded or compressed may begin. Cheap tests first: most bytes hold nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from . import texts
from .streams import Bzip2, Decoder, Gzip, Lz4, Lzma, Xz, Zip, Zlib, Zstd
from .texts import Alphabet, Kind

LOOKAHEAD = 16
"""A beginning is judged by this many bytes."""

_STEP = 4
_FOREIGN = 24
_SAMPLES = texts.MIN_RUN // _STEP - 1


def _members(characters: bytes) -> bytes:
    return bytes(byte in characters for byte in range(256))


_PRINTABLE = _members(bytes(range(32, 127)) + b"\t\r\n")
_PAIRS = _members(texts.Pairs.ALLOWED)
_NOT_BASE64 = bytes(byte not in texts.BASE64.characters for byte in range(256))
_NOT_BASE85 = bytes(byte not in texts.BASE85.characters for byte in range(256))
_NOT_ASCII85 = bytes(byte not in texts.ASCII85.characters for byte in range(256))
_PERCENT = re.compile(rb"(?:[!#$&(-~]{0,256}?%[0-9A-Fa-f]{2}){6}")
_PAIRED = re.compile(rb"(?:(?:0x|\\x)?(?:[0-9A-Fa-f]{2}){1,8}[ \t\r\n:,;+\\-]{1,4}){20,}|(?:(?:0x|\\x)[0-9A-Fa-f]{2}[, ]{0,2}){20,}")


# --- compressed streams -----------------------------------------------------------------------------------------------

_Judge = Callable[[bytes], bool]


def _is_zlib(head: bytes) -> bool:
    return (head[0] << 8 | head[1]) % 31 == 0 and not head[1] & 0x20 and head[2] & 7 in (0, 1, 2, 3, 4, 5)


def _is_lzma(head: bytes) -> bool:
    # A dictionary of a power of two from 64 KiB on, a length that is unknown or below 2^40, and a first byte of zero.
    size = int.from_bytes(head[1:5], "little")
    known = head[5:13] == b"\xff" * 8 or head[10:13] == b"\0\0\0"
    return size >= 1 << 12 and size & (size - 1) in (0, size // 2) and known and head[13] == 0


_STREAMS: tuple[tuple[bytes, type[Decoder], _Judge], ...] = (
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

_FIRST_TWO = tuple(int.from_bytes(magic, "little") for magic, _, _ in _STREAMS)

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
    found = []
    for phase in (0, 1):
        many = (end - start - phase) // 2 + 1
        many = min(many, (len(data) - start - phase) // 2)
        if many <= 0:
            continue
        words = np.frombuffer(data, "<u2", many, start + phase)
        hits = words == _FIRST_TWO[0]
        for value in _FIRST_TWO[1:]:
            hits |= words == value
        if hits.any():
            found += [start + phase + 2 * int(i) for i in np.flatnonzero(hits)]
    return [place for at in sorted(found) if at < end for place in _judge(data, at)]


def _judge(data: bytes, at: int) -> Iterator[tuple[int, type[Decoder]]]:
    head = data[at : at + LOOKAHEAD]
    for magic, decoder, is_one in _STREAMS:
        if head.startswith(magic) and len(head) == LOOKAHEAD and is_one(head):
            yield at, decoder


# --- text -------------------------------------------------------------------------------------------------------------


def has_text(data: bytes) -> bool:
    """Whether a printable stretch of `texts.MIN_RUN` may stand in `data`. False for nearly all binary data."""
    return data[::_STEP].translate(_PRINTABLE).find(b"\1" * _SAMPLES) >= 0


def find_run(data: bytes, start: int) -> tuple[int, Kind] | None:
    """Where the next run of text begins in `data[start:]`, and what it is written in."""
    found = [
        (place, order, kind)
        for order, (place, kind) in enumerate((_percent(data, start), _pairs(data, start), _word(data, start)))
        if place is not None
    ]
    if found:
        place, _, kind = min(found, key=lambda each: each[:2])
        return place, kind
    # Many other things look like the alphabets of 85 characters, so they come last.
    wide = [
        (at, order, texts.WORDS[alphabet])
        for order, (outside, alphabet) in enumerate(((_NOT_BASE85, texts.BASE85), (_NOT_ASCII85, texts.ASCII85)))
        if (at := _long_word(data, start, outside)) is not None
    ]
    return min(((at, kind) for at, _, kind in wide), key=lambda each: each[0], default=None)


def _word(data: bytes, start: int) -> tuple[int | None, Kind]:
    at = _long_word(data, start, _NOT_BASE64)
    if at and data[at - 1] == 0x5C and data[at] in b"ntr":
        at += 1  # an escaped line break, not a character of the text
    if at is None:
        return None, texts.WORDS[texts.BASE64]
    # What stands directly before a run may end in characters that belong to a wider alphabet.
    alphabet = _narrowest(data[at + _FOREIGN : at + texts.MIN_RUN - 1])
    foreign = data[at : at + _FOREIGN].translate(bytes(byte not in alphabet.characters for byte in range(256)))
    return at + foreign.rfind(b"\1") + 1, texts.WORDS[alphabet]


def _percent(data: bytes, start: int) -> tuple[int | None, Kind]:
    if data.count(b"%", start) < 6:
        return None, texts.PERCENT
    match = _PERCENT.search(data, max(start, data.find(b"%", start) - 256))
    return match.start() if match else None, texts.PERCENT


def _pairs(data: bytes, start: int) -> tuple[int | None, Kind]:
    rough = data[start::_STEP].translate(_PAIRS).find(b"\1" * _SAMPLES)
    if rough < 0:
        return None, texts.PAIRS
    match = _PAIRED.search(data, start + max(0, rough - 1) * _STEP)
    return match.start() if match else None, texts.PAIRS


def _long_word(data: bytes, start: int, outside: bytes) -> int | None:
    breaks = np.flatnonzero(np.frombuffer(data[start:].translate(outside), np.bool_))
    edges = np.concatenate(([-1], breaks, [len(data) - start]))
    long = np.flatnonzero(np.diff(edges) >= texts.MIN_RUN + 1)
    return start + int(edges[long[0]]) + 1 if len(long) else None


def _narrowest(word: bytes) -> Alphabet:
    return next(alphabet for alphabet in texts.ALPHABETS if not word.translate(None, alphabet.characters))
