"""A channel of an SSH connection on which something runs: a command, a shell, or a file transfer."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, cast

import asyncssh

from ...events import Limit
from ..guests import git, rsync
from ..stream import CHUNK_BYTES
from ..visit import printable
from .sftp import SiteSftp
from .shell import Shell

if TYPE_CHECKING:
    from ..guests.git import Repositories
    from ..visit import Visit

WINDOW_BYTES = 256 << 10
"""What a client may send on a channel before it is taken."""

SLACK_BYTES = 2 * WINDOW_BYTES
"""What a file transfer may have sent beyond content, a quarter of the content aside, before it is looked at raw."""

LAST_BYTES = 128 << 10
USUAL_BYTES = 2048
"""What a small transfer says around its content."""

SFTP_VERSION = 3


class Session(asyncssh.SSHServerProcess[bytes]):
    """Looks at what a channel brings, and serves it.

    What a transfer of files brings is looked at as the files that it means, anything else as it stands.
    """

    def __init__(self, visit: Visit, repositories: Repositories) -> None:
        super().__init__(self._run, self._sftp, SFTP_VERSION, allow_scp=True)
        self._visit = visit
        self._repositories = repositories
        self._files = False
        self._said = 0
        self._taken = 0
        self._copying = False
        self._raw = False
        self._target = ""
        self._last = bytearray()
        """What a transfer sent last, of at most `LAST_BYTES`: what breaks it off is no part of it."""
        visit.channels += 1
        self._sight = visit.flow.sight("stdin")

    def session_started(self) -> None:
        """See `asyncssh.SSHServerSession`, as for all methods."""
        channel = self.channel
        command = channel.get_command()
        self._files = channel.get_subsystem() == "sftp" or (command or "").startswith("scp ")
        self._target = printable((command or channel.get_subsystem() or "").encode(errors="replace"))
        self._sight = self._visit.flow.sight("stdin", self._target or None)
        for text in (command or "", *(f"{name}={value}" for name, value in channel.get_environment().items())):
            self._visit.say(text.encode(errors="surrogateescape"))
        super().session_started()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:  # noqa: D102
        flow = self._visit.flow
        flow.count(data)
        self._said += len(data)
        if self._files and self._said - self._taken > SLACK_BYTES + self._taken // 4:
            self._raw = True  # more than a transfer needs to say around its content
        if self._raw or not (self._files or self._copying):
            self._sight.feed(data)
        else:
            self._last += data
            del self._last[:-LAST_BYTES]
        super().data_received(data, datatype)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        unseen = self._said - self._taken - self._taken // 8
        if self._files and unseen > USUAL_BYTES:
            self._sight.feed(bytes(self._last))
        self._sight.close()
        self._visit.channels -= 1
        if self._files and not self._raw and unseen > SLACK_BYTES // 8:
            self._tell(f"{unseen:,} bytes of a file transfer were no file's content and not looked at")
        super().connection_lost(exc)

    def _sftp(self, channel: Any) -> asyncssh.SFTPServer:
        return SiteSftp(cast("asyncssh.SSHServerChannel[bytes]", channel), self._visit, self._took)

    def _took(self, size: int) -> None:
        self._taken += size

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        try:
            status = await self._serve(process)
        except (asyncssh.Error, OSError, asyncssh.BreakReceived, asyncssh.SignalReceived):
            status = 255
        except Exception as problem:  # one channel's trouble is never another's
            self._visit.site.sites.scribe.fault("ssh", problem)
            status = 255
        process.exit(status)

    async def _serve(self, process: asyncssh.SSHServerProcess[bytes]) -> int:
        shell = Shell(self._visit, process)
        if process.command is None:
            return await shell.interact()
        words = words_of(process.command)
        if copying := rsync.request_of(words):
            return await self._copy(process, copying)
        if pushing := git.request_of(words, process.channel.get_environment().get("GIT_PROTOCOL", "")):
            return await self._repositories.serve(self._visit, pushing, _Client(process))
        return await shell.execute(process.command)

    async def _copy(self, process: asyncssh.SSHServerProcess[bytes], request: rsync.Request) -> int:
        """Rsync cuts up and compresses in a manner of its own: the files are looked at, not what is on the wire."""
        self._copying = True
        try:
            status = await rsync.serve(self._visit, self._repositories.house, request, _Client(process))
        finally:
            self._copying = False
        if status:
            self._sight.feed(bytes(self._last))
        if status and self._said > SLACK_BYTES:
            self._tell(f"rsync ended with status {status}: of {self._said:,} bytes only whole files were looked at")
        return status

    def _tell(self, what: str) -> None:
        flow = self._visit.flow
        self._visit.site.sites.scribe.record(Limit(where="network.ssh", what=what, flow=flow.number))


class _Client:
    """The other end of a channel, for a guest to talk with. What it sends was looked at when it came."""

    def __init__(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self._process = process

    async def read(self) -> bytes:
        return bytes(await self._process.stdin.read(CHUNK_BYTES))

    async def write(self, data: bytes) -> None:
        self._process.stdout.write(data)
        await self._process.stdout.drain()

    async def complain(self, data: bytes) -> None:
        self._process.stderr.write(data)


def words_of(command: str) -> list[str]:
    """A command's words as a shell takes them; none when it cannot be read."""
    try:
        return shlex.split(command)
    except ValueError:
        return []
