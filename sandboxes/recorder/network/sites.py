"""What the world's hosts were given to keep: files by site, so that what was uploaded can be listed and fetched back.

Names never touch the disk: a site's tree is kept in memory, and each file's bytes lie in a spool file with a number.
Bytes may come at any offset and in any order; what comes in order is looked at as it comes, anything else when the
file is closed, whole.
"""

from __future__ import annotations

import asyncio
import errno
import os
import posixpath
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_IFDIR, S_IFLNK, S_IFREG
from typing import TYPE_CHECKING

from ..events import Limit
from ..safe_open import chunks

if TYPE_CHECKING:
    from .flow import Flow
    from .sight import Scribe, Sight

KEPT_BYTES = 2 << 30
"""Of all sites together on the witness's disk; what is beyond is looked at as it comes, and not kept."""

MAX_NODES = 20_000
"""Files, folders and links of all sites together."""

MAX_SITES = 5_000
MAX_PATH = 4096

AGAIN_FREE, AGAIN_RATIO = 256 << 20, 8
"""Bytes that are read back to be looked at whole: so many, and so many times what was written."""

_STANDING = (b"/", b"/home", b"/root", b"/tmp", b"/var", b"/var/tmp", b"/srv", b"/data", b"/mnt", b"/opt", b"/backup")


@dataclass
class Node:
    """A file, folder or link of a site."""

    kind: int
    """`S_IFREG`, `S_IFDIR` or `S_IFLNK`."""
    mode: int
    modified: float
    size: int = 0
    spool: Path | None = None
    """Where a file's bytes lie; None when it is empty, or they were not kept."""
    stored: int = 0
    """Bytes of the spool's allowance that it takes."""
    target: bytes = b""
    """Of a link."""


class Sites:
    """All sites of an episode.

    Args:
        scribe: where limits are recorded.
        kept_bytes: see `KEPT_BYTES`.
    """

    def __init__(self, scribe: Scribe, kept_bytes: int = KEPT_BYTES) -> None:
        self.scribe = scribe
        self.nodes = 0
        self._left = kept_bytes
        self._again = AGAIN_FREE
        self._folder = Path(tempfile.mkdtemp(prefix="sites-"))
        self._sites: dict[str, Site] = {}
        self._spools = 0

    def of(self, name: str) -> Site:
        """The site with this name or address."""
        if name not in self._sites and len(self._sites) >= MAX_SITES:
            name = ""  # those that come later share one
        site = self._sites.get(name)
        if site is None:
            site = self._sites[name] = Site(self)
        return site

    def new_spool(self) -> Path:
        """A name for one more spool file."""
        self._spools += 1
        return self._folder / str(self._spools)

    def take(self, size: int) -> bool:
        """Whether `size` more bytes may be kept; they are then."""
        if size > self._left:
            return False
        self._left -= size
        self._again += AGAIN_RATIO * size
        return True

    def give_back(self, size: int) -> None:
        """Bytes are kept no more."""
        self._left += size

    def take_again(self, size: int) -> bool:
        """Whether `size` bytes may be read back; they are then."""
        if size > self._again:
            return False
        self._again -= size
        return True

    def close(self) -> None:
        """Forget everything."""
        shutil.rmtree(self._folder, ignore_errors=True)


class Site:
    """One host's files. Paths are absolute, as `resolve` gives them; all raise OSError as a file system does."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self._nodes: dict[bytes, Node] = {path: _folder_node() for path in _STANDING}

    def at(self, path: bytes) -> Node:
        """What stands at a path."""
        node = self._nodes.get(path)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        return node

    def names(self, path: bytes) -> list[bytes]:
        """What a folder holds, sorted."""
        if self.at(path).kind != S_IFDIR:
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory")
        below = path.rstrip(b"/") + b"/"
        return sorted(
            each[len(below) :]
            for each in self._nodes
            if each.startswith(below) and each != b"/" and b"/" not in each[len(below) :]
        )

    def make_folder(self, path: bytes, mode: int = 0o755) -> None:
        """A new folder; those on the way to it are made too."""
        if path in self._nodes:
            raise FileExistsError(errno.EEXIST, "File exists")
        self._enter(path, Node(S_IFDIR, mode, time.time()))

    def make_link(self, path: bytes, target: bytes) -> None:
        """A symbolic link; nothing ever follows it."""
        if path in self._nodes:
            raise FileExistsError(errno.EEXIST, "File exists")
        self._enter(path, Node(S_IFLNK, 0o777, time.time(), len(target), target=target[:MAX_PATH]))

    def make_file(self, path: bytes, *, mode: int = 0o644, fresh: bool = False) -> Node:
        """The file at a path, made where there is none; `fresh` empties it."""
        node = self._nodes.get(path)
        if node is None:
            node = Node(S_IFREG, mode, time.time())
            self._enter(path, node)
        elif node.kind != S_IFREG:
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        elif fresh:
            self._empty(node)
        return node

    def remove(self, path: bytes, *, folder: bool = False) -> None:
        """Take away a file or link, or an empty folder."""
        node = self.at(path)
        if folder != (node.kind == S_IFDIR):
            raise OSError(errno.ENOTDIR if folder else errno.EISDIR, "Wrong kind")
        if folder and self.names(path):
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        self._empty(node)
        del self._nodes[path]
        self.sites.nodes -= 1

    def rename(self, old: bytes, new: bytes) -> None:
        """Move a file or folder, with all below it, in place of whatever file stands there."""
        self.at(old)
        if new.startswith(old + b"/"):
            raise OSError(errno.EINVAL, "Invalid argument")
        if new in self._nodes and new != old:
            self.remove(new, folder=self._nodes[new].kind == S_IFDIR)
        self._parents(new)
        for path in [path for path in self._nodes if path == old or path.startswith(old + b"/")]:
            self._nodes[new + path[len(old) :]] = self._nodes.pop(path)

    def _enter(self, path: bytes, node: Node) -> None:
        if len(path) > MAX_PATH:
            raise OSError(errno.ENAMETOOLONG, "File name too long")
        self._parents(path)
        if self.sites.nodes >= MAX_NODES:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.sites.nodes += 1
        self._nodes[path] = node

    def _parents(self, path: bytes) -> None:
        """Folders on the way are there: an unknown host's are unknown, and an upload is to find its place."""
        parent = posixpath.dirname(path)
        standing = self._nodes.get(parent)
        if standing is None:
            self._enter(parent, _folder_node())
        elif standing.kind != S_IFDIR:
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory")

    def _empty(self, node: Node) -> None:
        self.sites.give_back(node.stored)
        node.size = node.stored = 0
        if node.spool is not None:
            node.spool.unlink(missing_ok=True)
            node.spool = None


def resolve(path: bytes, home: bytes) -> bytes:
    """A client's path as an absolute one; what is relative is so to `home`."""
    if path == b"~" or path.startswith(b"~/"):
        path = path[2:]
    whole = posixpath.normpath(posixpath.join(home, path))
    return b"/" + whole.lstrip(b"/")


def _folder_node() -> Node:
    return Node(S_IFDIR, 0o755, time.time() // 86_400 * 86_400 - 40 * 86_400)


@dataclass
class Intake:
    """A site's file while it is open: written and read at any offset.

    Without a flow nothing is looked at: whoever writes has looked already.
    """

    site: Site
    node: Node
    flow: Flow | None
    target: str
    """What its content is recorded under."""
    taken: int = 0
    """Bytes written so far."""
    _next: int = 0
    _torn: bool = False
    """Whether bytes came out of order, or behind others that were there before."""
    _lost: bool = False
    _sight: Sight | None = None
    _file: int = field(default=-1)

    def write(self, offset: int, data: bytes) -> None:
        """Take bytes. Raises OSError when the offset is beyond what a file can hold."""
        self.taken += len(data)
        self._torn = self._torn or offset != self._next
        self._next = offset + len(data)
        if self.flow is not None and not self._torn:
            if self._sight is None:
                self._sight = self.flow.sight("file", self.target)
            self._sight.feed(data)
        self.node.modified = time.time()
        self._keep(offset, data)
        self.node.size = max(self.node.size, offset + len(data))

    def append(self, data: bytes) -> None:
        """Take bytes that go to the file's end."""
        self.write(self.node.size, data)

    def truncate(self, size: int) -> None:
        """Cut or lengthen the file."""
        if self.node.spool is not None:
            os.truncate(self.node.spool, min(size, self.node.size))
        self.node.size = size

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file; what was not kept reads as zeros."""
        size = max(0, min(size, self.node.size - offset))
        data = b"" if self.node.spool is None else os.pread(self._open(), size, offset)
        return data.ljust(size, b"\0")

    async def close(self) -> None:
        """Nothing more comes: look at what was not looked at yet."""
        try:
            if self._sight is not None:
                self._sight.close()
            if self._torn and self.flow is not None:
                await self._look_again(self.flow)
        finally:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    async def _look_again(self, flow: Flow) -> None:
        sites = self.site.sites
        if self._lost or not sites.take_again(self.node.stored):
            what = f"{self.target[:200]} was not written in one go, and was too large to be looked at whole"
            sites.scribe.record(Limit(where="network.files", what=what, flow=flow.number))
            return
        sight = flow.sight("file", self.target)
        for data in self._content():
            sight.feed(data)
            await asyncio.sleep(0)
        sight.close()

    def _content(self) -> Iterator[bytes]:
        if self.node.spool is not None:
            yield from chunks(self._open())

    def _keep(self, offset: int, data: bytes) -> None:
        if self._lost or not self.site.sites.take(len(data)):
            self._lost = True
            return
        if self.node.spool is None:
            self.node.spool = self.site.sites.new_spool()
        os.pwrite(self._open(), data, offset)
        self.node.stored += len(data)

    def _open(self) -> int:
        if self._file < 0:
            assert self.node.spool is not None
            self._file = os.open(self.node.spool, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file
