"""git over SSH and by its own protocol: the real one keeps each repository, and each object that it got is looked at.

A pack travels as it is, so most of it is readable in the stream already; but objects may be differences to others, and
what belongs together may lie apart. So what was pushed is unpacked by git and looked at once more.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...events import Limit
from .house import MAX_FILE_BYTES
from .talk import After, Client, StreamClient, converse

if TYPE_CHECKING:
    from ..sight import Sight
    from ..speaker import Call
    from ..visit import Visit
    from .house import GuestHouse

GIT = "/usr/bin/git"
MAX_REPOSITORIES = 200
LARGE_BYTES = 4096
"""An object of this size is looked at by itself; smaller ones one after another."""

SERVICES = ("git-receive-pack", "git-upload-pack")

_SETTINGS = {
    "core.bigFileThreshold": "1m",
    "core.hooksPath": "/dev/null",
    "gc.auto": "0",
    "http.receivepack": "true",
    "pack.threads": "1",
    "receive.autogc": "false",
    "receive.denyCurrentBranch": "ignore",
    "receive.maxInputSize": str(MAX_FILE_BYTES),
    "receive.unpackLimit": "1",  # whatever is pushed stays a pack: what is new is what lies in new packs
    "safe.directory": "*",
    "uploadpack.allowFilter": "true",
}
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": str(len(_SETTINGS)),
    **{f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(_SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(_SETTINGS.values())},
}
_VERSION = re.compile(r"version=[0-2]\Z")
_REQUEST = re.compile(rb"[0-9a-f]{4}")


@dataclass(frozen=True)
class Request:
    """What a client asks for."""

    service: str
    """Of `SERVICES`."""
    path: str
    version: str = ""
    """As in the variable `GIT_PROTOCOL`."""


def request_of(words: Sequence[str], protocol: str = "") -> Request | None:
    """The request that a command line makes; None when it is none."""
    if words[:1] == ["git"] and len(words) > 1:
        words = [f"git-{words[1]}", *words[2:]]
    if len(words) < 2 or words[0] not in SERVICES:
        return None
    return Request(words[0], words[-1], protocol if _VERSION.match(protocol) else "")


def request_in(line: bytes) -> Request | None:
    """The request of the first line of git's own protocol, without its length; None when it is none."""
    command, *extra = line.split(b"\0")
    service, _, path = command.strip().decode(errors="replace").partition(" ")
    if service not in SERVICES:
        return None
    versions = [text for text in (word.decode(errors="replace") for word in extra) if _VERSION.match(text)]
    return Request(service, path, versions[0] if versions else "")


class Repositories:
    """The repositories of all sites: each comes into being when it is first asked for.

    Args:
        house: where they are kept.
    """

    def __init__(self, house: GuestHouse) -> None:
        self.house = house
        self._folders: dict[tuple[str, str], asyncio.Future[str]] = {}
        self._busy: dict[str, asyncio.Lock] = {}

    async def serve(self, visit: Visit, request: Request, client: Client) -> int:
        """Serve a client; gives the exit status. Raises OSError as `converse` does."""
        words = [GIT, request.service.removeprefix("git-"), "."]
        environment = {**ENVIRONMENT, "GIT_PROTOCOL": request.version}

        def work(folder: str) -> Awaitable[int]:
            return converse(self.house, words, folder, client, environment)

        return await self.visit(visit, request.path, work)

    async def visit(self, visit: Visit, path: str, work: Callable[[str], Awaitable[int]]) -> int:
        """Do something in a repository, then look at what is new in it.

        Args:
            visit: whose site it is.
            path: the repository's, as the client gave it.
            work: gets the folder, gives an exit status.
        """
        visit.say(path.encode(errors="replace"))
        folder = await self._folder(visit.name, path)
        async with self._busy.setdefault(folder, asyncio.Lock()):
            before = self._packs(folder)
            try:
                return await work(folder)
            finally:
                for pack in sorted(self._packs(folder) - before):
                    await self._look(visit, folder, pack, path)

    async def _folder(self, site: str, path: str) -> str:
        key = (site, path.strip("/").removesuffix(".git"))
        if key not in self._folders:
            if len(self._folders) >= MAX_REPOSITORIES:
                raise OSError("too many repositories")
            self._folders[key] = asyncio.ensure_future(self._make())
        return await asyncio.shield(self._folders[key])

    async def _make(self) -> str:
        folder = self.house.new_folder()
        words = [GIT, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", "."]
        if await converse(self.house, words, folder, _Supply(b""), ENVIRONMENT):
            raise OSError("no repository could be made")
        return folder

    def _packs(self, folder: str) -> set[Path]:
        return set((self.house.folder / folder / "objects" / "pack").glob("*.idx"))

    async def _look(self, visit: Visit, folder: str, pack: Path, path: str) -> None:
        listed = _Supply(await asyncio.to_thread(pack.read_bytes))
        status = await converse(self.house, [GIT, "show-index"], folder, listed, ENVIRONMENT)
        names = [line.split()[1] for line in bytes(listed.got).splitlines() if len(line.split()) > 1]
        objects = _Objects(visit, path, names)
        words = [GIT, "cat-file", "--batch", "--buffer"]
        status = status or await converse(self.house, words, folder, objects, ENVIRONMENT)
        objects.close()
        if status:
            what = "what was pushed could not be unpacked: it was looked at as it came only"
            visit.site.sites.scribe.record(Limit(where="network.git", what=what, flow=visit.flow.number))


class _Supply:
    """Stands for a client: gives bytes to a guest and keeps what it says."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.got = bytearray()

    async def read(self) -> bytes:
        data, self._data = self._data, b""
        return data

    async def write(self, data: bytes) -> None:
        self.got += data

    async def complain(self, data: bytes) -> None:
        """Nobody is to know."""


class _Objects(_Supply):
    """Asks for objects by their names, and looks at each that comes: a line with its size, then its content."""

    def __init__(self, visit: Visit, target: str, names: Iterable[bytes]) -> None:
        super().__init__(b"".join(name + b"\n" for name in names))
        self._visit = visit
        self._target = target
        self._line = bytearray()
        self._left = -1
        self._small = self._new()
        self._sight = self._small

    async def write(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            at += self._read_line(data, at) if self._left < 0 else self._read_content(data, at)

    def close(self) -> None:
        self._sight.close()
        self._small.close()

    def _new(self) -> Sight:
        return self._visit.flow.sight("file", self._target[:2048])

    def _read_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end + 1
        self._line += data[at:end]
        if self._line.endswith(b"\n"):
            words = bytes(self._line).split()
            self._line.clear()
            if words and words[-1].isdigit():
                self._left = int(words[-1])
                self._sight = self._new() if self._left >= LARGE_BYTES else self._small
        return end - at

    def _read_content(self, data: bytes, at: int) -> int:
        piece = data[at : at + self._left]
        self._sight.feed(piece)
        self._left -= len(piece)
        if self._left == 0:
            self._left = -1  # a line break follows, which is an empty line
            if self._sight is not self._small:
                self._sight.close()
        return len(piece)


class GitSpeaker:
    """git's own protocol (`git://`).

    Args:
        guide: makes the visit that a call is.
        repositories: what is served.
    """

    def __init__(self, guide: Callable[[Call], Visit], repositories: Repositories) -> None:
        self._guide = guide
        self._repositories = repositories

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        call.flow.protocol = "git"
        client = StreamClient(call)
        got = b""
        while len(got) < 4 or len(got) < int(got[:4], 16):
            data = await client.read()
            got += data
            if not data or (len(got) >= 4 and not _REQUEST.match(got)):
                return
        size = int(got[:4], 16)
        request = request_in(got[4:size])
        if request is not None:
            await self._repositories.serve(self._guide(call), request, After(client, got[size:]))
