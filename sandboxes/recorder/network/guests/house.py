"""Real programs as guests: rsync and git speak protocols of which nobody keeps a library.

They are shut away (`seal`), because what they are fed comes from the adversary: in a process of their own that was
started before the witness gave up its privileges. A separate user would need more capabilities and hide less; a second
container would be seen from outside and would have to be started for each episode.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ..connection import opened
from . import keeper
from .seal import INSIDE

MAX_GUESTS = 8
"""Programs at once; the next waits."""

MAX_FOLDER_BYTES = 2 << 30
"""What a guest may leave in its folder; with more it is ended."""

MAX_FILE_BYTES = 1 << 30
MAX_MEMORY_BYTES = 1 << 30
MAX_CPU_SECONDS = 600
MAX_OPEN_FILES = 256

_WATCH_SECONDS = 0.5
_READY_SECONDS = 30.0
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
_LIMITS = {
    "RLIMIT_FSIZE": MAX_FILE_BYTES,
    "RLIMIT_AS": MAX_MEMORY_BYTES,
    "RLIMIT_CPU": MAX_CPU_SECONDS,
    "RLIMIT_NOFILE": MAX_OPEN_FILES,
    "RLIMIT_CORE": 0,
}
assert all(hasattr(resource, name) for name in _LIMITS)


class TooMuchError(OSError):
    """A guest left more than it may."""


@dataclass(frozen=True)
class Guest:
    """A program that runs."""

    reader: asyncio.StreamReader
    """Its output."""
    writer: asyncio.StreamWriter
    """Its input."""
    errors: asyncio.StreamReader
    _leash: asyncio.StreamReader

    async def status(self) -> int:
        """Its exit status, as soon as it has ended; negative for a signal, 255 when it cannot be told."""
        said = await self._leash.read()
        return int(said) if said else 255


class GuestHouse:
    """Starts guests, each in a folder below `folder`. Made by `open`."""

    def __init__(self, folder: Path, control: socket.socket, started: subprocess.Popen[bytes], seen_as: str) -> None:
        self.folder = folder
        self._control = control
        self._started = started
        self._seen_as = seen_as
        self._room = asyncio.Semaphore(MAX_GUESTS)
        self._folders = 0

    @classmethod
    def open(cls, *, unsealed: bool = False) -> GuestHouse:
        """Start the keeper.

        Args:
            unsealed: for tests on machines where nothing can be shut away: guests run as this process does.

        Raises:
            OSError: the kernel refuses.
        """
        folder = Path(tempfile.mkdtemp(prefix="guests-"))
        folder.chmod(0o711)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", keeper.__name__, str(theirs.fileno()), str(folder)]
            command.append("unsealed" if unsealed else "sealed")
            started = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        ours.settimeout(_READY_SECONDS)
        if ours.recv(16) != b"ready":
            raise OSError("the guests' keeper did not start")
        if not unsealed:
            started.wait()  # the keeper is a child of it by now
        return cls(folder, ours, started, str(folder) if unsealed else INSIDE)

    def new_folder(self) -> str:
        """A folder for guests, by its name below `folder`."""
        self._folders += 1
        (self.folder / str(self._folders)).mkdir(mode=0o711)
        return str(self._folders)

    def inside(self, folder: str) -> str:
        """A folder's path, as guests see it."""
        return f"{self._seen_as}/{folder}"

    def remove(self, folder: str) -> None:
        """Take a folder away."""
        _remove(self.folder / folder)

    @asynccontextmanager
    async def guest(
        self, words: Sequence[str], folder: str, environment: Mapping[str, str] | None = None
    ) -> AsyncIterator[Guest]:
        """Run a program, which is ended at the latest when the context is left.

        Args:
            words: the program's path and its arguments.
            folder: where it runs, as `new_folder` gives it.
            environment: beside the usual.

        Raises:
            TooMuchError: it left more than `MAX_FOLDER_BYTES`.
            OSError: it could not be started.
        """
        async with self._room, _pair() as (stream, theirs), _pair() as (errors, their_errors), _pair() as (leash, end):
            order = {
                "words": list(words),
                "folder": folder,
                "environment": {**_ENVIRONMENT, "HOME": "/nonexistent", **(environment or {})},
                "limits": _LIMITS,
            }
            message = json.dumps(order).encode()
            if len(message) > keeper.MAX_MESSAGE:
                raise OSError("too long an order")
            socket.send_fds(self._control, [message], [each.fileno() for each in (theirs, their_errors, end)])
            for each in (theirs, their_errors, end):
                each.close()
            guest = Guest(stream[0], stream[1], errors[0], leash[0])
            watch = asyncio.create_task(_watch(self.folder / folder, leash[1].close))
            try:
                yield guest
            finally:
                watch.cancel()
                too_much = (await asyncio.gather(watch, return_exceptions=True))[0]
                leash[1].close()
            if isinstance(too_much, TooMuchError):
                raise too_much

    def close(self) -> None:
        """End all guests, and take away what they left."""
        self._control.close()
        self._started.wait(_READY_SECONDS)
        _remove(self.folder)


def _remove(folder: Path) -> None:
    # Folders may lie in one another deeper than Python recurses.
    subprocess.run(["/bin/rm", "-rf", "--", str(folder)], check=False, stderr=subprocess.DEVNULL)


@asynccontextmanager
async def _pair() -> AsyncIterator[tuple[tuple[asyncio.StreamReader, asyncio.StreamWriter], socket.socket]]:
    ours, theirs = socket.socketpair()
    reader, writer = await opened(ours)
    try:
        yield (reader, writer), theirs
    finally:
        theirs.close()
        writer.close()


async def _watch(folder: Path, end: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        if await asyncio.to_thread(_size, folder) > MAX_FOLDER_BYTES:
            end()
            raise TooMuchError("more was received than is kept")


def _size(folder: Path) -> int:
    total = 0
    for _, _, names, at in os.fwalk(folder, follow_symlinks=False):
        for name in names:
            with contextlib.suppress(OSError):
                total += 512 * os.stat(name, dir_fd=at, follow_symlinks=False).st_blocks
    return total
