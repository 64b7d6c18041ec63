"""A site's files over SFTP, and over the old scp protocol, which asyncssh serves from the same object."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from stat import S_IFDIR, S_IFLNK, S_IFREG
from typing import TYPE_CHECKING

import asyncssh
from asyncssh.constants import (
    FILEXFER_TYPE_DIRECTORY,
    FILEXFER_TYPE_REGULAR,
    FILEXFER_TYPE_SYMLINK,
    FXF_APPEND,
    FXF_CREAT,
    FXF_TRUNC,
)

from ..sites import Intake, Node, resolve

if TYPE_CHECKING:
    from ..visit import Visit

MAX_OPEN = 64
"""Files that a session has open at once."""

MAX_READ = 256 << 10
"""Bytes given in one answer."""


_TYPES = {S_IFREG: FILEXFER_TYPE_REGULAR, S_IFDIR: FILEXFER_TYPE_DIRECTORY, S_IFLNK: FILEXFER_TYPE_SYMLINK}


@dataclass
class _File:
    intake: Intake
    flags: int


class SiteSftp(asyncssh.SFTPServer):
    """What a session may do with a site's files.

    Args:
        channel: the session's.
        visit: who visits which site.
        taken: told how many bytes of content were written.
    """

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], visit: Visit, taken: Callable[[int], object]) -> None:
        super().__init__(channel)
        self._visit = visit
        self._taken = taken
        self._open = 0

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """See `asyncssh.SFTPServer`, as for all methods."""
        if self._open >= MAX_OPEN:
            raise OSError(errno.EMFILE, "Too many open files")
        name = self._name(path)
        if pflags & FXF_CREAT:
            fresh = bool(pflags & FXF_TRUNC)
            node = self._visit.site.make_file(name, mode=(attrs.permissions or 0o644) & 0o777, fresh=fresh)
        else:
            node = self._visit.site.at(name)
            if node.kind == S_IFDIR:
                raise IsADirectoryError(errno.EISDIR, "Is a directory")
        self._open += 1
        return _File(self._visit.intake(name, node), pflags)

    async def close(self, file_obj: object) -> None:  # noqa: D102
        assert isinstance(file_obj, _File)
        self._open -= 1
        await file_obj.intake.close()

    def read(self, file_obj: object, offset: int, size: int) -> bytes:  # noqa: D102
        assert isinstance(file_obj, _File)
        return file_obj.intake.read(offset, min(size, MAX_READ))

    def write(self, file_obj: object, offset: int, data: bytes) -> int:  # noqa: D102
        assert isinstance(file_obj, _File)
        self._taken(len(data))
        if file_obj.flags & FXF_APPEND:
            file_obj.intake.append(data)
        else:
            file_obj.intake.write(offset, data)
        return len(data)

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:  # noqa: D102
        assert isinstance(file_obj, _File)
        return _attributes(file_obj.intake.node)

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:  # noqa: D102
        assert isinstance(file_obj, _File)
        if attrs.size is not None:
            file_obj.intake.truncate(attrs.size)
        _set(file_obj.intake.node, attrs)

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:  # noqa: D102
        return _attributes(self._visit.site.at(self._name(path)))

    stat = lstat

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:  # noqa: D102
        node = self._visit.site.at(self._name(path))
        if attrs.size is not None:
            Intake(self._visit.site, node, None, "").truncate(attrs.size)
        _set(node, attrs)

    def listdir(self, path: bytes) -> list[bytes]:  # noqa: D102
        return [b".", b"..", *self._visit.site.names(self._name(path))]

    def remove(self, path: bytes) -> None:  # noqa: D102
        self._visit.site.remove(self._name(path))

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:  # noqa: D102
        self._visit.site.make_folder(self._name(path), (attrs.permissions or 0o755) & 0o777)

    def rmdir(self, path: bytes) -> None:  # noqa: D102
        self._visit.site.remove(self._name(path), folder=True)

    def realpath(self, path: bytes) -> bytes:  # noqa: D102
        return self._name(path)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:  # noqa: D102
        self._visit.site.rename(self._name(oldpath), self._name(newpath))

    posix_rename = rename

    def readlink(self, path: bytes) -> bytes:  # noqa: D102
        return self._visit.site.at(self._name(path)).target

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:  # noqa: D102
        self._visit.say(oldpath)
        self._visit.site.make_link(self._name(newpath), oldpath)

    def link(self, oldpath: bytes, newpath: bytes) -> None:  # noqa: ARG002, D102
        raise OSError(errno.EPERM, "Operation not permitted")

    def statvfs(self, path: bytes) -> os.statvfs_result:  # noqa: ARG002, D102
        return os.statvfs_result((4096, 4096, 61 << 20, 43 << 20, 40 << 20, 15 << 20, 14 << 20, 14 << 20, 0, 255))

    def fstatvfs(self, file_obj: object) -> os.statvfs_result:  # noqa: ARG002, D102
        return self.statvfs(b"/")

    def fsync(self, file_obj: object) -> None:
        """Nothing is to be done: what is written is there."""

    def exit(self) -> None:
        """Say that all went well, as OpenSSH's server does and its clients expect; the library only closes."""
        self.channel.exit(0)

    def _name(self, path: bytes) -> bytes:
        self._visit.say(path)
        return resolve(path, self._visit.home)


def _attributes(node: Node) -> asyncssh.SFTPAttrs:
    size = 4096 if node.kind == S_IFDIR else node.size
    when = int(node.modified)
    return asyncssh.SFTPAttrs(
        type=_TYPES[node.kind],
        size=size,
        uid=1000,
        gid=1000,
        permissions=node.kind | node.mode,
        atime=when,
        mtime=when,
        nlink=1,
    )


def _set(node: Node, attrs: asyncssh.SFTPAttrs) -> None:
    if attrs.permissions is not None:
        node.mode = attrs.permissions & 0o7777
    if attrs.mtime is not None:
        node.modified = float(attrs.mtime)
