"""Where in a stretch of bytes something encoded or compressed may begin. Cheap tests first: most hold nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import merge
from itertools import islice

import numpy as np

from . import texts
from .heads import Lzip, Zip
from .seven_zip import SevenZip
from .streams import Bzip2, Decoder, Gzip, Lz4, Lzma, Xz, Zlib
from .zstd import Zstd

LOOKAHEAD = 16
"""A beginning is judged by this many bytes."""

_NEEDLE, _REPEATS, _REPEATED = 32, 8, 512
_STEP = 4
_SAMPLES = texts.MIN_RUN // _STEP - 1


def _members(characters: bytes) -> bytes:
    return bytes(byte in characters for byte in range(256))


_PRINTABLE = _members(bytes(range(32, 127)) + b"\t\r\n")


# --- compressed streams -----------------------------------------------------------------------------------------------

_Judge = Callable[[bytes], bool]


def _is_zlib(head: bytes) -> bool:
    return (head[0] << 8 | head[1]) % 31 == 0 and not head[1] & 0x20 and head[2] & 7 in (0, 1, 2, 3, 4, 5)


def _is_lzma(head: bytes) -> bool:
    # A dictionary of a power of two from 64 KiB on, a length that is unknown or below 2^40, and a first byte of zero.
    size = int.from_bytes(head[1:5], "little")
    known = head[5:13] == b"\xff" * 8 or head[10:13] == b"\0\0\0"
    return size >= 1 << 12 and size & (size - 1) in (0, size // 2) and known and head[13] == 0


def _is_zip(head: bytes) -> bool:
    # A local header of an entry that is compressed or encrypted, made by a version below 10.0 of the format.
    method = head[8] | head[9] << 8
    known = method in {*Zip.METHODS, *Zip.OTHERS, Zip.LZMA} or (method == 0 and head[6] & 1 == 1)
    return head[2:4] == b"\x03\x04" and head[4] < 100 and known


STREAMS: tuple[tuple[bytes, type[Decoder], _Judge], ...] = (
    (b"\x1f\x8b", Gzip, lambda head: head[2] == 8 and head[3] < 0x20),
    (b"PK", Zip, _is_zip),
    (b"7z", SevenZip, lambda head: head.startswith(SevenZip.MAGIC)),
    (b"LZ", Lzip, lambda head: head.startswith(b"LZIP\x01") and 12 <= head[5] & 31 <= 29),
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

_FIRST_TWO = np.zeros(1 << 16, np.bool_)
_FIRST_TWO[[int.from_bytes(magic, "little") for magic, _, _ in STREAMS]] = True

CLOSED = {
    b"Rar!\x1a\x07": "rar archive",
    b"\x89LZO\0\r\n\x1a\n": "lzop file",
    b"LRZI": "lrzip file",
    b"\x1f\x9d\x90": "compress file",
    b"MSCF\0\0\0\0": "cabinet archive",
    b"7kSt": "zpaq archive",
    b"Salted__": "encrypted by openssl",
    b"age-encryption.org/": "encrypted by age",
    b"-----BEGIN PGP MESSAGE": "encrypted by PGP",
}
"""What cannot be looked into, by its first bytes."""


_BLANK_LINES = (b"\n\n", b"\n\r\n")
_PADDING = bytes(8)
_MAX_BEGINNINGS = 8


def find_beginnings(data: bytes, start: int, end: int) -> list[int]:
    """Where in `data[start:end]` binary content may begin: the start, after a blank line, after padding. A few only."""
    found = [] if start else [0]
    places = merge(*(_after(data, line, start, end) for line in _BLANK_LINES), _after_padding(data, start, end))
    found += islice(places, _MAX_BEGINNINGS)
    return [at for at in found if not is_text(data[at : at + LOOKAHEAD])]


def _after(data: bytes, what: bytes, start: int, end: int) -> Iterator[int]:
    while (start := data.find(what, start, end)) >= 0:
        start += len(what)
        yield start


def _after_padding(data: bytes, start: int, end: int) -> Iterator[int]:
    while (start := data.find(_PADDING, start, end)) >= 0:
        start = end - len(data[start:end].lstrip(b"\0"))
        if start < end:
            yield start


def find_streams(data: bytes, start: int, end: int) -> list[tuple[int, type[Decoder]]]:
    """Where in `data[start:end]` compressed streams may begin, in order; `LOOKAHEAD` bytes must follow each place."""
    found: list[int] = []
    for phase in (0, 1):
        # A copy, since numpy is several times slower on words at odd addresses.
        words = np.frombuffer(data[start + phase : end + 1][: max(0, end + 1 - start - phase) // 2 * 2], "<u2")
        found += [start + phase + 2 * int(i) for i in np.flatnonzero(_FIRST_TWO.take(words))]
    return [place for at in sorted(found) if at < end for place in _judge(data, at)]


def _judge(data: bytes, at: int) -> Iterator[tuple[int, type[Decoder]]]:
    head = data[at : at + LOOKAHEAD]
    for magic, decoder, is_one in STREAMS:
        if head.startswith(magic) and len(head) == LOOKAHEAD and is_one(head):
            yield at, decoder


def streams_at(head: bytes) -> list[type[Decoder]]:
    """What may begin with the `LOOKAHEAD` bytes of `head`."""
    return [decoder for _, decoder in _judge(head, 0)]


def repeats(data: bytes) -> bool:
    """Whether `data` is one short piece over and over. Nothing that holds weights is, in whatever form."""
    if len(data) < _REPEATED:
        return False
    period = data.find(data[:_NEEDLE], 1, _NEEDLE + len(data) // _REPEATS)
    return period > 0 and data[period:] == data[:-period]


# --- text -------------------------------------------------------------------------------------------------------------


def has_text(data: bytes) -> bool:
    """Whether a printable stretch of `texts.MIN_RUN` may stand in `data`. False for nearly all binary data."""
    return data[::_STEP].translate(_PRINTABLE).find(b"\1" * _SAMPLES) >= 0


def is_text(data: bytes) -> bool:
    """Whether nothing but printable characters stands in `data`."""
    return 0 not in data.translate(_PRINTABLE)
