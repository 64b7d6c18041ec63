"""Undoes 7z archives. What is where stands at their end, so an archive is kept on disk until it is there whole.

Only what is needed to find the packed streams is read of an archive's header, with every count and size bounded: names,
times and the list of members do not matter here. The format is described in 7-Zip's own `DOC/7zFormat.txt`.
"""

from __future__ import annotations

import io
import itertools
import lzma
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, ClassVar

from .heads import lzma_properties
from .streams import (
    MAX_DICTIONARY_BYTES,
    BrokenError,
    Bzip2,
    Decoder,
    Deflate,
    MissingError,
    RawLzma,
    SealedError,
    TooBigError,
)
from .zstd import Zstd

MAX_ARCHIVE_BYTES = 2 << 30
"""A longer archive is not kept, and said to be a limit."""

_MAX_HEADER_BYTES = 4 << 20
_MAX_COUNT = 1 << 16
_MAX_ENCODED = 3
"""How often a header may itself be packed; 7-Zip does it once."""

_SIGNATURE_BYTES = 32
_READ_BYTES = 1 << 16
_END, _HEADER, _MAIN_STREAMS, _PACK, _UNPACK = 0x00, 0x01, 0x04, 0x06, 0x07
_SIZES, _CRC, _FOLDER, _UNPACK_SIZES, _ENCODED = 0x09, 0x0A, 0x0B, 0x0C, 0x17

_USUAL_LZMA = b"\x5d" + (64 << 20).to_bytes(4, "little")
"""The settings that every level has, and a dictionary that is large enough for most."""
_COPY, _LZMA, _LZMA2 = "00", "030101", "21"
_SEALED = ("06f107", "06f10701")
_FILTERS = {
    "03": lzma.FILTER_DELTA,
    "04": lzma.FILTER_X86, "03030103": lzma.FILTER_X86,
    "05": lzma.FILTER_POWERPC, "03030205": lzma.FILTER_POWERPC,
    "06": lzma.FILTER_IA64, "03030401": lzma.FILTER_IA64,
    "07": lzma.FILTER_ARM, "03030501": lzma.FILTER_ARM,
    "08": lzma.FILTER_ARMTHUMB, "03030701": lzma.FILTER_ARMTHUMB,
    "09": lzma.FILTER_SPARC, "03030805": lzma.FILTER_SPARC,
}  # fmt: skip
_PLAIN: dict[str, type[Decoder]] = {"040108": Deflate, "040202": Bzip2, "04f71101": Zstd}
_UNKNOWN = {"030401": "PPMd", "040109": "deflate64", "0303011b": "BCJ2", "0a": "ARM64"}


@dataclass(frozen=True)
class _Coder:
    method: str
    """In hexadecimal digits."""
    properties: bytes


@dataclass(frozen=True)
class _Folder:
    """One packed stream and how it is undone, the first coder first."""

    start: int
    size: int
    coders: tuple[_Coder, ...]


class SevenZip:
    """A 7z archive of any kind that needs no password."""

    NAME: ClassVar[str] = "7z"
    MAGIC: ClassVar[bytes] = b"7z\xbc\xaf\x27\x1c"

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(1 << 20)  # noqa: SIM115  # closed below
        # Also where the stream breaks off, or where nobody takes the next piece.
        weakref.finalize(self, self._file.close)
        self._kept = 0
        self._whole: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        room = len(data) if self._whole is None else self._whole - self._kept
        self._file.write(data[:room])
        self._kept += len(data[:room])
        if self._whole is None and self._kept >= _SIGNATURE_BYTES:
            self._whole = self._measure()
        if self._whole is not None and self._kept >= self._whole:
            past = self._kept - self._whole
            self.ended, self.rest = True, data[len(data) - past :] if past else data[room:]
            yield from self._unpack()
            self._file.close()

    def finish(self) -> Iterator[bytes]:
        """See `streams.Decoder`."""
        if not self.ended:
            yield from self._without_header()
        self._file.close()
        if not self.ended:
            raise BrokenError("the archive's end is missing")

    def _measure(self) -> int:
        """The archive's length, from its first bytes."""
        self._file.seek(12)
        start, size = (int.from_bytes(self._file.read(8), "little") for _ in range(2))
        self._file.seek(0, io.SEEK_END)
        whole = _SIGNATURE_BYTES + start + size
        if whole > MAX_ARCHIVE_BYTES or size > _MAX_HEADER_BYTES:
            raise TooBigError("7z: longer than is kept")
        return whole

    def _unpack(self) -> Iterator[bytes]:
        assert self._whole is not None
        self._file.seek(12)
        start, size = (int.from_bytes(self._file.read(8), "little") for _ in range(2))
        self._file.seek(_SIGNATURE_BYTES + start)
        header = self._file.read(size)
        for _ in range(_MAX_ENCODED):
            if header[:1] != bytes([_ENCODED]):
                break
            folders = _Reader(header[1:]).streams()
            header = b"".join(self._header(folders[0])) if folders else b""
        for folder in _Reader(header).main_streams():
            yield from self._folder(folder)

    def _without_header(self) -> Iterator[bytes]:
        """What can be decoded of the first packed stream where the end, which says what it is, is missing.

        LZMA2, which is usual, tells the rest itself; LZMA begins with a zero and has the usual settings nearly always.
        """
        first = _Folder(0, max(0, self._kept - _SIGNATURE_BYTES), ())
        packed = self._packed(first)
        start = next(packed, b"")
        usual = [lzma_properties(_USUAL_LZMA)] if start[:1] == b"\0" else None
        try:
            yield from _through(RawLzma(usual), itertools.chain([start], packed))
        except BrokenError:
            return

    def _header(self, folder: _Folder) -> Iterator[bytes]:
        size = 0
        for piece in self._folder(folder):
            size += len(piece)
            if size > _MAX_HEADER_BYTES:
                raise TooBigError("7z: its header is too long")
            yield piece

    def _folder(self, folder: _Folder) -> Iterator[bytes]:
        pieces = self._packed(folder)
        for decoder in _decoders(folder.coders):
            pieces = _through(decoder, pieces)
        return pieces

    def _packed(self, folder: _Folder) -> Iterator[bytes]:
        at, end = folder.start, folder.start + folder.size
        while at < end:
            self._file.seek(_SIGNATURE_BYTES + at)
            data = self._file.read(min(_READ_BYTES, end - at))
            if not data:
                return
            at += len(data)
            yield data


def _through(decoder: Decoder, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from decoder.feed(piece)
        if decoder.ended:
            return


def _decoders(coders: tuple[_Coder, ...]) -> Iterator[Decoder]:
    """What undoes the coders one after another. LZMA and the filters after it go into one decoder, as liblzma wants."""
    chain: list[dict[str, Any]] = []
    for coder in coders:
        if coder.method in _SEALED:
            raise SealedError("encrypted 7z archive")
        if coder.method in (_LZMA, _LZMA2):
            chain = [_lzma(coder)]
        elif coder.method in _FILTERS and chain:
            chain.insert(0, _filter(coder))
        elif coder.method in _PLAIN:
            yield _PLAIN[coder.method]()
        elif coder.method != _COPY:
            raise MissingError(f"7z archives of method {_UNKNOWN.get(coder.method, coder.method)}")
    if chain:
        yield RawLzma(chain)


def _lzma(coder: _Coder) -> dict[str, Any]:
    if coder.method == _LZMA:
        if len(coder.properties) != 5:
            raise BrokenError("not LZMA")
        return lzma_properties(coder.properties)
    bits = coder.properties[0] if coder.properties else 0
    size = (2 | bits & 1) << bits // 2 + 11 if bits < 40 else MAX_DICTIONARY_BYTES + 1
    return {"id": lzma.FILTER_LZMA2, "dict_size": size}


def _filter(coder: _Coder) -> dict[str, Any]:
    kind = _FILTERS[coder.method]
    if kind == lzma.FILTER_DELTA:
        return {"id": kind, "dist": (coder.properties or b"\0")[0] + 1}
    return {"id": kind}


class _Reader:
    """Reads the parts of a header that say where packed streams lie."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def main_streams(self) -> list[_Folder]:
        """The packed streams of a plain header."""
        if not self._data or self._byte() != _HEADER:
            return []
        while (kind := self._byte()) != _MAIN_STREAMS:
            if kind != 2:
                return []  # an archive without content
            while self._byte():
                self._bytes(self._number())
        return self.streams()

    def streams(self) -> list[_Folder]:
        """The packed streams of a `StreamsInfo`."""
        start = 0
        sizes: list[int] = []
        if (kind := self._byte()) == _PACK:
            start, sizes = self._pack()
            kind = self._byte()
        if kind != _UNPACK or self._byte() != _FOLDER:
            return []
        folders = []
        many = self._count()
        if self._byte():
            raise MissingError("7z archives with external headers")
        for _ in range(many):
            coders = self._coders()
            if not sizes:
                raise BrokenError("a folder without a packed stream")
            size = sizes.pop(0)
            folders.append(_Folder(start, size, coders))
            start += size
        return folders

    def _pack(self) -> tuple[int, list[int]]:
        start, many, sizes = self._number(), self._count(), []
        while (kind := self._byte()) != _END:
            if kind == _SIZES:
                sizes = [self._number() for _ in range(many)]
            elif kind == _CRC:
                self._digests(many)
            else:
                raise BrokenError("not a 7z header")
        return start, sizes

    def _digests(self, many: int) -> None:
        defined = many
        if not self._byte():
            defined = sum(byte.bit_count() for byte in self._bytes((many + 7) // 8))
        self._bytes(4 * defined)

    def _coders(self) -> tuple[_Coder, ...]:
        coders, ins, outs = [], 0, 0
        for _ in range(self._number() & 31):
            flags = self._byte()
            method = self._bytes(flags & 15).hex()
            many_in, many_out = (self._number(), self._number()) if flags & 16 else (1, 1)
            properties = self._bytes(self._number()) if flags & 32 else b""
            ins, outs = ins + many_in, outs + many_out
            coders.append(_Coder(method, properties))
        if ins != outs or ins != len(coders):
            names = [_UNKNOWN[coder.method] for coder in coders if coder.method in _UNKNOWN]
            raise MissingError(f"7z archives of method {(names or ['several streams'])[0]}")
        pairs = [(self._number(), self._number()) for _ in range(outs - 1)]
        # A pair says whose output a coder reads. The one that reads none reads the packed stream.
        source = dict(pairs)
        first = next((i for i in range(len(coders)) if i not in source), 0)
        readers = {out: reader for reader, out in pairs}
        order = [first]
        while (after := readers.get(order[-1])) is not None and len(order) < len(coders) and after < len(coders):
            order.append(after)
        return tuple(coders[i] for i in order)

    def _count(self) -> int:
        number = self._number()
        if number > _MAX_COUNT:
            raise TooBigError("7z: its header lists too much")
        return number

    def _number(self) -> int:
        first, mask, value = self._byte(), 0x80, 0
        for i in range(8):
            if not first & mask:
                return value | (first & mask - 1) << 8 * i
            value |= self._byte() << 8 * i
            mask >>= 1
        return value

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, many: int) -> bytes:
        data = self._data[self._at : self._at + many]
        if len(data) < many:
            raise BrokenError("the header is cut off")
        self._at += many
        return data
