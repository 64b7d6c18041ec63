"""Folders and files of the lab's systems, held open: to look at them again is no event for whoever watches them.

To open a file and to read it wakes everybody who watches it, the agent included. A descriptor that the kernel hands out
with an event of fanotify does not. So what stands at a path is opened once, before the agent starts or when it is new
there, and the descriptor that this very opening brings is kept and read from then on. Each part of a way is checked by
asking what stands there now.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import PurePosixPath

from . import fanotify
from .safe_open import NotRegularError

MOST_FILES, MOST_FOLDERS = 2048, 1024
"""Held at once. With more, what was held first is let go, and opened again when it is looked at."""

_ANY = os.O_PATH | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_OPENED = fanotify.OPEN | fanotify.OF_FOLDERS

Key = tuple[int, int]
"""Device and inode. As long as a file is held, its inode is nobody else's."""


class Held:
    """What is held open of the workstation.

    Args:
        root: where the workstation's shared places are mounted.
        group: of fanotify, by which files are opened unnoticed; None where the kernel has none for us: then whoever
            watches a file is told of our looks.
    """

    def __init__(self, root: str, group: int | None = None) -> None:
        self._root, self._group = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC), group
        self._folders: dict[str, tuple[Key, int]] = {}
        self._files: dict[str, tuple[Key, int]] = {}

    def folder(self, path: str) -> int:
        """A descriptor of the folder at the workstation's `path`. It stays ours.

        Raises:
            FileNotFoundError: nothing stands there.
            NotRegularError: something else does, or a link lies on the way.
            OSError: it cannot be opened.
        """
        if len(self._folders) > MOST_FOLDERS:
            _let_go_all(self._folders)
        at, here = self._root, ""
        for part in PurePosixPath(path).parts[1:]:
            # What stands directly in the root is the witness's own: mount points, and a link to shared memory.
            is_own, here = not here, f"{here}/{part}"
            try:
                at = self._below(at, here, part, follow=is_own)
            except OSError as problem:
                _let_go(self._folders, here)
                if problem.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise NotRegularError(problem.errno, "a link or special file lies on the way", path) from problem
                raise
        return at

    def file(self, folder: int, name: str, path: str) -> int:
        """A descriptor of a regular file, for reading. It stays ours.

        Args:
            folder: in which it stands.
            name: its name there.
            path: under which it is held.

        Raises:
            OSError: it cannot be opened, or is something else by now.
        """
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        held = self._files.get(path)
        if held is not None and held[0] == (status.st_dev, status.st_ino):
            return held[1]
        self.let_go(path)
        if len(self._files) >= MOST_FILES:
            _let_go(self._files, next(iter(self._files)))
        return self._hold(self._files, path, os.open(name, _ANY | os.O_NOFOLLOW, dir_fd=folder))

    def let_go(self, path: str) -> None:
        """Hold the file of a path no longer: it is gone, and would keep its space on the disk."""
        _let_go(self._files, path)

    def close(self) -> None:
        """Hold nothing any more."""
        _let_go_all(self._folders)
        _let_go_all(self._files)
        os.close(self._root)
        if self._group is not None:
            os.close(self._group)

    def _below(self, above: int, here: str, name: str, *, follow: bool) -> int:
        status = os.stat(name, dir_fd=above, follow_symlinks=follow)
        held = self._folders.get(here)
        if held is not None and held[0] == (status.st_dev, status.st_ino):
            return held[1]
        _let_go(self._folders, here)
        flags = _ANY | os.O_DIRECTORY | (0 if follow else os.O_NOFOLLOW)
        return self._hold(self._folders, here, os.open(name, flags, dir_fd=above))

    def _hold(self, held: dict[str, tuple[Key, int]], path: str, found: int) -> int:
        """Hold what was `found` at a path, a descriptor without rights, by one that can be read."""
        try:
            status = os.fstat(found)
            if held is self._files and not stat.S_ISREG(status.st_mode):
                raise NotRegularError(errno.EINVAL, "not a regular file", path)
            fd = self._opened(f"/proc/self/fd/{found}", status)
        finally:
            os.close(found)
        held[path] = (status.st_dev, status.st_ino), fd
        return fd

    def _opened(self, link: str, status: os.stat_result) -> int:
        if self._group is None:
            return os.open(link, _READ)
        fanotify.mark(self._group, link, _OPENED)
        try:
            fd = os.open(link, _READ)
        finally:
            with suppress(OSError):  # the mark went with the file's last name
                fanotify.unmark(self._group, link, _OPENED)
        while events := fanotify.read(self._group):
            for event in events:  # also of others who opened it at the same moment
                spare = event.fd
                if spare >= 0 and os.path.samestat(os.fstat(spare), status):
                    fd, spare = spare, fd
                if spare >= 0:
                    os.close(spare)
        return fd


def _let_go(held: dict[str, tuple[Key, int]], path: str) -> None:
    _, fd = held.pop(path, (None, -1))
    if fd >= 0:
        os.close(fd)


def _let_go_all(held: dict[str, tuple[Key, int]]) -> None:
    for path in [*held]:
        _let_go(held, path)
