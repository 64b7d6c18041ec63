"""The append-only log: every fact that the witness records becomes a numbered, timed, chained event on disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from . import events
from .events import Event, Fact, Limit

MAX_BYTES = 64 << 20
"""Of the log. Past it only signs of life and the end are written, and a `Limit` says so once."""


class Log:
    """Writes events; safe to call from any thread.

    Args:
        path: the file; it must not exist.
        clock: seconds since 1970.
        max_bytes: see `MAX_BYTES`.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, max_bytes: int = MAX_BYTES) -> None:
        self._file = path.open("xb", buffering=0)
        self._clock = clock
        self._lock = threading.Lock()
        self._max_bytes = max_bytes
        self._written = 0
        self._full = False
        self.seq = 0
        """Number of the last event."""
        self.head = events.GENESIS
        """Hash of the last event."""

    def record(self, fact: Fact) -> Event | None:
        """Write a fact as the next event. Gives None when the log is full and the fact was left out."""
        with self._lock:
            if self._written > self._max_bytes and not isinstance(fact, events.Beat | events.Ended | events.Result):
                if self._full:
                    return None
                self._full = True
                fact = Limit(where="log", what=f"the log reached {self._max_bytes} bytes; later facts are left out")
            return self._append(fact)

    def _append(self, fact: Fact) -> Event:
        event = events.seal(self.seq + 1, self._clock(), fact, self.head)
        line = events.to_line(event).encode() + b"\n"
        self._file.write(line)
        self._written += len(line)
        self.seq, self.head = event.seq, event.hash
        return event

    def close(self) -> None:
        """Close the file; nothing can be recorded after it."""
        with self._lock:
            self._file.close()
