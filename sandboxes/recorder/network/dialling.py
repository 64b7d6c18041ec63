"""Connections from our side: somebody outside connects to the workstation.

The address that such a connection comes from is not the witness's own. Only a transparent socket can take it, and only
a privileged process can make one; so a stock of them is made before privileges are dropped (`capture.open_sockets`).
A source port below 1024, such as FTP's 20, would need a further capability; clients do not ask for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from .budget import Budget
from .connection import opened
from .stream import PlainStream

if TYPE_CHECKING:
    from .sight import Scribe

CONNECT_SECONDS = 10.0
GOODBYE_SECONDS = 5.0
"""What was written last is given so long to be taken."""


class Dialler:
    """Connects to the workstation as whoever is named.

    Args:
        scribe: where to record.
        stock: transparent sockets that nothing was done with yet, IPv4 and IPv6. One is used up by each connection.
        targets: the workstation's addresses; there is no connection to any other.
    """

    def __init__(self, scribe: Scribe, stock: Sequence[socket.socket], targets: Sequence[str]) -> None:
        self._stock = {
            family: [each for each in stock if each.family == family] for family in (socket.AF_INET, socket.AF_INET6)
        }
        self.targets = frozenset(targets)
        """The workstation's addresses."""
        self._spent = Budget(scribe.record, "dialling", facts=0)

    @asynccontextmanager
    async def dial(self, source: str, target: str, port: int) -> AsyncIterator[PlainStream]:
        """A connection from the address `source` to a port of the workstation, closed at the end of the context.

        Raises:
            OSError: nobody listens there, `target` is not the workstation, or the stock is used up (a `Limit` says so).
        """
        if target not in self.targets:
            raise PermissionError(f"{target} is not an address of the workstation")
        writer = await self._connect(source, target, port)
        try:
            yield PlainStream(*writer)
        finally:
            await _hang_up(writer[1])

    def close(self) -> None:
        """Nothing more is dialled."""
        for each in (*self._stock[socket.AF_INET], *self._stock[socket.AF_INET6]):
            each.close()
        self._spent.flush()

    async def _connect(self, source: str, target: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        stock = self._stock[socket.AF_INET6 if ":" in target else socket.AF_INET]
        if not stock:
            self._spent.take(f"to port {port}")
            raise ConnectionAbortedError("no socket is left to connect with")
        caller = stock.pop()
        caller.settimeout(0)
        try:
            caller.bind((source, 0))
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(caller, (target, port))
            return await opened(caller)
        except BaseException:
            caller.close()
            raise


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):  # a timeout is one
            async with asyncio.timeout(GOODBYE_SECONDS):
                await writer.drain()
                writer.close()
                await writer.wait_closed()
    finally:
        writer.transport.abort()
