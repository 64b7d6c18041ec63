"""A connection of which nothing is lost that arrived.

asyncio's own drops what lies unread as soon as the other side breaks off, though it was sent, and a receiver that only
reads has it: the kernel keeps what arrived before a reset. Who sends and breaks off would leave no trace. Nor does it
see bytes that are marked as urgent.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import cast

from .stream import CHUNK_BYTES

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BUFFER_BYTES = 65536
"""Of a connection's input, in our process; beyond it the other side has to wait."""


class _Lasting(asyncio.StreamReaderProtocol):
    """Ends a connection that broke like one that was closed: with all that arrived, and then the end."""

    def __init__(self, serve: Serve | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.reader = asyncio.StreamReader(limit=BUFFER_BYTES, loop=loop)
        self._socket: socket.socket | None = None
        super().__init__(self.reader, serve, loop=loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio's."""
        self._socket = transport.get_extra_info("socket")
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio's."""
        if exc is not None and self._socket is not None:
            self.reader.feed_data(_left_in(self._socket))
        super().connection_lost(None)


def _left_in(broken: socket.socket) -> bytes:
    """What the kernel still holds of what arrived; bounded by its own buffer, since nothing more can come."""
    left = bytearray()
    try:
        with socket.socket(fileno=os.dup(broken.fileno())) as twin:
            while data := twin.recv(CHUNK_BYTES, socket.MSG_DONTWAIT):
                left += data
    except OSError:  # the end of what there is
        pass
    return bytes(left)


def _with_urgent_bytes(plain: socket.socket) -> None:
    """What is marked as urgent is read in its place; otherwise the kernel leaves it out."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)


async def serve_on(listener: socket.socket, serve: Serve) -> asyncio.Server:
    """Accept connections on a bound socket, each served by a task of its own."""
    _with_urgent_bytes(listener)  # which its connections inherit
    return await asyncio.get_running_loop().create_server(lambda: _Lasting(serve), sock=listener, backlog=4096)


async def opened(connected: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The two ends of a socket that is connected."""
    _with_urgent_bytes(connected)
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(_Lasting, sock=connected)
    return protocol.reader, asyncio.StreamWriter(
        cast("asyncio.WriteTransport", transport), protocol, protocol.reader, loop
    )
