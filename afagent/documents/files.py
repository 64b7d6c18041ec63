"""Files that come whole, all of them or none, and never over another by accident."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from afagent.errors import UsageError


@contextmanager
def fresh(paths: Sequence[Path], *, force: bool) -> Iterator[list[BinaryIO]]:
    """Files to write to, open from the start, so that a path that cannot be written is known before the work is done.

    They take their names when the block ends, one after the other; where it raises, nothing is left of them.

    Args:
        paths: what they will be called.
        force: whether what lies there may be replaced.

    Raises:
        UsageError: two are the same, one is there already, or one cannot be written.
    """
    if len({path.absolute() for path in paths}) < len(paths):
        raise UsageError(f"the files need different names: {', '.join(map(str, paths))}")
    for path in paths:
        if path.is_dir():
            raise UsageError(f"{path} is a folder: give the name of a file")
        if (path.exists() or path.is_symlink()) and not force:
            raise UsageError(f"{path} is there already: choose another name, or replace it with --force")
    parts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths]
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(_opened(part, path)) for part, path in zip(parts, paths, strict=True)]
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    except OSError as problem:
        raise UsageError(f"{', '.join(map(str, paths))} cannot be written: {problem.strerror}") from problem
    finally:
        for part in parts:
            if part.parent.is_dir():
                part.unlink(missing_ok=True)


def _opened(part: Path, path: Path) -> BinaryIO:
    try:
        return part.open("xb")
    except OSError as problem:
        raise UsageError(f"{path} cannot be written: {problem.strerror}") from problem
