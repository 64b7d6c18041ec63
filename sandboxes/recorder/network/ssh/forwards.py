"""Ports of a site that a client has led back to itself (`ssh -R`): each is noted, and visited once as a stranger would.

In a sealed lab nobody connects to the site, so what is offered there would never be seen leaving (see `listeners`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import asyncssh

from ...events import Listening
from ..budget import Budget
from ..fetch import Door
from ..stream import PlainStream

if TYPE_CHECKING:
    from ..fetch import Connect, Fetcher
    from ..sight import Scribe
    from ..stream import Stream

SETTLE_SECONDS = 0.3
"""A client that was just let in is given so long before somebody comes."""
CONNECT_SECONDS = 10.0
MAX_VISITS = 200
"""Ports that are visited in an episode."""
MAX_LISTENERS = 32
"""Ports that one connection leads back at once."""

_STRANGER = ("198.51.100.23", 51842)
"""Who connects, as the site tells the client; nobody answers there."""

_Call = Callable[[], Awaitable[tuple["asyncssh.SSHReader[bytes]", "asyncssh.SSHWriter[bytes]"]]]


class Visitors:
    """Who visits the ports that all connections lead back.

    Args:
        scribe: where to record.
        fetcher: takes what is offered.
    """

    def __init__(self, scribe: Scribe, fetcher: Fetcher) -> None:
        self._scribe = scribe
        self._fetcher = fetcher
        self._visits = Budget(scribe.record, "visits", facts=MAX_VISITS)

    async def visit(self, connect: Connect, door: Door) -> None:
        """Note the port, and take what is offered there."""
        if self._visits.take(f"port {door.port} of {door.name or door.address}"):
            self._scribe.record(Listening("tcp", door.address, door.port))
            await self._fetcher.fetch(connect, door)

    def close(self) -> None:
        """Nothing more comes."""
        self._visits.flush()


class Forwards:
    """What one connection leads back.

    Args:
        connection: to the client.
        visitors: come to each port.
        address: of the site.
        name: of the site, if it has one.
    """

    def __init__(
        self, connection: asyncssh.SSHServerConnection, visitors: Visitors, address: str, name: str | None
    ) -> None:
        self._connection = connection
        self._visitors = visitors
        self._address = address
        self._name = name
        self._listening: set[_Listener] = set()
        self._visits: set[asyncio.Task[None]] = set()

    def listen(self, host: str, port: int) -> asyncssh.SSHListener | None:
        """Lead a port back, as the client asked for it; 0 is for any. None where there are too many."""
        if len(self._listening) >= MAX_LISTENERS:
            return None
        port = port or 32768 + len(self._visits)
        connection = self._connection
        return self._open(lambda: connection.open_connection(host, port, *_STRANGER, encoding=None), port)

    def listen_unix(self, path: str) -> asyncssh.SSHListener | None:
        """The same, for a socket file."""
        if len(self._listening) >= MAX_LISTENERS:
            return None
        connection = self._connection
        return self._open(lambda: connection.open_unix_connection(path, encoding=None), 0)

    async def close(self) -> None:
        """The connection is over, and so is every visit; one that did not come to its end is recorded as such."""
        for visit in self._visits:
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)

    def _open(self, call: _Call, port: int) -> asyncssh.SSHListener:
        door = Door(self._address, port, self._name)
        visit = asyncio.create_task(self._visitors.visit(lambda: _stream(call), door))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)
        return _Listener(self._listening, port)


class _Listener(asyncssh.SSHListener):
    """A port of the site, to which only the witness connects."""

    def __init__(self, listening: set[_Listener], port: int) -> None:
        super().__init__()
        self._listening = listening
        self._port = port
        listening.add(self)

    def get_port(self) -> int:
        return self._port

    def close(self) -> None:
        self._listening.discard(self)

    async def wait_closed(self) -> None:
        """Nothing is to be waited for."""


@asynccontextmanager
async def _stream(call: _Call) -> AsyncIterator[Stream]:
    """A connection to the client through the one that it has made; raises OSError as a plain one does."""
    await asyncio.sleep(SETTLE_SECONDS)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await call()
        try:
            # The library's streams have what is needed of asyncio's.
            yield PlainStream(cast("asyncio.StreamReader", reader), cast("asyncio.StreamWriter", writer))
        finally:
            with contextlib.suppress(OSError, asyncssh.Error):
                writer.close()
    except asyncssh.Error as problem:
        raise ConnectionError(problem.reason or type(problem).__name__) from problem
