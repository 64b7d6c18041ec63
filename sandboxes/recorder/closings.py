"""Files that were opened, or closed after writing, as descriptors from the kernel.

A name may be gone before it can be opened: a file that is deleted at once, or never had one. The kernel keeps the file
itself until its event is read, so that its content is still there to be looked into.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from . import fanotify

_MASK = fanotify.CLOSE_WRITE | fanotify.OPEN | fanotify.OF_CHILDREN
_DELETED = " (deleted)"


@dataclass(frozen=True)
class Closing:
    """A file that somebody opened, or closed after writing."""

    fd: int
    """Open for reading; whoever takes the closing closes it. Reading through it is no event."""
    written: bool
    """Closed after writing; else opened."""
    path: str
    """Its name where it was written, in the workstation; the last one that it had, where it has none left."""


class Closings:
    """One fanotify group, which sees through container borders as inotify does. Made by `open`."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        """Readable when there is a closing."""

    @classmethod
    def open(cls) -> Closings:
        """A group without marks. Needs SYS_ADMIN, which may be dropped afterwards.

        Raises:
            OSError: the kernel refuses.
        """
        return cls(fanotify.new_group())

    def watch(self, folder: str) -> None:
        """Take openings and closings of what lies in a folder. Raises OSError when it cannot be watched."""
        fanotify.mark(self.fd, folder, _MASK)

    def read(self) -> tuple[list[Closing], bool]:
        """The next of them, and whether some were lost before. Does not wait. What we open ourselves is left out.

        Raises:
            OSError: the kernel could not open a file for us; it is lost.
        """
        found, lost = [], False
        for event in fanotify.read(self.fd):
            if event.mask & fanotify.OVERFLOW:
                lost = True
            elif event.mask & fanotify.CLOSE_WRITE or event.process != os.getpid():
                found.append(Closing(event.fd, bool(event.mask & fanotify.CLOSE_WRITE), _path_of(event.fd)))
            else:
                os.close(event.fd)
        return found, lost


def _path_of(fd: int) -> str:
    path = os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115
    # A name may end so by itself.
    return path.removesuffix(_DELETED) if os.fstat(fd).st_nlink == 0 else path
