"""What stands at a path that the agent can write, and how it differs from what stood there before.

Everything is read through descriptors that are held (`held`) and never through a link. `Standing.stamp` is what the
kernel changes with every write, and what nobody without privileges can put back (the time of the last change of the
inode is part of it).
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field, replace

from .held import Held
from .safe_open import NotRegularError

READ_BYTES = 8 << 20
"""Of a larger file only so many are read and compared."""
TRIES = 3
"""A file that is being written is read so often before it is taken as it was found last."""

FOUND, WRITTEN, ADDED, REWRITTEN = "found", "written", "added", "rewritten"
APPEARED, GONE, ATTRIBUTES = "appeared", "gone", "attributes"


@dataclass(frozen=True)
class Standing:
    """What stands at a path. `type` and most other fields are as in `events.AssetState`."""

    type: str
    size: int = 0
    digest: str = ""
    """SHA-256 of what was read: of a file its bytes, of a link its target."""
    whole: bool = True
    """Whether all of it was read."""
    mode: int = 0
    owner: int = 0
    modified: float = 0.0
    file: tuple[int, int] = (0, 0)
    """Device and inode."""
    stamp: tuple[int, ...] = ()
    data: bytes = field(default=b"", repr=False, compare=False)
    """What was read."""

    def bare(self) -> Standing:
        """The same without its data, to be remembered."""
        return replace(self, data=b"")

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return bool(self.stamp) and stat.S_ISDIR(self.stamp[_MODE])

    def continues(self, before: Standing) -> bool:
        """Whether this is the same file with bytes added at its end, and those that it had unchanged."""
        if self.type != "file" or self.file != before.file or self.size <= before.size:
            return False
        start = self.data[: before.size]  # of two long files both hold as much as is ever read
        return hashlib.sha256(start).hexdigest() == before.digest


MISSING = Standing("missing")


def stand(held: Held, path: str, known: Standing = MISSING) -> Standing:
    """What stands at the workstation's `path`.

    Args:
        held: what is held open of the workstation; from now on what stands there is.
        path: of anything.
        known: what stood there. It is given back, without data, when its stamp says that it still does.

    Raises:
        OSError: it cannot be read, or is never the same twice.
    """
    folder, _, name = path.rpartition("/")
    try:
        new = _settled(held, held.folder(folder or "/"), name, path, known)
    except FileNotFoundError:
        new = MISSING
    except NotRegularError:  # a link, or a file, lies on the way
        new = Standing("other")
    if new.type != "file":
        held.let_go(path)
    return new


def difference(old: Standing, new: Standing, *, grows: bool = False, written: bool | None = None) -> str | None:
    """What happened between two looks at a path, in the words of `events.AssetState.how`; None when nothing did.

    Args:
        old: what stood there.
        new: what stands there.
        grows: lines are only added at its end.
        written: whether somebody wrote, as far as that is known; else the time of the last write says it.
    """
    if new.type == "missing":
        return None if old.type == "missing" else GONE
    if old.type == "missing":
        return APPEARED
    if (new.type, new.size, new.digest) != (old.type, old.size, old.digest):
        return ADDED if grows and new.continues(old) else WRITTEN
    if new.stamp == old.stamp:
        return None
    if written is None:
        written = new.modified != old.modified
    return REWRITTEN if new.file != old.file or (written and new.type != "other") else ATTRIBUTES


def _settled(held: Held, folder: int, name: str, path: str, known: Standing) -> Standing:
    """What has this name in a folder, with a stamp that is not younger than the data."""
    for tries_left in reversed(range(TRIES)):
        try:
            before = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if known.stamp == _stamp(before):
                return known
            data = _data(held, folder, name, path, before)
            after = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            raise
        except OSError as problem:  # something else by now, such as a link
            if not tries_left:  # of itself, not of the way to it
                raise OSError(problem.errno, problem.strerror) from problem
            continue
        if not tries_left or _stamp(before) == _stamp(after):
            break
    return _standing(before, data)


def _data(held: Held, folder: int, name: str, path: str, status: os.stat_result) -> bytes:
    if stat.S_ISLNK(status.st_mode):
        return os.fsencode(os.readlink(name, dir_fd=folder))
    if not stat.S_ISREG(status.st_mode):
        return b""
    fd = held.file(folder, name, path)
    wanted, data = min(status.st_size, READ_BYTES), b""
    while len(data) < wanted and (more := os.pread(fd, wanted - len(data), len(data))):
        data += more
    return data


def _standing(status: os.stat_result, data: bytes) -> Standing:
    kind = "file" if stat.S_ISREG(status.st_mode) else "link" if stat.S_ISLNK(status.st_mode) else "other"
    is_long = kind == "file" and status.st_size > READ_BYTES
    return Standing(
        type=kind,
        size=status.st_size if is_long else len(data),  # shorter by now than its status says, perhaps
        digest=hashlib.sha256(data).hexdigest() if kind != "other" else "",
        whole=not is_long,
        mode=stat.S_IMODE(status.st_mode),
        owner=status.st_uid,
        modified=status.st_mtime,
        file=(status.st_dev, status.st_ino),
        stamp=_stamp(status),
        data=data,
    )


_MODE = 2
"""Where in a stamp type and mode stand."""


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    own = (status.st_dev, status.st_ino, status.st_mode, status.st_uid, status.st_gid)
    if stat.S_ISDIR(status.st_mode):  # what is in a folder is told by itself
        return own
    return (*own, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
