"""Lending a connection to a library that wants a socket of its own: bytes are copied both ways and counted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from .connection import opened
from .stream import CHUNK_BYTES

if TYPE_CHECKING:
    from .flow import Flow
    from .speaker import Call


@asynccontextmanager
async def lend(call: Call, *, look: bool = True) -> AsyncIterator[socket.socket]:
    """A non-blocking socket whose other end is the call's client, for as long as the context lasts.

    Leaving the context waits for neither side: whoever borrows the socket stays inside until the library is done.

    Args:
        call: the connection.
        look: whether what the client sends is looked at as it stands. Not where the library gets more out of it than
            it costs to look twice, or where it is encrypted.
    """
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.settimeout(0)
    reader, writer = await opened(ours)
    pumps = [
        asyncio.create_task(_from_client(call, writer, look=look)),
        asyncio.create_task(_to_client(call, reader)),
    ]
    try:
        yield theirs
        # What the library said last has to reach the client: its end is closed by now, so this comes to an end.
        with contextlib.suppress(OSError):
            await pumps[1]
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        writer.close()


async def _from_client(call: Call, writer: asyncio.StreamWriter, *, look: bool) -> None:
    with contextlib.suppress(OSError):
        while data := await call.stream.read():
            _note(call.flow, data, look=look)
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def _note(flow: Flow, data: bytes, *, look: bool) -> None:
    if look:
        flow.sent(data)
    else:
        flow.count(data)


async def _to_client(call: Call, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(CHUNK_BYTES):
        await call.stream.write(data)
        call.flow.received(len(data))
