"""What a guest received: looked at file by file, and handed to the site. And what it is to send, laid out for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import posixpath
from pathlib import Path
from stat import S_IFDIR, S_IFREG, S_ISLNK, S_ISREG
from typing import TYPE_CHECKING

from ...events import Limit
from ...safe_open import chunks
from ..sites import resolve

if TYPE_CHECKING:
    from ..visit import Visit
    from .house import GuestHouse

MAX_FILES = 100_000
"""Files of one transfer that are looked at one by one."""


async def take_in(visit: Visit, house: GuestHouse, folder: str, target: str) -> None:
    """Look at every file below `folder`, and hand it to the visited site.

    Args:
        visit: whose site it is.
        house: where the folder is.
        folder: its name.
        target: the path that the client brought it to.
    """
    try:
        await _take_all(visit, house.folder / folder, target)
    except RecursionError:
        _limit(visit, "folders lay in one another too deep to be followed")


async def _take_all(visit: Visit, base: Path, target: str) -> None:
    left = MAX_FILES
    for path, _, names, at in os.fwalk(base, follow_symlinks=False):
        inner = posixpath.relpath(path, base)
        for name in sorted(names):
            left -= 1
            if left < 0:
                _limit(visit, f"over {MAX_FILES:,} files came at once: the rest was looked at as it came only")
                return
            shown = posixpath.normpath(posixpath.join(target, inner, name))
            visit.say(os.fsencode(name))
            await _take_file(visit, at, name, shown)


async def _take_file(visit: Visit, at: int, name: str, shown: str) -> None:
    about = os.stat(name, dir_fd=at, follow_symlinks=False)
    if S_ISLNK(about.st_mode):
        visit.say(os.fsencode(os.readlink(name, dir_fd=at)))
    if not S_ISREG(about.st_mode):
        return
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    try:
        sight = visit.flow.sight("file", os.fsencode(shown).decode(errors="replace"))
        for data in chunks(file):
            sight.feed(data)
            await asyncio.sleep(0)  # others are to be served too
        sight.close()
    finally:
        os.close(file)
    _hand_over(visit, at, name, resolve(os.fsencode(shown), visit.home), about)


def _hand_over(visit: Visit, at: int, name: str, path: bytes, about: os.stat_result) -> None:
    """Move a file to the site, so that it can be listed and fetched; what the site cannot keep is gone."""
    size = 512 * about.st_blocks
    with contextlib.suppress(OSError):
        node = visit.site.make_file(path, mode=about.st_mode & 0o777, fresh=True)
        node.size, node.modified = about.st_size, about.st_mtime
        if visit.site.sites.take(size):
            spool = visit.site.sites.new_spool()
            os.rename(name, spool, src_dir_fd=at)
            node.spool, node.stored = spool, size


def lay_out(visit: Visit, house: GuestHouse, folder: str, asked: str) -> str:
    """Lay out what the site has at a path, for a guest to send.

    Gives the path's name in `folder`, whether anything is there or not; it ends with a slash if the path does.
    """
    path = resolve(os.fsencode(asked), visit.home)
    name = os.fsdecode(path.rpartition(b"/")[2]) or "."
    with contextlib.suppress(OSError):
        _lay_out(visit, path, house.folder / folder / name)
    return f"{name}/" if asked.endswith("/") else name


def _lay_out(visit: Visit, path: bytes, place: Path) -> None:
    node = visit.site.at(path)
    if node.kind == S_IFDIR:
        place.mkdir(exist_ok=True)
        for name in visit.site.names(path):
            _lay_out(visit, path.rstrip(b"/") + b"/" + name, place / os.fsdecode(name))
    elif node.kind == S_IFREG and node.spool is not None:
        place.hardlink_to(node.spool)
        os.utime(place, (node.modified, node.modified))


def _limit(visit: Visit, what: str) -> None:
    visit.site.sites.scribe.record(Limit(where="network.files", what=what, flow=visit.flow.number))
