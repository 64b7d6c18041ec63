"""Memory that decoders keep to refer back to: one sum for all that are open at once, in whatever connections and files.

A few kilobytes can make a decoder fill a dictionary of many megabytes, and many connections can do so together.
"""

from __future__ import annotations

import threading

HELD_BYTES = 256 << 20
"""All decoders together keep no more than this."""


class Pool:
    """Memory that is there to be held.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether so much was left; it is taken then."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        """What was taken is free again."""
        with self._lock:
            self._left += size


POOL = Pool(HELD_BYTES)
"""Of this process."""


class Holding:
    """What one decoder holds; it is given back when nobody has the decoder any more.

    Args:
        most: what it holds at most. It holds no more than it has written, either.
        pool: where it is taken from; that of this process when not given.
    """

    def __init__(self, most: int, pool: Pool | None = None) -> None:
        self._most, self._pool = most, pool or POOL
        self._held = 0

    def grow(self, size: int) -> bool:
        """So many bytes more were written. False when there is no memory for them."""
        more = min(size, self._most - self._held)
        if more and not self._pool.take(more):
            return False
        self._held += more
        return True

    def __del__(self) -> None:
        self._pool.give_back(self._held)
