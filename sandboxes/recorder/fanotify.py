"""The kernel's events that bring the file itself (fanotify), as Python values. Thin, as `inotify` is."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass

from .network.privileges import call_libc

# Constants of the kernel (linux/fanotify.h), which Python does not name.
OPEN, CLOSE_WRITE, OVERFLOW = 0x20, 0x8, 0x4000
OF_FOLDERS, OF_CHILDREN = 0x40000000, 0x08000000
_CLOEXEC, _NONBLOCK, _UNLIMITED_MARKS = 0x1, 0x2, 0x20
_ADD, _REMOVE = 0x1, 0x2
_HERE = -100
_EVENT = struct.Struct("=IBBHQii")
_READ_BYTES = 4096
"""Each event in it takes a descriptor, of which a process has only so many."""


@dataclass(frozen=True)
class FileEvent:
    """Something happened to a file."""

    mask: int
    fd: int
    """Open for reading; whoever takes the event closes it. Reading through it is no event, for nobody. Negative for an
    overflow."""
    process: int
    """Who did it, by the number that we know it by."""


def new_group(more: int = 0) -> int:
    """A group without marks, as a descriptor. Needs SYS_ADMIN, which may be dropped afterwards.

    Args:
        more: flags of `open` for the descriptors of its events.

    Raises:
        OSError: the kernel refuses.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_LARGEFILE | more
    return call_libc("fanotify_init", _CLOEXEC | _NONBLOCK | _UNLIMITED_MARKS, flags)


def mark(group: int, path: str, mask: int) -> None:
    """Take such events of what stands at a path. Raises OSError when it cannot be watched."""
    call_libc("fanotify_mark", group, _ADD, ctypes.c_uint64(mask), _HERE, os.fsencode(path))


def unmark(group: int, path: str, mask: int) -> None:
    """Take them no longer. Raises OSError when there is no such mark."""
    call_libc("fanotify_mark", group, _REMOVE, ctypes.c_uint64(mask), _HERE, os.fsencode(path))


def read(group: int) -> list[FileEvent]:
    """The next events; none when there are none yet.

    Raises:
        OSError: the kernel could not open a file for us; it is lost.
    """
    try:
        data = os.read(group, _READ_BYTES)
    except BlockingIOError:
        return []
    found, at = [], 0
    while at + _EVENT.size <= len(data):
        length, _, _, _, mask, fd, process = _EVENT.unpack_from(data, at)
        at += length
        found.append(FileEvent(mask, fd, process))
    return found
