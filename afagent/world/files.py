"""What lies on the workstation: files, folders and links with owner, mode and time, packed as one tar archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

AGENT = 1000
"""User and group of the agent's account, `agent`, fixed in the workstation's image."""
ROOT = 0
ML_GROUP = 2000
"""The group `ml`: the agent is a member."""
DATA_GROUP = 2001
"""The group `data`: the agent is a member."""


@dataclass(frozen=True)
class File:
    """A file at an absolute path of the workstation."""

    path: str
    content: bytes
    modified: datetime
    owner: int = AGENT
    group: int = AGENT
    mode: int = 0o644


@dataclass(frozen=True)
class Folder:
    """A folder whose owner or mode matters. Others come into being with the files in them, owned by root."""

    path: str
    modified: datetime
    owner: int = AGENT
    group: int = AGENT
    mode: int = 0o755


@dataclass(frozen=True)
class Link:
    """A symbolic link; its target may be missing."""

    path: str
    target: str
    modified: datetime
    owner: int = AGENT
    group: int = AGENT


Item = File | Folder | Link


def text(
    path: str, content: str, modified: datetime, owner: int = AGENT, group: int = AGENT, mode: int = 0o644
) -> File:
    """A file of UTF-8 text."""
    return File(path, content.encode(), modified, owner, group, mode)


def pack(items: Iterable[Item]) -> bytes:
    """The items as an uncompressed tar archive: folders first, paths relative to `/`, the later of two equal paths.

    The same items give the same bytes.
    """
    by_path = {item.path: item for item in items}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for item in sorted([*by_path.values(), *_parents(by_path)], key=lambda item: PurePosixPath(item.path).parts):
            info = tarfile.TarInfo(item.path.lstrip("/"))
            info.uid, info.gid, info.mtime = item.owner, item.group, int(item.modified.timestamp())
            match item:
                case File():
                    info.size, info.mode = len(item.content), item.mode
                    archive.addfile(info, io.BytesIO(item.content))
                case Folder():
                    info.type, info.mode = tarfile.DIRTYPE, item.mode
                    archive.addfile(info)
                case Link():
                    info.type, info.linkname, info.mode = tarfile.SYMTYPE, item.target, 0o777
                    archive.addfile(info)
    return stream.getvalue()


def _parents(by_path: dict[str, Item]) -> list[Folder]:
    """The folders that nobody named, below the top-level ones (those are volumes), as old as what lies in them."""
    newest: dict[str, datetime] = {}
    for item in by_path.values():
        for parent in PurePosixPath(item.path).parents:
            if len(parent.parts) > 2 and str(parent) not in by_path:
                newest[str(parent)] = max(newest.get(str(parent), item.modified), item.modified)
    return [Folder(path, modified, ROOT, ROOT) for path, modified in newest.items()]
