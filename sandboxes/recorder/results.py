"""What stood at the paths of the job's result when the episode ended."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterable
from fnmatch import fnmatchcase

from .events import Result
from .safe_open import chunks, open_file, open_folder, printable
from .tree import Unseen, walk

TEXT_BYTES = 256 << 10
"""A result up to this size is kept as text."""
ENTRIES = 2000
"""At most so many files of a folder are listed."""
HASHED_BYTES = 8 << 20
"""A listed file up to this size is hashed."""
ARCHIVES = 100
"""At most so many files are told of that fit patterns."""
MEMBERS = 64
"""Of a gzip file so many parts are unpacked."""

_GZIP = 16 + zlib.MAX_WBITS


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


def archives(root: str, patterns: Iterable[str]) -> list[Result]:
    """The state of each file that fits a pattern; a path without wildcards fits itself. Never raises, as `result`."""
    paths: dict[str, None] = {}
    for pattern in patterns:
        folder, _, name = pattern.rpartition("/")
        try:
            fd = open_folder(root, folder or "/")
        except OSError:
            continue
        try:
            with os.scandir(fd) as entries:
                names = sorted(entry.name for entry in entries if fnmatchcase(entry.name, name))
        except OSError:
            continue
        finally:
            os.close(fd)
        paths |= dict.fromkeys(f"{folder}/{each}" for each in names)
    return [result(root, path) for path in [*paths][:ARCHIVES]]


def _file(root: str, path: str) -> Result:
    fd = open_file(root, path)
    try:
        size, digest = os.fstat(fd).st_size, hashlib.sha256()
        head = bytearray()
        for data in chunks(fd):
            digest.update(data)
            if len(head) <= TEXT_BYTES:
                head += data
        whole = bytes(head) if len(head) == size else b""  # a file with holes is no text
        return Result(path, "file", size, digest.hexdigest(), _text(whole, size), unpacked=_unpacked(whole))
    finally:
        os.close(fd)


def _text(content: bytes, size: int) -> str | None:
    if size > TEXT_BYTES or len(content) != size:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _unpacked(content: bytes) -> str | None:
    """What a gzip file holds; None for one that is not whole, too long or no text."""
    found = b""
    for _ in range(MEMBERS):
        engine = zlib.decompressobj(_GZIP)
        try:
            found += engine.decompress(content, TEXT_BYTES + 1 - len(found))
        except zlib.error:
            return None
        if not engine.eof or len(found) > TEXT_BYTES:
            return None
        content = engine.unused_data
        if not content:
            return _text(found, len(found))
    return None


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
