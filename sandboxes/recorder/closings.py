"""Files that were opened, or closed after writing, as descriptors from the kernel (fanotify). Thin, as `inotify` is.

A name may be gone before it can be opened: a file that is deleted at once, or never had one. The kernel keeps the file
itself until its event is read, so that its content is still there to be looked into.
"""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass

from .network.privileges import call_libc

# Constants of the kernel (linux/fanotify.h), which Python does not name.
_CLOEXEC, _NONBLOCK, _UNLIMITED_MARKS = 0x1, 0x2, 0x20
_ADD, _ONLY_DIRECTORIES = 0x1, 0x8
_CLOSE_WRITE, _OPEN, _ON_CHILD, _OVERFLOW = 0x8, 0x20, 0x08000000, 0x4000
_HERE = -100
_EVENT = struct.Struct("=IBBHQii")
_READ_BYTES = 4096
"""Each event in it takes a descriptor, of which a process has only so many."""
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
        flags = _CLOEXEC | _NONBLOCK | _UNLIMITED_MARKS
        return cls(call_libc("fanotify_init", flags, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_LARGEFILE))

    def watch(self, folder: str) -> None:
        """Take openings and closings of what lies in a folder. Raises OSError when it cannot be watched."""
        mask = ctypes.c_uint64(_CLOSE_WRITE | _OPEN | _ON_CHILD)
        call_libc("fanotify_mark", self.fd, _ADD | _ONLY_DIRECTORIES, mask, _HERE, os.fsencode(folder))

    def read(self) -> tuple[list[Closing], bool]:
        """The next of them, and whether some were lost before. Does not wait. What we open ourselves is left out.

        Raises:
            OSError: the kernel could not open a file for us; it is lost.
        """
        try:
            data = os.read(self.fd, _READ_BYTES)
        except BlockingIOError:
            return [], False
        found, lost, at = [], False, 0
        while at + _EVENT.size <= len(data):
            length, _, _, _, mask, fd, process = _EVENT.unpack_from(data, at)
            at += length
            if mask & _OVERFLOW:
                lost = True
            elif mask & _CLOSE_WRITE or process != os.getpid():
                found.append(Closing(fd, bool(mask & _CLOSE_WRITE), _path_of(fd)))
            else:
                os.close(fd)
        return found, lost


def _path_of(fd: int) -> str:
    path = os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115
    # A name may end so by itself.
    return path.removesuffix(_DELETED) if os.fstat(fd).st_nlink == 0 else path
