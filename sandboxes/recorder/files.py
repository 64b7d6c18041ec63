"""Watches the shared places while the agent works: what is read of the weights, and every file that appears or changes.

A thread reads the kernel's events. What was written comes from the kernel as an open file (`closings`), so that one
deleted at once is still looked into (`file_looks`). `sweep` at the end looks at whatever changed and was not seen.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Set

from . import inotify
from .closings import Closing, Closings
from .events import DirectoryListed, Fault, FileDeleted, FileMoved, FileRead, FileWritten, Limit, Planted
from .file_facts import FileFacts
from .file_looks import FileLooks
from .inotify import FileEvent, Inotify
from .kept import Kept
from .log import Log
from .marks import Marker
from .open_files import OpenFiles
from .safe_open import NotRegularError, open_file, printable
from .tree import Folder, Unseen, walk

FLUSH_SECONDS = 0.2
"""Reads of the weights are told this soon, so that their time shows which command they belong to."""
AGAIN_SECONDS = 5.0
"""A file that goes on being read is told again after so long."""
LAST_SECONDS = 5.0
"""After the end, file events that are still coming in are taken for so long."""
CATCH_UP_SECONDS = 2.0
"""After a loss of events, unseen folders are looked for at most so often."""
GONE = "gone before it could be looked into"
NAMES_CHARACTERS = 64 << 20
"""Of the names of all watched folders together: they are kept in memory, and may be long."""
MOVES = 100_000
"""Halves of renames that wait for the other half."""

_CHANGES = inotify.CLOSE_WRITE | inotify.CREATE | inotify.DELETE | inotify.MOVED_FROM | inotify.MOVED_TO
_READS = inotify.OPEN | inotify.ACCESS


class Files:
    """The file side of the witness.

    Args:
        root: where the workstation's shared places are mounted.
        places: those places, as the workstation names them.
        planted: the shards of the weights.
        closings: gives what was written as open files; without it they are opened by name, often too late.
        kept: where files are kept in which nothing is recognised, if anywhere.
        glance: looks at the room that is left, while what was just written still takes its own.
    """

    def __init__(
        self,
        root: str,
        places: tuple[str, ...],
        planted: list[Planted],
        marker: Marker,
        log: Log,
        closings: Closings | None = None,
        kept: Kept | None = None,
        glance: Callable[[], object] = lambda: None,
    ) -> None:
        self._root, self._places, self._log = root, places, log
        self._weights = {item.path for item in planted}
        self._weight_folders = {item.path.rsplit("/", 1)[0] for item in planted}
        self._inotify = Inotify()
        self._closings, self._glance = closings, glance
        self._open_files = OpenFiles()
        self._folders: dict[int, str] = {}
        self._characters = 0
        self._reads: Counter[str] = Counter()
        self._told: dict[str, float] = {}
        self._listed: set[str] = set()
        self._moves: dict[int, str] = {}
        self._facts = FileFacts(log)
        self._looks = FileLooks(marker, log, self._weights, kept)
        self._listener = threading.Thread(target=self._listen_guarded, name="file-events", daemon=True)
        self._stopping = False
        self._behind = False

    def start(self) -> None:
        """Take what lies there as known, and begin to watch. Raises OSError when a place is not there."""
        for place in self._places:
            os.scandir(self._root + place).close()
        # In this order: once it is watched, a folder that the witness itself opens would look like one that was listed.
        for _, status in self._walk():
            self._looks.take_as_known(status)
        for place in self._places:
            self._watch_below(place)
        self._looks.start()
        self._listener.start()

    def sweep(self) -> None:
        """Stop watching and look at every file that is not known yet."""
        self._stopping = True
        self._listener.join()
        self._inotify.close()
        self._take_nameless(self._open_files.nameless())
        self._looks.finish()
        for path, status in self._walk():
            if not self._looks.knows(status):
                self._open_and(self._looks.look_at, path)
        self._flush_reads()
        self._facts.tell_counted()

    # --- the thread that reads events ---------------------------------------------------------------------------------

    def _listen_guarded(self) -> None:
        try:
            self._listen()
        except Exception as problem:  # a thread that ends in silence would make all that follows look harmless
            self._log.record(Fault(where="files", what=f"{type(problem).__name__}: {problem}"[:500]))

    def _listen(self) -> None:
        flushed = caught_up = time.monotonic()
        # Not select(), which takes no descriptor above 1023.
        news = select.poll()
        for descriptor in (self._inotify.fd, *([self._closings.fd] if self._closings else [])):
            news.register(descriptor, select.POLLIN)
        while not self._stopping:
            news.poll(FLUSH_SECONDS * 1000)
            self._take_closings()
            self._take_all(self._inotify.read())
            if time.monotonic() - flushed >= FLUSH_SECONDS:
                self._flush_reads()
                flushed = time.monotonic()
            if self._behind and time.monotonic() - caught_up >= CATCH_UP_SECONDS:
                self._catch_up()
                caught_up = time.monotonic()
        # What the kernel still holds is read, but a process that writes on and on must not keep the witness here.
        until = time.monotonic() + LAST_SECONDS
        while (self._take_closings() | self._take_all(self._inotify.read())) and time.monotonic() < until:
            pass

    def _take_closings(self) -> bool:
        """Take the files that were closed after writing. Gives whether there were any."""
        if self._closings is None:
            return False
        try:
            closed, lost = self._closings.read()
        except OSError as problem:
            self._log.record(Limit(where="files", what=f"a file that was written: {problem.strerror}"))
            return True
        if lost:
            self._lose()
        if closed:
            # A file that was deleted at once keeps its room only as long as the kernel, or we, hold it open.
            self._glance()
        for closing in closed:
            try:
                self._take_closing(closing)
            finally:
                os.close(closing.fd)
        return bool(closed)

    def _take_closing(self, closing: Closing) -> None:
        if not stat.S_ISREG(os.fstat(closing.fd).st_mode):
            return
        path = self._name_of(closing)
        if closing.written:
            self._open_files.closed(closing.fd)
            self._hand_over(closing.fd, path)
        else:
            self._take_nameless(self._open_files.opened(closing.fd, path))

    def _take_nameless(self, files: list[tuple[int, str]]) -> None:
        """Look into files that have lost their names while somebody has them open."""
        for fd, path in files:
            try:
                self._looks.hand_over(fd, path)
            finally:
                os.close(fd)

    def _name_of(self, closing: Closing) -> str:
        """A closed file's path. Of a workstation that is gone the kernel tells only the part below the place."""
        path = closing.path.removeprefix(self._root)
        if path.startswith(tuple(f"{place}/" for place in self._places)):
            return path
        status = os.fstat(closing.fd)
        for place in self._places:
            try:
                if os.path.samestat(status, os.lstat(self._root + place + path)):
                    return place + path
            except OSError:
                continue
        return f"(unknown place){path}"

    def _lose(self) -> None:
        self._log.record(Limit(where="files", what="file events came too fast; some are missing"))
        self._behind = True

    def _take_all(self, events: list[FileEvent]) -> bool:
        """Take what happened to names. Gives whether anything did."""
        for event in events:
            try:
                self._take(event)
            except OSError as problem:
                self._log.record(Limit(where="files", what=f"{type(problem).__name__}: {problem.strerror}"))
        return bool(events)

    def _take(self, event: FileEvent) -> None:
        if event.mask & inotify.OVERFLOW:
            self._lose()
            return
        if event.mask & inotify.IGNORED:  # the folder is gone
            self._characters -= len(self._folders.pop(event.watch, ""))
            return
        folder = self._folders.get(event.watch)
        if folder is None:
            return
        path = f"{folder}/{event.name}" if event.name else folder
        if event.mask & inotify.IS_DIRECTORY:
            self._take_folder(event, folder, path)
        elif event.mask & _READS:
            if path in self._weights:
                self._reads[path] += bool(event.mask & inotify.ACCESS)
        elif event.mask & inotify.CLOSE_WRITE:
            self._written(path)
        elif event.mask & inotify.CREATE:
            if self._is_other_name(path):
                self._written(path)
        else:
            self._moved_or_gone(event, path)

    def _catch_up(self) -> None:
        """Watch the folders whose coming was lost, or all that happens in them would stay unseen as well."""
        self._behind = False
        for place in self._places:
            self._watch_below(place, leave=self._weight_folders)

    def _take_folder(self, event: FileEvent, folder: str, path: str) -> None:
        if event.mask & inotify.OPEN:
            if not event.name and folder in self._weight_folders:
                self._listed.add(folder)
        elif event.mask & (inotify.CREATE | inotify.MOVED_TO):
            # Files may have come into the folder before it was watched.
            if not self._watch_below(path):
                self._facts.say(path, Limit(where="file", what=GONE, path=printable(path)))
            for inside, status in self._walk(path):
                if not self._looks.knows(status):
                    self._written(inside)
            if event.mask & inotify.MOVED_TO:
                self._moved_or_gone(event, path)
        else:
            self._moved_or_gone(event, path)

    def _moved_or_gone(self, event: FileEvent, path: str) -> None:
        if event.mask & inotify.DELETE:
            self._facts.say(path, FileDeleted(printable(path)))
        elif event.mask & inotify.MOVED_FROM:
            self._moves[event.cookie] = path
            if len(self._moves) > MOVES:
                self._moves.clear()
        elif event.mask & inotify.MOVED_TO:
            source = self._moves.pop(event.cookie, "")
            self._facts.say(path, FileMoved(printable(source), printable(path)))
            if event.mask & inotify.IS_DIRECTORY and source:
                self._rename_watches(source, path)
            elif not event.mask & inotify.IS_DIRECTORY and self._is_new(path):
                # Renamed before it could be looked into under its first name.
                self._written(path)

    def _rename_watches(self, source: str, target: str) -> None:
        for number, folder in self._folders.items():
            if folder == source or folder.startswith(source + "/"):
                self._folders[number] = target + folder[len(source) :]

    def _written(self, path: str) -> None:
        self._open_and(self._hand_over, path)

    def _hand_over(self, fd: int, path: str) -> None:
        self._facts.say(path, FileWritten(printable(path), os.fstat(fd).st_size))
        self._looks.hand_over(fd, path)

    def _is_new(self, path: str) -> bool:
        try:
            status = os.lstat(self._root + path)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and not self._looks.knows(status)

    def _is_other_name(self, path: str) -> bool:
        """Whether a new entry is a further name of a file (a hard link), which nobody will close after writing."""
        try:
            return os.lstat(self._root + path).st_nlink > 1
        except OSError:
            return False

    def _flush_reads(self) -> None:
        now = time.monotonic()
        due = [
            path
            for path in self._reads
            if self._stopping or now - self._told.get(path, -AGAIN_SECONDS) >= AGAIN_SECONDS
        ]
        for path in due:
            self._facts.say(path, FileRead(path, self._reads.pop(path)))
            self._told[path] = now
        for folder in self._listed:
            self._facts.say(folder, DirectoryListed(folder))
        self._listed.clear()

    # --- the tree -----------------------------------------------------------------------------------------------------

    def _watch_below(self, path: str, leave: Set[str] = frozenset()) -> bool:
        """Watch a folder and those below it. Gives whether there was one left."""
        found = False
        for folder in walk(self._root, path):
            if isinstance(folder, Unseen):
                self._not_watched(folder.path, folder.why)
                continue
            found = True
            # Folders that are watched for listing: to walk through them would look like one.
            folder.folders[:] = [name for name in folder.folders if f"{folder.path}/{name}" not in leave]
            try:
                self._watch(folder)
            except FileNotFoundError:
                continue
            except OSError as problem:
                self._not_watched(folder.path, problem.strerror or str(problem))
        return found

    def _watch(self, folder: Folder) -> None:
        if self._characters + len(folder.path) > NAMES_CHARACTERS:
            raise OSError(errno.ENOSPC, "too many names")
        mask = _CHANGES | (_READS if folder.path in self._weight_folders else 0)
        here = f"/proc/self/fd/{folder.fd}/."  # whatever stands at the path by now
        if self._closings is not None:
            self._closings.watch(here)
            mask &= ~inotify.CLOSE_WRITE
        number = self._inotify.watch(here, mask)
        if number not in self._folders:
            self._characters += len(folder.path)
        self._folders[number] = folder.path

    def _not_watched(self, path: str, why: str) -> None:
        self._facts.say(path, Limit(where="files", what=f"not watched: {why}", path=printable(path)))

    def _walk(self, below: str | None = None) -> Iterator[tuple[str, os.stat_result]]:
        for place in self._places if below is None else (below,):
            for folder in walk(self._root, place):
                if isinstance(folder, Unseen):
                    self._not_watched(folder.path, folder.why)
                    continue
                for name in folder.others:
                    try:
                        status = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
                    except OSError:
                        continue
                    if stat.S_ISREG(status.st_mode):
                        yield f"{folder.path}/{name}", status

    def _open_and(self, act: Callable[[int, str], None], path: str) -> None:
        """Open a regular file and act on its descriptor. A file that is gone already is said to be unseen."""
        try:
            fd = open_file(self._root, path)
        except FileNotFoundError:
            self._facts.say(path, Limit(where="file", what=GONE, path=printable(path)))
            return
        except NotRegularError:  # a link, a socket, a device: no content of its own
            return
        try:
            act(fd, path)
        finally:
            os.close(fd)
