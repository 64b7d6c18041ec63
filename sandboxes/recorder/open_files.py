"""Files that were opened and not closed yet: one that loses its name meanwhile stays within reach until the end."""

from __future__ import annotations

import os
from collections import OrderedDict

MOST = 4096
"""Files held at once; the one opened longest ago gives way, unless it has no name any more."""
NAMELESS = 512
"""Of them, at most so many without a name: each keeps its space on the disk."""


class OpenFiles:
    """Holds a descriptor of each file that somebody else has open."""

    def __init__(self, most: int = MOST, nameless: int = NAMELESS) -> None:
        self._most, self._most_nameless = most, nameless
        self._held: OrderedDict[tuple[int, int], tuple[int, str]] = OrderedDict()

    def opened(self, fd: int, path: str) -> list[tuple[int, str]]:
        """Hold a file. The caller keeps its descriptor.

        Gives files without a name that have to give way, with their last one: to be looked into now, and closed.
        """
        status = os.fstat(fd)
        key = status.st_dev, status.st_ino
        if key in self._held:
            self._held.move_to_end(key)
            return []
        self._held[key] = os.dup(fd), path
        return self._make_room() if len(self._held) > self._most else []

    def closed(self, fd: int) -> None:
        """Let go of a file that was closed after writing."""
        status = os.fstat(fd)
        held = self._held.pop((status.st_dev, status.st_ino), None)
        if held is not None:
            os.close(held[0])

    def nameless(self) -> list[tuple[int, str]]:
        """All that have no name any more, to be looked into and closed; the others are let go."""
        found = []
        for fd, path in self._held.values():
            if os.fstat(fd).st_nlink == 0:
                found.append((fd, path))
            else:
                os.close(fd)
        self._held.clear()
        return found

    def _make_room(self) -> list[tuple[int, str]]:
        """Let go of the half that was opened first, but for what has no name, as far as there is room for it."""
        giving_way: list[tuple[int, str]] = []
        kept = 0
        for key in list(self._held)[: self._most // 2]:
            fd, path = self._held[key]
            has_name = os.fstat(fd).st_nlink > 0
            if not has_name and kept < self._most_nameless:
                kept += 1
                continue
            del self._held[key]
            if has_name:
                os.close(fd)
            else:
                giving_way.append((fd, path))
        return giving_way
