"""SSH: lets everybody in, and serves what they came for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

import asyncssh

from ...events import Limit
from ..budget import Budget
from ..stream import WRITE_SECONDS, PlainStream
from .forwards import Forwards, Visitors
from .keys import HostKeys, version_of
from .session import WINDOW_BYTES, Session
from .wire import Wire

if TYPE_CHECKING:
    from ..fetch import Fetcher
    from ..guests.git import Repositories
    from ..sight import Scribe
    from ..speaker import Call
    from ..visit import Visit

MAX_CALLS = 200
"""SSH connections at once."""

MAX_CHANNELS = 32
"""Channels of a connection at once."""

MAX_UNREAD = 1 << 20
"""Bytes of a packet that has not come to its end, or of packets that wait for an earlier one."""

_PAUSE = 0.005

_Handler = Callable[["asyncssh.SSHReader[bytes]", "asyncssh.SSHWriter[bytes]"], Awaitable[None]]


class SshSpeaker:
    """All SSH connections of an episode.

    Args:
        scribe: where to record.
        guide: makes the visit that a call is.
        repositories: what git's clients find, and where real programs serve.
        fetcher: takes what is offered on ports that are led back to a client.
    """

    def __init__(
        self, scribe: Scribe, guide: Callable[[Call], Visit], repositories: Repositories, fetcher: Fetcher
    ) -> None:
        logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)
        self._scribe = scribe
        self._guide = guide
        self._repositories = repositories
        self._visitors = Visitors(scribe, fetcher)
        self._keys = HostKeys()
        self._refused = Budget(scribe.record, "ssh-connections", facts=100)
        self._calls = 0

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        if self._calls >= MAX_CALLS:
            if self._refused.take(call.flow.end.address):
                what = f"over {MAX_CALLS} SSH connections were open: this one was turned away"
                self._scribe.record(Limit(where="network.ssh", what=what, flow=call.flow.number))
            return
        call.flow.protocol = "ssh"
        self._calls += 1
        try:
            await self._converse(call)
        finally:
            self._calls -= 1

    def close(self) -> None:
        """Nothing more comes."""
        self._refused.flush()
        self._visitors.close()

    async def _converse(self, call: Call) -> None:
        visit = self._guide(call)
        options = asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _Server(call, visit, self._repositories),
            server_host_keys=await self._keys.of(visit.name),
            server_version=version_of(visit.name),
            # A compressed packet has no bound on what it unpacks to; clients that ask for it do without.
            compression_algs=["none"],
            x11_forwarding=False,
            agent_forwarding=True,
            line_editor=False,
            encoding=None,
            login_timeout=120,
            config=None,
        )
        connection = _Connection(asyncio.get_running_loop(), options, visit, self._visitors)
        wire = Wire(call.stream, call.flow.received)
        connection.connection_made(wire)
        tasks = [asyncio.create_task(wire.pump()), asyncio.create_task(_listen(call, connection, wire))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if connection.let_in and connection.rest:  # it was no packet, so it is as it stands
                call.flow.sent(bytes(connection.rest))
            await connection.forwards.close()
            connection.connection_lost(None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await connection.wait_closed()


async def _listen(call: Call, connection: _Connection, wire: Wire) -> None:
    """Hand what the client sends to the library, no faster than it takes it."""
    while data := await call.stream.read():
        if not connection.let_in:
            call.flow.sent(data)  # whatever comes before there is a secret is readable as it stands
        connection.rest += data
        connection.data_received(data)
        await wire.room()
        async with asyncio.timeout(WRITE_SECONDS):  # a packet of that size never ends well
            while connection.unread > MAX_UNREAD:  # noqa: ASYNC110  # the library tells nobody when it has caught up
                await asyncio.sleep(_PAUSE)
    connection.eof_received()


class _Connection(asyncssh.SSHServerConnection):
    """The library's connection, in which what lies outside of channels is looked at too."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: asyncssh.SSHServerConnectionOptions,
        visit: Visit,
        visitors: Visitors,
    ) -> None:
        super().__init__(loop, options)
        self._visit = visit
        self.forwards = Forwards(self, visitors, visit.flow.end.address, visit.flow.name)
        self.let_in = False
        self.rest = bytearray()
        """What came after the last packet."""

    @property
    def unread(self) -> int:
        """Bytes that were received and are not taken yet; the library knows no bound."""
        return len(self._inpbuf)

    def process_packet(self, pkttype: int, pktid: int, packet: asyncssh.packet.SSHPacket) -> bool | Awaitable[None]:
        """See `asyncssh`: everything but the key exchange and what belongs to a channel."""
        payload = packet.get_full_payload()
        self.rest = bytearray(self._inpbuf)
        if self.let_in:
            self._visit.flow.count(payload)
        self._visit.flow.look(payload)
        return super().process_packet(pkttype, pktid, packet)

    def send_userauth_success(self) -> Coroutine[Any, Any, None]:
        """See `asyncssh`."""
        self.let_in = True
        return super().send_userauth_success()


class _Server(asyncssh.SSHServer):
    """What a client may do: everything that a generous server allows."""

    def __init__(self, call: Call, visit: Visit, repositories: Repositories) -> None:
        self._call = call
        self._visit = visit
        self._repositories = repositories
        self._connection: _Connection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = cast("_Connection", conn)

    def begin_auth(self, username: str) -> bool:
        """Nobody has to prove anything."""
        self._visit.user = username
        self._visit.say(username.encode(errors="replace"))
        return False

    def session_requested(self) -> bool | tuple[asyncssh.SSHServerChannel[bytes], Session]:
        assert self._connection is not None
        if self._visit.channels >= MAX_CHANNELS:
            return False
        return self._connection.create_server_channel(encoding=None, window=WINDOW_BYTES), Session(
            self._visit, self._repositories
        )

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool | _Handler:
        """A connection through this one: answered as one of its own."""
        del orig_host, orig_port
        return self._through(dest_host[:253], dest_port & 0xFFFF)

    def unix_connection_requested(self, dest_path: str) -> bool | _Handler:
        """The same, to a socket file of the site."""
        self._visit.say(dest_path.encode(errors="replace"))
        return self._through(self._visit.name, 0)

    def server_requested(self, listen_host: str, listen_port: int) -> bool | asyncssh.SSHListener:
        """A port on the site, to be led back to the client."""
        assert self._connection is not None
        return self._connection.forwards.listen(listen_host, listen_port) or False

    def unix_server_requested(self, listen_path: str) -> bool | asyncssh.SSHListener:
        """The same, for a socket file."""
        self._visit.say(listen_path.encode(errors="replace"))
        assert self._connection is not None
        return self._connection.forwards.listen_unix(listen_path) or False

    def _through(self, host: str, port: int) -> _Handler | bool:
        if self._visit.channels >= MAX_CHANNELS:
            return False
        visit, board = self._visit, self._call.board

        async def carry(reader: asyncssh.SSHReader[bytes], writer: asyncssh.SSHWriter[bytes]) -> None:
            visit.channels += 1
            try:
                with contextlib.suppress(OSError, asyncssh.Error):
                    # The library's streams have what is needed of asyncio's.
                    ends = cast("asyncio.StreamReader", reader), cast("asyncio.StreamWriter", writer)
                    await board.connect(PlainStream(*ends), host, port)
                    writer.write_eof()
            finally:
                visit.channels -= 1
                writer.close()

        return carry
