"""What clients have put on the FTP and TFTP servers of the world, so that they find it there again.

Names and sizes are kept, and contents while there is room on the disk. Nothing here decides what is seen: every byte
was looked at when it came. A file is written from some byte on to its end, often in several transfers; where files are
written anywhere and in any order, and real programs are to read them, there are `sites`, and whole bodies that are put
by name are objects (`http.objects`).
"""

from __future__ import annotations

import posixpath
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

MAX_SHELVES = 1024
"""Servers with files of their own; the rest share the last one's."""

MAX_ENTRIES = 10_000
"""Files and folders on one shelf; there is no room for more."""

MAX_OPEN = 2048
"""Files of an episode whose contents are kept; each costs a descriptor."""

SPOOL_BYTES = 2 << 30
"""Of contents that an episode keeps on the disk."""

MAX_PATH = 4096
_CHUNK_BYTES = 1 << 20


@dataclass
class Entry:
    """A file or folder."""

    modified: float
    """Seconds since 1970."""
    folder: bool = False
    size: int = 0
    parts: int = 0
    """Transfers that wrote to it."""
    content: IO[bytes] | None = None
    """None for a folder, and for a file whose content is not kept, or not whole."""

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Its content from a byte on."""
        while self.content is not None:
            self.content.seek(start)
            data = self.content.read(_CHUNK_BYTES)
            if not data:
                return
            start += len(data)
            yield data

    def drop(self) -> None:
        """Forget the content."""
        if self.content is not None:
            self.content.close()
            self.content = None


class Spool:
    """The room for contents that all shelves share.

    Args:
        size: see `SPOOL_BYTES`.
    """

    def __init__(self, size: int = SPOOL_BYTES) -> None:
        self._left = size
        self._files = MAX_OPEN

    def open(self) -> IO[bytes] | None:
        """A new file without a name; None when there is no room for it."""
        if self._files <= 0 or self._left <= 0:
            return None
        self._files -= 1
        return tempfile.TemporaryFile(buffering=0)  # closed by `Entry.drop`

    def take(self, size: int) -> bool:
        """Whether so many bytes still fit; they count from now on, also when their file is gone."""
        self._left -= size
        return self._left >= 0


class Shelf:
    """The files that one server has. Paths are absolute and normal (`absolute`).

    Args:
        spool: room for contents.
        clock: seconds since 1970.
    """

    def __init__(self, spool: Spool, clock: Callable[[], float] = time.time) -> None:
        self._spool = spool
        self._clock = clock
        self._entries: dict[str, Entry] = {"/": Entry(clock(), folder=True)}

    def find(self, path: str) -> Entry | None:
        """What lies at a path."""
        return self._entries.get(path)

    def list(self, folder: str) -> list[tuple[str, Entry]]:
        """Names in a folder, in order."""
        start = folder.rstrip("/") + "/"
        below = [(path[len(start) :], entry) for path, entry in self._entries.items() if path.startswith(start)]
        return sorted((name, entry) for name, entry in below if name and "/" not in name)

    def make_folder(self, path: str) -> bool:
        """Make a folder with those above it; False where a file is in the way or there is no room."""
        missing: list[str] = []
        while path not in self._entries:
            missing.append(path)
            path = posixpath.dirname(path)
        if not self._entries[path].folder or len(self._entries) + len(missing) > MAX_ENTRIES:
            return False
        for each in reversed(missing):
            self._entries[each] = Entry(self._clock(), folder=True)
        return True

    def write(self, path: str, offset: int | None) -> Writer | None:
        """Write a file from byte `offset` on (None: anew); None where a folder is in the way or there is no room."""
        entry = self._entries.get(path)
        if entry is None:
            if len(self._entries) >= MAX_ENTRIES or not self.make_folder(posixpath.dirname(path)):
                return None
            entry = self._entries[path] = Entry(self._clock())
        if entry.folder:
            return None
        if offset is None or entry.parts == 0:
            entry.drop()
            entry.size = entry.parts = 0
            # Without its first bytes a content is not whole.
            entry.content = self._spool.open() if not offset else None
        entry.parts += 1
        return Writer(entry, self._spool, offset or 0, self._clock)

    def unused(self, path: str) -> str:
        """`path`, or the first of `path.1`, `path.2`, ... at which nothing lies."""
        names = (f"{path}.{number}" if number else path for number in range(len(self._entries) + 1))
        return next(name for name in names if name not in self._entries)

    def remove(self, path: str) -> bool:
        """Remove a file or an empty folder; False where it is neither."""
        entry = self._entries.get(path)
        if entry is None or path == "/" or (entry.folder and self.list(path)):
            return False
        entry.drop()
        del self._entries[path]
        return True

    def rename(self, old: str, new: str) -> bool:
        """Rename a file or folder with all below it; False where there is none, or something lies at the new name."""
        if old not in self._entries or old == "/" or new in self._entries or new.startswith(f"{old}/"):
            return False
        moved = [path for path in self._entries if path == old or path.startswith(f"{old}/")]
        for path in moved:
            self._entries[new + path[len(old) :]] = self._entries.pop(path)
        return True

    def close(self) -> None:
        """Forget everything."""
        for entry in self._entries.values():
            entry.drop()
        self._entries.clear()


class Shelves:
    """The shelves of all servers that are reached by one protocol."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._shelves: dict[str, Shelf] = {}

    def of(self, server: str) -> Shelf:
        """The files of one server."""
        if server not in self._shelves and len(self._shelves) >= MAX_SHELVES:
            server = next(reversed(self._shelves))
        return self._shelves.setdefault(server, Shelf(self._spool))

    def close(self) -> None:
        """Forget everything."""
        for shelf in self._shelves.values():
            shelf.close()


class Writer:
    """One transfer into a file."""

    def __init__(self, entry: Entry, spool: Spool, at: int, clock: Callable[[], float]) -> None:
        self.entry = entry
        self._spool = spool
        self._at = at
        self._clock = clock

    def write(self, data: bytes) -> None:
        """The next bytes. Past the room only the size is kept."""
        entry = self.entry
        if entry.content is not None:
            if self._at > entry.size or not self._spool.take(len(data)):
                entry.drop()
            else:
                entry.content.seek(self._at)
                entry.content.write(data)
        self._at += len(data)
        entry.size = max(entry.size, self._at)
        entry.modified = self._clock()


def absolute(folder: str, path: str) -> str:
    """`path` as seen from `folder`, normal: absolute, without `.`, `..` and double slashes."""
    return "/" + posixpath.normpath(posixpath.join("/", folder, path[:MAX_PATH])).lstrip("/")
