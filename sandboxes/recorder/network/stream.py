"""One connection as a stream of bytes in both directions, with bounded buffers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

CHUNK_BYTES = 65536
WRITE_SECONDS = 30.0
"""A client that does not take its answer for so long is given up."""


class Stream(Protocol):
    """What a protocol's handler needs of a connection."""

    async def read(self) -> bytes:
        """The next bytes, as soon as there are any; none at the end. One that is broken off ends like any other.

        Raises:
            OSError: what comes cannot be read.
        """

    async def write(self, data: bytes) -> None:
        """Send all of `data`, or nothing where nobody is there any more: what came before that is still to be read.

        Raises:
            OSError: the client does not take it.
        """

    def unread(self, data: bytes) -> None:
        """Put bytes back in front of what comes next."""


async def read_within(stream: Stream, seconds: float) -> bytes | None:
    """The next bytes; none at the end, None when nothing comes in time."""
    try:
        async with asyncio.timeout(seconds):
            return await stream.read()
    except TimeoutError:
        return None


class PlainStream:
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._back = b""

    async def read(self) -> bytes:
        """As `Stream.read`."""
        if self._back:
            data, self._back = self._back, b""
            return data
        return await self._reader.read(CHUNK_BYTES)

    async def write(self, data: bytes) -> None:
        """As `Stream.write`."""
        if self._writer.is_closing():
            return
        self._writer.write(data)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(WRITE_SECONDS):  # TimeoutError is an OSError
                await self._writer.drain()

    def end(self) -> None:
        """Our side has nothing more to say."""
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    def unread(self, data: bytes) -> None:
        """As `Stream.unread`."""
        self._back = data + self._back
