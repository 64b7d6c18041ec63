"""Walks through what the agent can make: folders of any name and depth, changing while one walks, and links among them.

Every folder is opened from its parent's descriptor and never through a link, so that neither the length of a path nor a
folder that is exchanged for a link leads astray. No recursion: a program has less of it than a disk has folders.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from .safe_open import open_folder

MOST_LEVELS = 512
"""Of folders below a start; each takes a descriptor while it is walked through."""

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Folder:
    """One folder of a walk."""

    path: str
    """As the workstation names it."""
    fd: int
    """Open until the walk goes on."""
    folders: list[str]
    """Names of those in it. Who walks may take some out, to leave them."""
    others: list[str]
    """Names of all else in it."""


@dataclass(frozen=True)
class Unseen:
    """What the walk could not go into."""

    path: str
    why: str


def walk(root: str, path: str) -> Iterator[Folder | Unseen]:
    """The folder at `path`, below `root`, and all below it, each before those in it. Nothing if it is not there."""
    try:
        waiting: list[tuple[int, str, list[str]]] = []
        at: int | None = open_folder(root, path)
    except OSError:
        return
    try:
        while True:
            if at is not None:
                folder = list_folder(at, path)
                waiting.append((at, path, folder.folders))
                at = None
                yield folder
            elif not waiting:
                return
            above, name, folders = waiting[-1]
            if not folders:
                os.close(waiting.pop()[0])
                continue
            path = f"{name}/{folders.pop()}"
            if len(waiting) >= MOST_LEVELS:
                yield Unseen(path, f"more than {MOST_LEVELS} folders deep")
                continue
            try:
                at = os.open(path.rpartition("/")[2], _FLAGS, dir_fd=above)
            except FileNotFoundError:
                continue
            except OSError as problem:  # a link by now, or no descriptor left
                yield Unseen(path, problem.strerror or type(problem).__name__)
    finally:
        for fd, _, _ in waiting:
            os.close(fd)


def list_folder(fd: int, path: str) -> Folder:
    """What is in an open folder, which the workstation names `path`."""
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(fd) as entries:
        for entry in entries:
            (folders if entry.is_dir(follow_symlinks=False) else others).append(entry.name)
    return Folder(path, fd, folders, others)
