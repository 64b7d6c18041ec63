"""Finds the logs below a folder or an address that fsspec knows, and opens them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from afagent.errors import UsageError

SUFFIXES = (".eval", ".json")
NOT_LOGS = {"eval-set.json", "listing.json", "logs.json"}
"""What Inspect itself writes beside logs."""
_KEPT_IN_MEMORY = 64 << 20


@dataclass(frozen=True)
class Found:
    """A place where a log should be."""

    name: str
    """Below the folder, with `/`."""
    address: str
    """For `open_file`."""
    trouble: str | None = None
    """Why it cannot be one, whatever it holds; goes on after "it"."""


def find(folder: str) -> list[Found]:
    """All logs below a folder, sorted by name.

    A part of the folder that cannot be looked through is among them, with its trouble.

    Raises:
        UsageError: there is no such folder.
    """
    try:
        system, root = url_to_fs(folder)
        if not system.isdir(root):
            raise UsageError(f"no folder {folder} with logs; name one, or an address that fsspec knows")
    except (ImportError, OSError, ValueError) as problem:
        raise UsageError(f"the folder {folder} with logs cannot be opened: {problem}") from problem
    return sorted(_walk(system, root), key=lambda found: found.name)


def _walk(system: fsspec.AbstractFileSystem, root: str) -> Iterator[Found]:
    hidden: list[Found] = []
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            entries: list[dict[str, Any]] = system.ls(folder, detail=True)
        except OSError as problem:
            hidden.append(
                Found(_below(root, folder) or ".", folder, f"is a folder that cannot be read: {_said(problem)}")
            )
            continue
        for entry in entries:
            path = str(entry["name"])
            if path.rstrip("/") == folder.rstrip("/"):
                continue
            if entry.get("islink") and system.isdir(path):
                yield Found(_below(root, path), path, "is a link to a folder, and no link is followed")
            elif entry["type"] == "directory":
                waiting.append(path)
            if path.rstrip("/").endswith(SUFFIXES) and PurePosixPath(path).name not in NOT_LOGS:
                trouble = None if entry["type"] == "file" else "is no file"
                yield Found(_below(root, path), system.unstrip_protocol(path), trouble)
    yield from hidden


def _below(root: str, path: str) -> str:
    return path[len(root) :].strip("/").replace("\\", "/") if path.startswith(root) else path


def in_reach(found: Found) -> bool:
    """Whether another process finds it under the same address."""
    return not isinstance(url_to_fs(found.address)[0], MemoryFileSystem)


def size(found: Found) -> int:
    """Bytes of the file; 0 where that is not said."""
    system, path = url_to_fs(found.address)
    try:
        return int(system.size(path) or 0)
    except OSError:
        return 0


@contextmanager
def open_file(found: Found) -> Iterator[IO[bytes]]:
    """The file's bytes, which can be read again from any place; what lies elsewhere is fetched whole.

    Raises:
        OSError: it cannot be read.
    """
    system, path = url_to_fs(found.address)
    if isinstance(system, LocalFileSystem):
        with open(path, "rb") as file:  # noqa: PTH123  # fsspec's name for it
            yield file
        return
    with tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY) as copy:
        with system.open(path, "rb") as source:
            shutil.copyfileobj(source, copy)
        copy.seek(0)
        yield copy


def _said(problem: OSError) -> str:
    return problem.strerror or type(problem).__name__
