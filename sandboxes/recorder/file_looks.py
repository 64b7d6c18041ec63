"""Looks into files, each content once, in a thread of its own: the reader of file events must not fall behind."""

from __future__ import annotations

import os
import queue
import stat
import threading
from collections import Counter
from collections.abc import Set

from .content.look import Look
from .events import Fault, Limit
from .kept import Keeping, Kept, Origin
from .log import Log
from .marks import Marker
from .safe_open import chunks, printable

LOOKED_BYTES = 16 << 30
"""At most so much of one file is looked into."""
WAITING = 256
"""At most so many opened files wait to be looked into; then whoever hands them over waits too."""
LOOKS_PER_FILE = 4
"""A file that is written again and again is looked into until its size has been read so often; then at the end only."""
SMALL_BYTES = 64 << 20
"""Looking again into a file costs nothing worth counting below so many bytes in all."""
REMEMBERED = 1_000_000
"""Contents that are kept in mind; beyond it, files are looked into again."""

Identity = tuple[int, int, int, int]
"""Device, inode, size and time of change: the same file with the same content."""


class FileLooks:
    """What was looked into, and what waits for it.

    Args:
        marker: of the episode.
        log: where to record what was recognised.
        leave: paths that are not looked into: the weights themselves.
        kept: where files are kept in which nothing is recognised, if anywhere.
    """

    def __init__(self, marker: Marker, log: Log, leave: Set[str], kept: Kept | None = None) -> None:
        self._marker, self._log, self._leave, self._kept = marker, log, leave, kept
        self._known: set[Identity] = set()
        self._looked: Counter[tuple[int, int]] = Counter()
        self._waiting: queue.Queue[tuple[int, str] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._look_on, name="file-looks", daemon=True)
        self._at_the_end = False

    def take_as_known(self, status: os.stat_result) -> None:
        """Nothing new is in this file."""
        self._known.add(_identity(status))

    def knows(self, status: os.stat_result) -> bool:
        """Whether a file with this status was looked into, or taken as known."""
        return _identity(status) in self._known

    def start(self) -> None:
        """Begin to look into what is handed over."""
        self._thread.start()

    def finish(self) -> None:
        """Look into what still waits. From now on `look_at` looks at any content, however often it changed before."""
        self._waiting.put(None)
        self._thread.join()
        self._at_the_end = True

    def hand_over(self, fd: int, path: str) -> None:
        """Have an opened file looked into soon, even if it is deleted meanwhile. The caller keeps its descriptor."""
        self._waiting.put((os.dup(fd), path))

    def _look_on(self) -> None:
        while (item := self._waiting.get()) is not None:
            fd, path = item
            try:
                self.look_at(fd, path)
            finally:
                os.close(fd)

    def look_at(self, fd: int, path: str) -> None:
        """Look into an opened file now, and record what is recognised or could not be looked into. Never raises."""
        try:
            self._look_at(fd, path)
        except Exception as problem:  # one file's trouble must not end the thread
            self._fault(problem)

    def _feed(self, fd: int, look: Look, keeping: Keeping | None) -> bool:
        """Whether all of a file could be looked into. Trouble takes nothing from what was recognised before it."""
        try:
            for data in chunks(fd, LOOKED_BYTES):
                look.feed(data)
                if keeping:
                    keeping.feed(data, recognised=bool(look.blocks))
            look.finish()
        except OSError as problem:
            look.limit(f"could not be read: {problem.strerror}")
        except Exception as problem:  # a decoder that breaks on hostile bytes must not end the thread
            self._fault(problem)
        else:
            return True
        return False

    def _fault(self, problem: Exception) -> None:
        self._log.record(Fault(where="file", what=f"{type(problem).__name__}: {problem}"[:500]))

    def _look_at(self, fd: int, path: str) -> None:
        status = os.fstat(fd)
        # The weights stand under their names: a file without any is none of them, whatever it was called.
        is_left = path in self._leave and status.st_nlink > 0
        if not stat.S_ISREG(status.st_mode) or _identity(status) in self._known or is_left:
            return
        inode = status.st_dev, status.st_ino
        self._looked[inode] += status.st_size
        if not self._at_the_end and self._looked[inode] > LOOKS_PER_FILE * status.st_size + SMALL_BYTES:
            if self._looked[inode] - status.st_size <= LOOKS_PER_FILE * status.st_size + SMALL_BYTES:
                what = "written again and again: looked into once more at the end only"
                self._log.record(Limit(where="file", what=what, path=printable(path)))
            return
        origin = Origin("file", path=printable(path))
        look = Look(self._marker)
        keeping = self._kept.begin() if self._kept else None
        whole = self._feed(fd, look, keeping)
        if keeping:
            keeping.close(origin, recognised=bool(look.blocks))
        if len(self._known) >= REMEMBERED:
            self._known.clear()
            self._looked.clear()
        if whole:
            self._known.add(_identity(status))
        if look.blocks:
            self._log.record(origin.content(look.layers, look.blocks))
        limits = [*look.limits_hit, *(["too long to be read whole"] if status.st_size > LOOKED_BYTES else [])]
        for what in limits:
            self._log.record(Limit(where="file", what=what, path=printable(path)))


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns
