"""How much room is left where the workstation writes. Volumes have no quota: who fills one may fill the whole host."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set

from .events import Space
from .log import Log

LOW_SHARE = 0.05
"""Room is scarce below this share of a file system,"""
LOW_BYTES, LOW_FILES = 2 << 30, 100_000
"""or below this many bytes or files, where the share is more. It is told, and again whenever half of that is gone."""
COUNTED = 500_000
"""At most so many files of a place are counted."""


class SpaceWatch:
    """Watches the room of the shared places.

    Args:
        root: where they are mounted here.
        places: as the workstation names them.
        log: where to record.
        leave: folders that are not counted: those of the weights, where to look in would be seen as the agent's doing.
    """

    def __init__(self, root: str, places: tuple[str, ...], log: Log, leave: Set[str] = frozenset()) -> None:
        self._root, self._log = root, log
        self._leave = {root + folder for folder in leave}
        self._told: dict[str, float] = dict.fromkeys(places, 1.0)
        """Of what counts as scarce, the share that was left when it was told last."""
        self._least: dict[str, tuple[float, os.statvfs_result]] = {}
        """Places that were seen to be scarcer than that since: the least share, and how it was then."""

    def begin(self) -> None:
        """Record what there is before the episode."""
        for place in self._told:
            self._record(place, os.statvfs(self._root + place))

    def glance(self) -> None:
        """Note the room as it is now, for the next `look`: it may be there again by then. Quick, from any thread."""
        for place, told in self._told.items():
            status = os.statvfs(self._root + place)
            left, least = _left(status), self._least.get(place)
            if left < (told if least is None else least[0]):
                self._least[place] = left, status

    def look(self) -> None:
        """Record a place whose room has become scarce, or scarcer by half, if only for a while."""
        self.glance()
        for place in list(self._least):
            left, status = self._least.pop(place)
            self._told[place] = left / 2
            self._record(place, status)

    def _record(self, place: str, status: os.statvfs_result) -> None:
        sizes = list(_sizes(self._root + place, self._leave))
        free = status.f_bavail * status.f_frsize
        self._log.record(Space(place, free, status.f_favail, sum(sizes), len(sizes)))


def _left(status: os.statvfs_result) -> float:
    """What is free as a share of what counts as scarce, bytes or files, whichever is less."""
    low_bytes = min(LOW_BYTES, LOW_SHARE * status.f_blocks * status.f_frsize)
    left = status.f_bavail * status.f_frsize / max(low_bytes, 1)
    if status.f_files:
        left = min(left, status.f_favail / max(min(LOW_FILES, LOW_SHARE * status.f_files), 1))
    return left


def _sizes(folder: str, leave: Set[str]) -> Iterator[int]:
    """Bytes on the disk of each file and folder below, at most `COUNTED` of them."""
    waiting, counted = [folder], 0
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:  # gone meanwhile
            continue
        with entries:
            for entry in entries:
                if counted >= COUNTED:
                    return
                counted += 1
                try:
                    yield entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False) and entry.path not in leave:
                        waiting.append(entry.path)
                except OSError:
                    continue
