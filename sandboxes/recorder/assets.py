"""Watches the lab's systems while the agent works: every state of every asset is told, as soon as it is seen.

A thread of its own reads the kernel's events and looks at once. With each sign of life all assets are compared with
what is known, as a net below the events: for what is written through memory or by another name, for a folder further up
that was renamed, for events that were lost. What was changed and put back between two looks is told as `rewritten`: the
stamp of a file (`standing`) goes forward only. Nobody who watches the same files sees these looks (`held`); a folder is
listed again only once something in it has changed.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import defaultdict
from collections.abc import Iterator

from . import inotify
from .asset_facts import AssetFacts
from .events import BEAT_SECONDS, Fault
from .held import Held
from .inotify import FileEvent, Inotify
from .log import Log
from .plan import Asset
from .safe_open import NotRegularError
from .standing import ADDED, FOUND, MISSING, Standing, difference, stand
from .tree import Folder, list_folder

ENTRIES = 2000
"""Files and folders of one asset that are watched."""
TOO_MANY = f"more than {ENTRIES} files and folders: not all are watched"
MOST_LEVELS = 64
"""Folders deep, from the root, that are watched: the way to each is gone through at every look."""
AGAIN_BYTES = 1 << 20
"""Of one asset so much is read with each sign of life, even if no stamp says that anything happened: what is written
through memory is there before the kernel stamps it, or without."""
SETTLED_SECONDS = 0.1
"""The time of the last change of a folder tells of all changes once it is so old: the kernel's clock goes in steps."""
LAST_READS = 100
"""Of events at the end, 64 KiB each: a process that writes on and on must not keep the witness here."""

_TOUCHED = inotify.ATTRIB | inotify.CLOSE_WRITE
_SELF = inotify.MOVE_SELF | inotify.DELETE_SELF
_NAMES = inotify.MOVED_FROM | inotify.MOVED_TO | inotify.CREATE | inotify.DELETE
_MASK = inotify.MODIFY | _TOUCHED | _NAMES | _SELF
"""No reads: those of the witness itself would come back as events."""


class AssetWatch:
    """The states of assets.

    Args:
        root: where the workstation's shared places are mounted.
        assets: what to watch.
        log: where to record.
        group: of fanotify, by which files are read unnoticed.
    """

    def __init__(self, root: str, assets: tuple[Asset, ...], log: Log, group: int | None = None) -> None:
        self._root, self._log = root, log
        self._held = Held(root, group)
        self._known: dict[Asset, dict[str, Standing]] = {asset: {} for asset in assets}
        """What stands at the paths of each asset; nothing for a path where nothing does."""
        self._facts = AssetFacts(log.record)
        self._inotify = Inotify()
        self._folders: dict[int, str] = {}
        self._listed: dict[Asset, dict[str, tuple[int, ...]]] = {}
        """The stamps of an asset's folders when they were listed last; of one that was being changed none."""
        self._overfull: set[Asset] = set()
        """Folders with more in them than is watched; they are not listed again."""
        self._thread = threading.Thread(target=self._listen_guarded, name="assets", daemon=True)
        self._end = os.eventfd(0)
        """Readable once the episode is over."""

    def begin(self) -> None:
        """Record what stands there, and watch from now on."""
        for asset in self._known:
            for path in self._survey(asset):
                self._look(asset, path, how=FOUND)
        self._thread.start()

    def finish(self) -> None:
        """Stop watching, after one last comparison."""
        os.eventfd_write(self._end, 1)
        self._thread.join()
        for _ in range(LAST_READS):
            if not self._take(self._inotify.read()):
                break
        self._compare_all(trusting=False)
        self._facts.finish()
        self._inotify.close()
        self._held.close()
        os.close(self._end)

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _listen_guarded(self) -> None:
        try:
            self._listen()
        except Exception as problem:  # a thread that ends in silence would make all that follows look harmless
            self._log.record(Fault(where="state", what=f"{type(problem).__name__}: {problem}"[:500]))

    def _listen(self) -> None:
        news = select.poll()
        for fd in (self._inotify.fd, self._end):
            news.register(fd, select.POLLIN)
        due = time.monotonic() + BEAT_SECONDS
        while self._end not in dict(news.poll(max(0.0, due - time.monotonic()) * 1000)):
            self._take(self._inotify.read())
            if time.monotonic() >= due:
                self._compare_all()
                due = time.monotonic() + BEAT_SECONDS
            self._facts.flush()

    def _take(self, events: list[FileEvent]) -> bool:
        """Look at what events are about, once each. Gives whether there were any."""
        masks: dict[tuple[Asset, str], int] = defaultdict(int)
        unclear: dict[Asset, None] = {}
        for event in events:
            if event.mask & inotify.OVERFLOW:
                self._facts.limit("", "file events came too fast; what was put back at once may be missing")
            folder = self._folders.get(event.watch, "")
            if event.mask & inotify.IGNORED:
                self._folders.pop(event.watch, None)
            elif event.mask & (inotify.OVERFLOW | _SELF):
                unclear |= dict.fromkeys(self._known)
            else:
                path = f"{folder}/{event.name}" if event.name else folder
                for asset in self._assets_at(path):
                    if event.mask & inotify.IS_DIRECTORY:
                        unclear[asset] = None
                    else:
                        masks[asset, path] |= event.mask
        for (asset, path), mask in masks.items():
            self._look(asset, path, written=not mask & inotify.ATTRIB or bool(mask & ~_TOUCHED))
        for asset in unclear:
            self._compare(asset)
        return bool(events)

    def _assets_at(self, path: str) -> list[Asset]:
        return [asset for asset in self._known if path == asset.path or path.startswith(f"{asset.path}/")]

    # --- looking ------------------------------------------------------------------------------------------------------

    def _compare_all(self, *, trusting: bool = True) -> None:
        for asset in self._known:
            self._compare(asset, trusting=trusting)

    def _compare(self, asset: Asset, *, trusting: bool = True) -> None:
        """Look at all of an asset, and at what was known of it.

        Args:
            asset: the asset.
            trusting: what is beyond `AGAIN_BYTES` is not read again if its stamp is as it was, nor is a folder listed.
        """
        if not trusting:
            self._listed.pop(asset, None)
        inside, left = [*self._survey(asset)], AGAIN_BYTES
        for path in [*dict.fromkeys([*self._known[asset], *inside])]:  # what was there first is read first
            left -= self._known[asset].get(path, MISSING).size
            self._look(asset, path, trusting=trusting and left < 0)

    def _look(
        self, asset: Asset, path: str, *, how: str | None = None, written: bool | None = None, trusting: bool = False
    ) -> None:
        """Look at one path, and tell what is new; `how` where that needs no comparison."""
        known = self._known[asset]
        old = known.get(path, MISSING)
        try:
            new = stand(self._held, path, old if trusting else MISSING)
        except OSError as problem:
            self._facts.limit(path, f"cannot be read: {problem.strerror}")
            return
        if path != asset.path and (not new.stamp or new.is_folder):
            # A link lies on the way, of which the state of the folder tells; or a folder, of which what is in it does.
            new = MISSING
        how = how or difference(old, new, grows=asset.grows, written=written)
        if path not in known and new != MISSING and len(known) >= ENTRIES:
            self._facts.limit(asset.path, TOO_MANY)
            return
        if new == MISSING:
            known.pop(path, None)
        else:
            known[path] = new.bare()
        if how is not None:
            self._facts.say(asset, path, how, new, new.data[old.size :] if how == ADDED else b"")

    def _survey(self, asset: Asset) -> Iterator[str]:
        """The path of an asset and, of a folder in which something has changed, those of the files below it.

        All folders are watched first.
        """
        self._watch(asset.path.rpartition("/")[0])
        yield asset.path
        if asset in self._overfull or not self._stamp_of(asset.path) or self._is_as_listed(asset):
            return
        began, entries = time.time() - SETTLED_SECONDS, 0
        listed = self._listed[asset] = {}
        waiting = [asset.path]
        while waiting:
            folder = self._list(waiting.pop())
            if folder is None:
                continue
            entries += 1 + len(folder.others)
            if entries > ENTRIES:
                self._overfull.add(asset)
                self._facts.limit(asset.path, TOO_MANY)
                return
            listed[folder.path] = _stamp(folder.fd) if os.fstat(folder.fd).st_ctime < began else ()
            self._watch_open(folder.fd, folder.path)
            waiting += (f"{folder.path}/{name}" for name in folder.folders)
            yield from (f"{folder.path}/{name}" for name in folder.others)

    def _list(self, path: str) -> Folder | None:
        """What is in a folder, if there is one."""
        if path.count("/") > MOST_LEVELS:
            self._facts.limit(path, f"not watched: more than {MOST_LEVELS} folders deep")
            return None
        try:
            return list_folder(self._held.folder(path), path)
        except (FileNotFoundError, NotRegularError):  # by now
            return None
        except OSError as problem:
            self._facts.limit(path, f"not watched: {problem.strerror}")
            return None

    def _is_as_listed(self, asset: Asset) -> bool:
        listed = self._listed.get(asset)
        return bool(listed) and all(stamp and self._stamp_of(path) == stamp for path, stamp in (listed or {}).items())

    def _stamp_of(self, path: str) -> tuple[int, ...]:
        """The stamp of a folder; none where there is no folder."""
        try:
            return _stamp(self._held.folder(path))
        except OSError:
            return ()

    def _watch(self, path: str) -> None:
        try:
            self._watch_open(self._held.folder(path), path)
        except OSError:  # what stands, or does not, at the asset's own path tells it
            return

    def _watch_open(self, fd: int, path: str) -> None:
        try:
            self._folders[self._inotify.watch(f"/proc/self/fd/{fd}/.", _MASK)] = path
        except OSError as problem:
            self._facts.limit(path, f"not watched: {problem.strerror}")


def _stamp(folder: int) -> tuple[int, ...]:
    """What changes with everything that is done to the names in a folder."""
    status = os.fstat(folder)
    return status.st_dev, status.st_ino, status.st_ctime_ns
