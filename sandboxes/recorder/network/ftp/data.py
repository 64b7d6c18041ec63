"""FTP's data connections: where the next transfer goes, by the server's port (passive) or the client's (active)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..speaker import linger
from ..tls_stream import TlsStream, as_sent

if TYPE_CHECKING:
    from ..dialling import Dialler
    from ..expected import Expected
    from ..flow import Flow
    from ..stream import Stream
    from ..tls import CertificateAuthority

ARRIVAL_SECONDS = 60.0
"""A client that was told a port may take so long to connect to it."""

SERVER_PORT = 20
TLS_HANDSHAKE = b"\x16"


@dataclass(frozen=True)
class Data:
    """A data connection."""

    stream: Stream
    flow: Flow


class _Arrival:
    """A connection that is expected at an announced port."""

    def __init__(self) -> None:
        self.data: asyncio.Future[Data] = asyncio.get_running_loop().create_future()
        self.over = asyncio.Event()

    async def take(self, stream: Stream, flow: Flow) -> None:
        if not self.data.done():
            self.data.set_result(Data(stream, flow))
            await self.over.wait()


class DataConnections:
    """Makes the data connections of one conversation.

    Args:
        control: the flow of the conversation itself.
        expected: where passive ones are announced.
        dialler: makes active ones.
        authority: ends TLS on them.
        open_flow: a new flow to an address and port, with a name.
    """

    def __init__(
        self,
        control: Flow,
        expected: Expected,
        dialler: Dialler,
        authority: CertificateAuthority,
        open_flow: Callable[[str, int, str | None], Flow],
    ) -> None:
        self._control = control
        self._expected = expected
        self._dialler = dialler
        self._authority = authority
        self._open_flow = open_flow
        self._arrival: _Arrival | None = None
        self._port = 0
        self._target: tuple[str, int] | None = None

    @property
    def is_arranged(self) -> bool:
        """Whether the next transfer has somewhere to go."""
        return self._arrival is not None or self._target is not None

    def announce(self) -> int:
        """Expect the next connection at a port of the server; gives the port."""
        self.forget()
        self._arrival = _Arrival()
        self._port = self._expected.announce(self._control.end.address, self._arrival.take)
        return self._port

    def dial_to(self, address: str, port: int) -> None:
        """Connect to the client for the next transfer."""
        self.forget()
        self._target = address, port

    def forget(self) -> None:
        """Nothing is arranged any more; what has arrived is let go."""
        if self._arrival is not None:
            self._expected.withdraw(self._control.end.address, self._port)
            self._arrival.data.cancel()
            self._arrival.over.set()
        self._arrival = self._target = None

    @asynccontextmanager
    async def open(self, target: str, *, private: bool) -> AsyncIterator[Data]:
        """The data connection of the transfer that begins now. Each is for one transfer.

        Args:
            target: what is transferred.
            private: whether it was to be inside TLS. A client that forgets it is taken as it is: curl 7.88 does, in
                active mode.

        Raises:
            OSError: it did not come about, or broke.
        """
        async with self._plain() as data:
            data.flow.name = data.flow.name or self._control.name
            data.flow.target = target
            data.flow.protocol = "ftps-data" if private else "ftp-data"
            if not (private and await _is_tls(data.stream)):
                yield data
                return
            session = self._authority.session(data.flow.name or data.flow.end.address)
            stream = TlsStream(data.stream, session, as_sent(data.flow))
            await stream.handshake()
            yield Data(stream, data.flow)
            with contextlib.suppress(OSError):
                await stream.close()
                await linger(stream, data.flow)

    @asynccontextmanager
    async def _plain(self) -> AsyncIterator[Data]:
        arrival, target = self._arrival, self._target
        self._target = None
        if arrival is not None:
            try:
                async with asyncio.timeout(ARRIVAL_SECONDS):  # TimeoutError is an OSError
                    data = await asyncio.shield(arrival.data)
                yield data
            finally:
                if self._arrival is arrival:
                    self.forget()
        elif target is None:
            raise ConnectionError("no data connection was arranged")
        else:
            async with self._dialled(*target) as data:
                yield data

    @asynccontextmanager
    async def _dialled(self, address: str, port: int) -> AsyncIterator[Data]:
        server = self._control.end.address
        async with self._dialler.dial(server, address, port) as stream:
            flow = self._open_flow(server, SERVER_PORT, self._control.name)
            try:
                yield Data(stream, flow)
                stream.end()
                await linger(stream, flow)
            finally:
                flow.close()


async def _is_tls(stream: Stream) -> bool:
    async with asyncio.timeout(ARRIVAL_SECONDS):
        first = await stream.read()
    stream.unread(first)
    return first[:1] == TLS_HANDSHAKE
