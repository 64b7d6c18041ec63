"""Opens a log: its header, then one sample after the other. One is in memory at a time, but for JSON logs.

The file may be anything: sizes are bounded before they are believed.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import IO

import zstandard

from afagent.gate.reading.wire import DamagedError, Header, Sample, Summary, decode

MAX_MEMBER_BYTES = 256 << 20
"""Of one sample, uncompressed."""
MAX_JSON_BYTES = 512 << 20
"""Of a log that is one JSON file."""
SAMPLES = "samples/"
"""Below this the samples lie in an archive."""
ZSTANDARD = 93
"""The zip format's number for the compression."""
_LOCAL_HEADER_BYTES = 30
_ANY_DAMAGE = (
    zipfile.BadZipFile,
    zstandard.ZstdError,
    zlib.error,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class Member:
    """A sample as it lies in a log."""

    place: str | None
    """The name that the file gives it; None where samples have none."""
    sample: Sample


class JsonLog:
    """A log that is one JSON file.

    Raises:
        DamagedError: it is not.
    """

    twice: tuple[str, ...] = ()
    summaries: list[Summary] | None = None
    start: Header | None = None

    def __init__(self, file: IO[bytes]) -> None:
        data = file.read(MAX_JSON_BYTES + 1)
        if len(data) > MAX_JSON_BYTES:
            raise DamagedError(f"is larger than {MAX_JSON_BYTES >> 20} MiB; `inspect log convert` makes it an .eval")
        self.header = decode(data, Header, "a log")

    def members(self) -> Iterator[Member]:
        """The samples."""
        return (Member(None, sample) for sample in self.header.samples or [])


class EvalLog:
    """A log that is an archive.

    Raises:
        DamagedError: it is not.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._room = bytearray()
        """What is unpacked lies here, one member over the other: memory that is known already is filled faster."""
        try:
            self._zip = zipfile.ZipFile(file)
        except _ANY_DAMAGE as problem:
            raise DamagedError(f"is no whole archive: {problem}") from problem
        names = [info.filename for info in self._zip.infolist()]
        self._names = set(names)
        self.twice = (
            tuple(sorted(name for name in self._names if names.count(name) > 1))
            if len(names) > len(self._names)
            else ()
        )
        """Members that stand in it more than once."""

    @cached_property
    def header(self) -> Header:
        """All but the samples; of a run that was killed what stood at its start."""
        for name in ("header.json", "_journal/start.json"):
            if name in self._names:
                return decode(self._read(self._zip.getinfo(name)), Header, name)
        raise DamagedError("is an archive and holds no header")

    @cached_property
    def start(self) -> Header | None:
        """What the log said before anything was played; None where it does not keep it."""
        name = "_journal/start.json"
        return decode(self._read(self._zip.getinfo(name)), Header, name) if name in self._names else None

    @cached_property
    def summaries(self) -> list[Summary] | None:
        """The log's own list of its samples; None when it has none yet."""
        if "summaries.json" not in self._names:
            return None
        return decode(self._read(self._zip.getinfo("summaries.json")), list[Summary], "summaries.json")

    def members(self) -> Iterator[Member]:
        """The samples."""
        for info in self._zip.infolist():
            name = info.filename
            if name.startswith(SAMPLES) and name.endswith(".json"):
                yield Member(name, decode(self._read(info), Sample, name))

    def _read(self, info: zipfile.ZipInfo) -> bytes | memoryview:
        """A member, unpacked; good until the next one is."""
        if info.file_size > MAX_MEMBER_BYTES:
            raise DamagedError(f"holds {info.filename!r} of {info.file_size >> 20} MiB")
        try:
            if info.compress_type != ZSTANDARD:
                return self._zip.read(info)
            data = self._unzstd(info)
        except _ANY_DAMAGE as problem:
            raise DamagedError(f"holds {info.filename!r} that cannot be unpacked: {problem}") from problem
        if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
            raise DamagedError(f"holds {info.filename!r} that is not what was packed")
        return data

    def _unzstd(self, info: zipfile.ZipInfo) -> memoryview:
        """Never more than the member claims, and one byte by which a longer one shows."""
        self._file.seek(info.header_offset)
        header = self._file.read(_LOCAL_HEADER_BYTES)
        if len(header) < _LOCAL_HEADER_BYTES or header[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("no member stands where the directory says")
        self._file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), io.SEEK_CUR)
        packed = self._file.read(info.compress_size)
        most = info.file_size + 1
        if most > len(self._room):
            self._room = bytearray(most)
        room, filled = memoryview(self._room)[:most], 0
        with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as reader:
            while more := reader.readinto(room[filled:]):
                filled += more
        return room[:filled]


def open_log(file: IO[bytes], name: str) -> EvalLog | JsonLog:
    """A log of either format.

    Raises:
        DamagedError: it is none.
    """
    return JsonLog(file) if name.endswith(".json") else EvalLog(file)
