"""One run at a time in an attempt's folder: two would play every episode twice, and none of them would count."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from afagent.errors import UsageError

FILE = ".lock"
"""It stays behind when a run ends: to remove it would let in who has the old file open beside who makes a new one."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds a folder, which is made if there is none, until the block ends or the process does, however it ends.

    Among machines it is only as good as the folder's file system: one that knows no locks is refused.

    Raises:
        UsageError: another process holds it, or it cannot be held.
    """
    with _opened(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            held = f"another `afagent gate run` is at work on the attempt in {folder}; wait until it ends, or stop it"
            raise UsageError(held) from problem
        except OSError as problem:
            raise UsageError(f"{folder} cannot be locked: {problem.strerror}") from problem
        yield


def _opened(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / FILE).open("ab")
    except OSError as problem:
        raise UsageError(f"nothing can be written to {folder}: {problem.strerror}") from problem
