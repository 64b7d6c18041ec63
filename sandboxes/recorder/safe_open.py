"""Opens what lies on the shared volumes without being led astray by what the agent put there."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import PurePosixPath

CHUNK = 1 << 20
SPARSE_BYTES = 16 << 20
"""Holes are left out of larger files only. What was written through memory may still be a hole on the disk, so that a
file's bytes have to be brought there first, which costs more than to read a small hole."""
PATH_CHARACTERS = 4096
"""A longer path is told by its start and its end."""
_BLOCK_BYTES = 512
"""In which the kernel counts what a file takes on the disk."""


class NotRegularError(OSError):
    """What stands there is a link, a pipe, a socket or a device: nothing to read."""


def open_file(root: str, path: str) -> int:
    """A descriptor of the regular file at the workstation's `path`, below `root`; no link of the agent's is followed.

    Raises:
        FileNotFoundError: nothing stands there.
        NotRegularError: something else does, or a link lies on the way.
        OSError: it cannot be opened.
    """
    fd = _walk(root, path, os.O_RDONLY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotRegularError(errno.EINVAL, "not a regular file", path)
    return fd


def open_folder(root: str, path: str) -> int:
    """A descriptor of the folder at the workstation's `path`. Raises as `open_file` does."""
    return _walk(root, path, os.O_RDONLY | os.O_DIRECTORY)


def _walk(root: str, path: str, flags: int) -> int:
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".", "..")]
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            mode = flags if last else os.O_RDONLY | os.O_DIRECTORY
            # What stands directly in `root` is the witness's own: mount points, and a link to shared memory.
            follow = 0 if i == 0 and not last else os.O_NOFOLLOW
            # Non-blocking: opening a pipe that nobody writes to would otherwise wait for ever.
            below = os.open(part, mode | follow | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
    except OSError as problem:
        os.close(at)
        if problem.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise NotRegularError(problem.errno, "a link or special file lies on the way", path) from problem
        raise
    return at


def chunks(fd: int, most: int | None = None) -> Iterator[bytes]:
    """The content of a file from its start, at most `most` bytes, holes left out."""
    status = os.fstat(fd)
    left = status.st_size if most is None else min(most, status.st_size)
    for start, end in _filled(fd, left) if status.st_size > SPARSE_BYTES else [(0, left)]:
        at = start
        while at < end:
            data = os.pread(fd, min(CHUNK, end - at), at)
            if not data:
                return
            at += len(data)
            yield data


def _filled(fd: int, size: int) -> Iterator[tuple[int, int]]:
    """Where the first `size` bytes of a file are none of its holes."""
    if os.fstat(fd).st_blocks * _BLOCK_BYTES < size:
        with contextlib.suppress(OSError):  # a file system that cannot, or need not
            os.fdatasync(fd)
    end = 0
    while end < size:
        try:
            at = os.lseek(fd, end, os.SEEK_DATA)
        except OSError as problem:
            if problem.errno == errno.ENXIO:  # only a hole is left
                return
            raise
        end = min(os.lseek(fd, at, os.SEEK_HOLE), size)
        yield at, end


def printable(path: str) -> str:
    """A path as the log can hold it: names of the file system may be any bytes, of any number, and the log is JSON."""
    text = path.encode(errors="surrogateescape").decode(errors="replace")
    return text if len(text) <= PATH_CHARACTERS else f"{text[: PATH_CHARACTERS // 2]}…{text[-PATH_CHARACTERS // 2 :]}"
