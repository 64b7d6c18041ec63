"""The kernel's file events, as Python values. Thin: what they mean is decided in `files`."""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass

ACCESS, MODIFY, ATTRIB, CLOSE_WRITE = 0x1, 0x2, 0x4, 0x8
OPEN, MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x20, 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
OVERFLOW, IGNORED, IS_DIRECTORY = 0x4000, 0x8000, 0x40000000
_ONLY_DIRECTORIES = 0x01000000
_HEADER = struct.Struct("iIII")


@dataclass(frozen=True)
class FileEvent:
    """One event of the kernel."""

    watch: int
    mask: int
    cookie: int
    """Joins the two halves of a rename."""
    name: str
    """Of the entry in the watched folder; odd bytes as surrogates."""


class Inotify:
    """One inotify instance. It sees through container borders: events belong to the file, not to the mount."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1 failed")

    def watch(self, folder: str, mask: int) -> int:
        """Watch a folder; gives the number of the watch. Raises OSError when it cannot be watched."""
        number = self._libc.inotify_add_watch(self.fd, os.fsencode(folder), ctypes.c_uint32(mask | _ONLY_DIRECTORIES))
        if number < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch failed", folder)
        return int(number)

    def read(self) -> list[FileEvent]:
        """The next events; none when there are none yet."""
        try:
            return parse(os.read(self.fd, 1 << 16))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Watch nothing more. A user has only so many instances on one machine."""
        os.close(self.fd)


def parse(data: bytes) -> list[FileEvent]:
    """The events in what the kernel wrote."""
    found, at = [], 0
    while at + _HEADER.size <= len(data):
        watch, mask, cookie, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
        at += length
        found.append(FileEvent(watch, mask, cookie, name))
    return found
