"""The append-only log: every fact that the witness records becomes a numbered, timed, chained event on disk.

Its room on the disk is taken at the start: whoever fills the disk later fills it beside the log. A line that cannot be
written all the same leaves no half of itself, and the next one that can says how many are missing.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from ctypes import c_long
from pathlib import Path

from . import events
from .events import Event, Fact, Limit
from .network.privileges import call_libc

MAX_BYTES = 64 << 20
"""Of the log. Past it only signs of life and the end are written, and a `Limit` says so once."""
SPARE_BYTES = 16 << 20
"""Kept beyond that for signs of life, results and the end."""
_KEEP_SIZE = 1


class Log:
    """Writes events; safe to call from any thread.

    Args:
        path: the file; it must not exist.
        clock: seconds since 1970.
        max_bytes: see `MAX_BYTES`.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, max_bytes: int = MAX_BYTES) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with contextlib.suppress(OSError):  # a file system without it; then what is lost is told
            call_libc("fallocate", self._fd, _KEEP_SIZE, c_long(0), c_long(max_bytes + SPARE_BYTES))
        self._clock = clock
        self._lock = threading.Lock()
        self._max_bytes = max_bytes
        self._written = 0
        self._full = False
        self._lost = 0
        self.seq = 0
        """Number of the last event."""
        self.head = events.GENESIS
        """Hash of the last event."""

    def record(self, fact: Fact) -> Event | None:
        """Write a fact as the next event. Gives None when the log or the disk is full and the fact was left out."""
        with self._lock:
            if self._written > self._max_bytes and not isinstance(fact, events.Beat | events.Ended | events.Result):
                if self._full:
                    return None
                self._full = True
                fact = Limit(where="log", what=f"the log reached {self._max_bytes} bytes; later facts are left out")
            if self._lost and self._append(Limit(where="log", what=f"{self._lost} facts could not be written")):
                self._lost = 0
            event = self._append(fact)
            self._lost += event is None
            return event

    def _append(self, fact: Fact) -> Event | None:
        event = events.seal(self.seq + 1, self._clock(), fact, self.head)
        line = events.to_line(event).encode() + b"\n"
        try:
            whole = os.write(self._fd, line) == len(line)
        except OSError:
            whole = False
        if not whole:
            with contextlib.suppress(OSError):  # a half line would break the chain
                os.ftruncate(self._fd, self._written)
            return None
        self._written += len(line)
        self.seq, self.head = event.seq, event.hash
        return event

    def close(self) -> None:
        """Close the file, and give back the room that it did not need. Nothing can be recorded after it."""
        with self._lock:
            if self._fd >= 0:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, self._written)
                os.close(self._fd)
                self._fd = -1
