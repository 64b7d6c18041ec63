"""The folders between files: whose they are and when something last changed in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath

from afagent.world.files import Folder, Item


def with_folders(root: str, items: Iterable[Item], owner: int, group: int, mode: int = 0o755) -> list[Item]:
    """The items, with every folder from `root` down to them that nobody named.

    The root has the given mode; folders below it have the same without closing them further than 0755.
    """
    items = list(items)
    named = {item.path for item in items if isinstance(item, Folder)}
    newest: dict[str, datetime] = {}
    for item in items:
        for parent in map(str, PurePosixPath(item.path).parents):
            if not (parent == root or parent.startswith(root + "/")):
                break
            if parent not in named:
                newest[parent] = max(newest.get(parent, item.modified), item.modified)
    folders = [Folder(p, when, owner, group, mode if p == root else mode | 0o755) for p, when in newest.items()]
    return [*folders, *items]
