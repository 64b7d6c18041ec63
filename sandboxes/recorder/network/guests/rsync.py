"""rsync, over SSH and as a daemon: the real one receives into an empty folder, which is then looked at and emptied."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .receipt import lay_out, take_in
from .talk import After, Client, Remembering, StreamClient, converse

if TYPE_CHECKING:
    from ..speaker import Call
    from ..visit import Visit
    from .house import GuestHouse

RSYNC = "/usr/bin/rsync"
MODULE = "data"
"""What every module of a daemon is called inside."""

OPEN = 0o777
"""A daemon that takes itself for root serves as nobody."""

MAX_WORDS = 200
MAX_PROTECTED = 65536
MAX_LINE = 1024

_CONFIGURATION = """\
use chroot = no
reverse lookup = no
log file = /dev/null
munge symlinks = yes
[data]
path = {path}
read only = no
refuse options = log-file* partial-dir backup-dir temp-dir compare-dest copy-dest link-dest
"""

_LETTERS = re.compile(r"-[vqxubnlLkKWHogDtpAXUNrcSRIydmhOiJz0]*(e[0-9]*\.[a-zA-Z]*)?\Z")
_PLAIN = frozenset(
    "--sender --delete --delete-before --delete-during --delete-delay --delete-after --delete-excluded --partial "
    "--inplace --append --numeric-ids --existing --ignore-existing --size-only --no-implied-dirs --recursive --dirs "
    "--links --compress --new-compress --old-compress --whole-file --no-whole-file --sparse --preallocate --fuzzy "
    "--force --no-r --no-W --no-i-r --no-inc-recursive --mkpath --delay-updates --backup --safe-links "
    "--copy-unsafe-links --open-noatime --fsync --omit-link-times --omit-dir-times --ignore-errors --checksum "
    "--list-only --no-relative --msgs2stderr --no-msgs2stderr --ignore-missing-args --delete-missing-args".split()
)
_VALUED = re.compile(
    r"--(compress-level|compress-choice|zl|zc|checksum-choice|checksum-seed|block-size|timeout|bwlimit|max-size|min-size"
    r"|modify-window|info|debug|log-format|out-format|max-delete|iconv|max-alloc|skip-compress|stop-after|suffix)"
    r"=[A-Za-z0-9%.,:+-]*\Z|-B[0-9]+\Z"
)
_WORD = re.compile(rb"[^\0\n]+")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}\Z")


@dataclass(frozen=True)
class Request:
    """What a client asks the other side's rsync for, as far as it is granted."""

    options: tuple[str, ...]
    paths: tuple[str, ...]
    sends: bool
    """Whether files are fetched, rather than brought."""
    further: bool = False
    """Whether the rest of the words comes on the stream (`--protect-args`)."""

    @property
    def target(self) -> str:
        """The path that files are brought to, as the client gave it."""
        return self.paths[-1] if self.paths else "."


def request_of(words: Sequence[str]) -> Request | None:
    """The request that a command line makes; None when it is none.

    Options come from a list of harmless ones. Those that name other files or programs are left out; the client does not
    need the other side to heed them.
    """
    if len(words) < 2 or len(words) > MAX_WORDS or words[0].rpartition("/")[2] != "rsync" or words[1] != "--server":
        return None
    return _read(words[2:])


def _read(words: Sequence[str]) -> Request:
    options: list[str] = []
    paths: list[str] = []
    further = False
    dot = words.index(".") if "." in words else len(words)
    for word in words[:dot]:
        letters = word if word.startswith("--") else word.replace("s", "", 1) if "s" in word.partition("e")[0] else word
        further = further or letters != word or word in ("--protect-args", "--secluded-args")
        if word in _PLAIN or _VALUED.match(word):
            options.append(word)
        elif not word.startswith("--") and len(letters) > 1 and _LETTERS.match(letters):
            options.append(letters)
    paths += words[dot + 1 :]
    return Request(tuple(options), tuple(paths), "--sender" in options, further)


def _own_name(path: str) -> str:
    """What a path is called in the guests' folder: its last part, where that is an ordinary name."""
    last = path.rstrip("/").rpartition("/")[2]
    if not _NAME.match(last):
        return "./"
    return f"{last}/" if path.endswith("/") else last


async def serve(visit: Visit, house: GuestHouse, request: Request, client: Client) -> int:
    """Serve a client over streams; gives the exit status.

    Raises:
        OSError: the client has gone, or brought too much.
    """
    if request.further:
        request, client = await _further(request, client)
    folder = house.new_folder()
    try:
        if request.sends:
            names = [lay_out(visit, house, folder, path) for path in request.paths]
            words = [RSYNC, "--server", *request.options, ".", *names]
            return await converse(house, words, folder, client)
        # What came is kept when the client breaks off: it is to be looked at.
        words = [RSYNC, "--server", *request.options, "--partial", ".", _own_name(request.target)]
        try:
            return await converse(house, words, folder, client)
        finally:
            await take_in(visit, house, folder, posixpath.dirname(request.target.rstrip("/")) or ".")
    finally:
        house.remove(folder)


async def _further(request: Request, client: Client) -> tuple[Request, Client]:
    """The rest of the words, which a client that protects them sends first: each ends with a NUL, all with one more."""
    got = b""
    while b"\0\0" not in got:
        data = await client.read()
        got += data
        if not data or len(got) > MAX_PROTECTED:
            raise OSError("no words came")
    text, _, rest = got.partition(b"\0\0")
    words = [os.fsdecode(word) for word in text.split(b"\0")]
    more = _read(words[1 : MAX_WORDS + 1])
    options = (*request.options, *(option for option in more.options if option not in request.options))
    return replace(more, options=options, sends=more.sends or request.sends, further=False), After(client, rest)


class RsyncDaemon:
    """Speaks rsync's own protocol (`rsync://`): the real daemon serves one connection, and every module is the same.

    What is on the wire is cut up and compressed in a manner of its own: it is counted, and the files are looked at.
    Where the daemon is not content with what came, that is looked at as it stands.

    Args:
        guide: makes the visit that a call is.
        house: where the daemon runs.
    """

    def __init__(self, guide: Callable[[Call], Visit], house: GuestHouse) -> None:
        self._guide = guide
        self._house = house

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        call.flow.protocol = "rsync"
        visit = self._guide(call)
        folder = self._house.new_folder()
        base = self._house.folder / folder
        try:
            (base / MODULE).mkdir()
            (base / MODULE).chmod(OPEN)
            inside = self._house.inside(folder)
            (base / "conf").write_text(_CONFIGURATION.format(path=f"{inside}/{MODULE}"))
            first = Remembering(StreamClient(call, look=False))
            client = _Renaming(first, base / MODULE, visit)
            words = [RSYNC, "--daemon", "--no-detach", f"--config={inside}/conf"]
            status = None
            try:
                status = await converse(self._house, words, folder, client)
            finally:
                if status != 0:
                    call.flow.look(first.said)
                await take_in(visit, self._house, f"{folder}/{MODULE}", f"/{client.module}")
        finally:
            self._house.remove(folder)


class _Renaming:
    """A client whose module, named on the second line, is called `MODULE` towards the daemon.

    The daemon greets first and must know its modules when it starts, so it cannot be told the name in time. Paths of
    the request, which follow, start with the client's name for the module: the folders that they name are made.
    """

    def __init__(self, client: Client, base: Path, visit: Visit) -> None:
        self._client = client
        self._base = base
        self._visit = visit
        self._lines = 0
        self._held = b""
        self._seen = 0
        self.module = ""
        self.write = client.write
        self.complain = client.complain

    async def read(self) -> bytes:
        data = await self._client.read()
        if self._lines == 2 or not data:
            self._make_way(data)
            return data
        self._held += data
        out = b""
        while self._lines < 2 and b"\n" in self._held:
            line, _, self._held = self._held.partition(b"\n")
            self._lines += 1
            out += (line if self._lines == 1 else self._rename(line)) + b"\n"
        if self._lines == 2 or len(self._held) > MAX_LINE:
            out, self._held, self._lines = out + self._held, b"", 2
            self._make_way(out)
        return out or await self.read()

    def _make_way(self, data: bytes) -> None:
        """Make the folders on the way to the paths that the client names, as far as it has not begun to send files."""
        if not self.module or self._seen > MAX_PROTECTED:
            return
        self._seen += len(data)
        for word in _WORD.findall(data):
            parts = [part for part in os.fsdecode(word).split("/") if part not in ("", ".", "..")]
            if parts and parts[0] == self.module:
                inside = parts[1:] if self.module == MODULE else parts
                with contextlib.suppress(OSError):
                    self._make_open(inside[:-1])

    def _make_open(self, parts: Sequence[str]) -> None:
        place = self._base
        for part in parts:
            place = place / part
            place.mkdir(exist_ok=True)
            place.chmod(OPEN)

    def _rename(self, line: bytes) -> bytes:
        self._visit.say(line)
        name = line.decode(errors="replace")
        if not _NAME.match(name):
            return line  # to list the modules, or nothing that could be one
        self.module = name
        return MODULE.encode()
