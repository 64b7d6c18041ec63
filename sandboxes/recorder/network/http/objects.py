"""What sites were given over HTTP, so that it can be asked for again: bounded, on the witness's own disk.

An object is put whole under a name and never changed: what replaces it may be made of the same bodies. Hosts that have
files, which are written in place, keep them elsewhere (`sites`, `ftp.shelf`).
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

MEMORY_BYTES = 32 << 10
"""Of one body; a longer one is in a file that has no name."""

BODY_BYTES = 256 << 20
"""Of one body; a longer one is known by its size and hashes only."""

TOTAL_BYTES = 1 << 30
"""Of all that is kept; what was asked for longest ago goes first."""

MAX_OBJECTS = 10_000
MAX_FILES = 256
"""Bodies in files at once: each is an open descriptor."""

_PIECE_BYTES = 1 << 16


class Draft:
    """A body as it comes in, hashed and kept. As `messages.Body`, once it is whole."""

    def __init__(self) -> None:
        self.size = 0
        self.kept = True
        """Whether its bytes can still be had."""
        self.needed = False
        """Whether an object needs it."""
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._file: IO[bytes] = io.BytesIO()

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        self._md5.update(data)
        if not self.kept:
            return
        try:
            if self.size > MEMORY_BYTES and isinstance(self._file, io.BytesIO):
                self._move_to_disk(self._file)
            self._file.write(data)
        except OSError:  # no room on the disk: it is a body that cannot be asked for
            self.drop()
        if self.size > BODY_BYTES:
            self.drop()

    def _move_to_disk(self, memory: io.BytesIO) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # `drop` closes it
        self._file.write(memory.getvalue())

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to before `end`.

        Raises:
            OSError: they are no longer kept.
        """
        while start < end:
            if not self.kept:
                raise OSError("no longer kept")
            self._file.seek(start)
            data = self._file.read(min(_PIECE_BYTES, end - start))
            start += len(data)
            yield data

    def drop(self) -> None:
        """Forget the bytes."""
        self.kept = False
        self._file.close()

    @property
    def md5(self) -> str:
        """Of all bytes, in hexadecimal."""
        return self._md5.hexdigest()


@dataclass(frozen=True)
class Joined:
    """Several bodies as one."""

    parts: tuple[Draft, ...]

    @property
    def size(self) -> int:
        """As `messages.Body.size`."""
        return sum(part.size for part in self.parts)

    @property
    def kept(self) -> bool:
        """Whether the bytes of all of them can still be had."""
        return all(part.kept for part in self.parts)

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """As `messages.Body.pieces`."""
        for part in self.parts:
            if start < part.size and end > 0:
                yield from part.pieces(max(start, 0), min(end, part.size))
            start, end = start - part.size, end - part.size


@dataclass(frozen=True)
class Range:
    """Some of a body's bytes, as a body."""

    body: Joined
    start: int
    end: int
    """The first that is not of it."""

    @property
    def size(self) -> int:
        """As `messages.Body.size`."""
        return self.end - self.start

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """As `messages.Body.pieces`."""
        return self.body.pieces(self.start + start, min(self.start + end, self.end))


@dataclass(frozen=True)
class Stored:
    """An object that a site has."""

    body: Joined
    etag: str
    """Without its quotes."""
    modified: float
    """Seconds since 1970."""
    kind: str = "application/octet-stream"
    sha256: str = ""


@dataclass
class Objects:
    """The objects of all sites, by site and name."""

    _objects: OrderedDict[tuple[str, str], Stored] = field(default_factory=OrderedDict)
    _large: deque[Draft] = field(default_factory=deque)
    """Bodies in files, the oldest first."""

    def put(self, site: str, name: str, stored: Stored) -> None:
        """Keep an object; what it replaces, and what there is no room for, is forgotten."""
        self.remove(site, name)
        for part in stored.body.parts:
            part.needed = True
        self._objects[site, name] = stored
        self._large += [part for part in stored.body.parts if part.size > MEMORY_BYTES and part not in self._large]
        while len(self._objects) > MAX_OBJECTS:
            _drop(self._objects.popitem(last=False)[1].body.parts)
        self._make_room()

    def get(self, site: str, name: str) -> Stored | None:
        """The object of that name, if the site has one."""
        return self._objects.get((site, name))

    def remove(self, site: str, name: str) -> bool:
        """Forget an object; whether there was one."""
        stored = self.forget(site, name)
        if stored is not None:
            _drop(stored.body.parts)
        return stored is not None

    def forget(self, site: str, name: str) -> Stored | None:
        """Take an object out with its bytes; gives it."""
        return self._objects.pop((site, name), None)

    def move(self, site: str, name: str, target: str) -> bool:
        """Give an object another name; whether there was one."""
        stored = self.forget(site, name)
        if stored is not None:
            self.put(site, target, stored)
        return stored is not None

    def below(self, site: str, prefix: str) -> list[tuple[str, Stored]]:
        """The site's objects whose names begin with `prefix`, sorted by name."""
        found = [
            (name, stored) for (each, name), stored in self._objects.items() if each == site and name.startswith(prefix)
        ]
        return sorted(found, key=lambda item: item[0])

    def clear(self) -> None:
        """Forget everything."""
        while self._objects:
            _drop(self._objects.popitem()[1].body.parts)

    def _make_room(self) -> None:
        """Drop the bytes of the oldest bodies, not what is known of them."""
        large = [part for part in self._large if part.kept]
        total = sum(part.size for part in large)
        while large and (total > TOTAL_BYTES or len(large) > MAX_FILES):
            total -= large[0].size
            large.pop(0).drop()
        self._large = deque(large)


def _drop(parts: Sequence[Draft]) -> None:
    for part in parts:
        part.drop()
