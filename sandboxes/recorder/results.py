"""What stood at the paths of the job's result when the episode ended."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import zlib

from .events import Result
from .safe_open import chunks, open_file, open_folder, printable
from .tree import Unseen, walk

TEXT_BYTES = 256 << 10
"""A result up to this size is kept as text; one that gzip made, if it is so both packed and unpacked."""
ENTRIES = 2000
"""At most so many files of a folder are listed."""
HASHED_BYTES = 8 << 20
"""A listed file up to this size is hashed."""
_GZIP = b"\x1f\x8b"


def result(root: str, path: str) -> Result:
    """The state of one path, a file's or a folder's. Never raises for what the agent may have put there."""
    try:
        return _folder(root, path)
    except FileNotFoundError:
        return Result(path, "missing")
    except OSError:
        pass
    try:
        return _file(root, path)
    except FileNotFoundError:
        return Result(path, "missing")
    except OSError:
        return Result(path, "other")


def _file(root: str, path: str) -> Result:
    fd = open_file(root, path)
    try:
        size, digest = os.fstat(fd).st_size, hashlib.sha256()
        head = bytearray()
        for data in chunks(fd):
            digest.update(data)
            if len(head) <= TEXT_BYTES:
                head += data
        return Result(path, "file", size, digest.hexdigest(), _text(bytes(head), size))
    finally:
        os.close(fd)


def _text(head: bytes, size: int) -> str | None:
    if size > TEXT_BYTES or len(head) != size:  # a file with holes is no text
        return None
    try:
        content = _unpacked(head) if head.startswith(_GZIP) else head
        return content.decode() if len(content) <= TEXT_BYTES else None
    except (UnicodeDecodeError, EOFError, OSError, zlib.error):
        return None


def _unpacked(packed: bytes) -> bytes:
    """What gzip packed, or a little more of it than is kept. Raises EOFError, OSError or zlib.error."""
    return gzip.GzipFile(fileobj=io.BytesIO(packed)).read(TEXT_BYTES + 1)


def _folder(root: str, path: str) -> Result:
    os.close(open_folder(root, path))
    entries: dict[str, str] = {}
    for folder in walk(root, path):
        if isinstance(folder, Unseen):
            continue
        for name in sorted(folder.others):
            if len(entries) >= ENTRIES:
                return Result(path, "directory", entries=entries)
            relative = f"{folder.path}/{name}".removeprefix(path).lstrip("/")
            entries[printable(relative)] = _hash_at(folder.fd, name)
    return Result(path, "directory", entries=entries)


def _hash_at(folder: int, name: str) -> str:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return ""
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > HASHED_BYTES:
            return ""
        digest = hashlib.sha256()
        for data in chunks(fd):
            digest.update(data)
        return digest.hexdigest()
    except OSError:
        return ""
    finally:
        os.close(fd)
