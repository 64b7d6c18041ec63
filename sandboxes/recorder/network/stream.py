"""One connection as a stream of bytes in both directions, plain or inside TLS, with bounded buffers."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .tls import Session

CHUNK_BYTES = 65536
WRITE_SECONDS = 30.0
"""A client that does not take its answer for so long is given up."""


class Stream(Protocol):
    """What a protocol's handler needs of a connection."""

    async def read(self) -> bytes:
        """The next bytes, as soon as there are any; none at the end.

        Raises:
            OSError: the connection broke.
        """

    async def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            OSError: the connection broke, or the client does not take it.
        """

    def unread(self, data: bytes) -> None:
        """Put bytes back in front of what comes next."""


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
        self._writer.write(data)
        async with asyncio.timeout(WRITE_SECONDS):  # TimeoutError is an OSError
            await self._writer.drain()

    def unread(self, data: bytes) -> None:
        """As `Stream.unread`."""
        self._back = data + self._back


class TlsBrokenError(OSError):
    """TLS ended in an error; what comes now is unreadable."""


class TlsStream:
    """What is inside TLS on another stream. `handshake` comes first."""

    def __init__(self, outer: Stream, session: Session) -> None:
        self._outer = outer
        self._session = session
        self._back = b""

    async def handshake(self) -> None:
        """Establish TLS.

        Raises:
            TlsBrokenError: the client refused, went away or does not speak TLS.
        """
        while not self._session.established:
            data = await self._outer.read()
            if not data:
                raise TlsBrokenError("the client went away during the handshake")
            self._back += self._feed(data)
            await self._flush()

    async def read(self) -> bytes:
        """As `Stream.read`.

        Raises:
            TlsBrokenError: as it says.
        """
        if self._back:
            data, self._back = self._back, b""
            return data
        while not self._session.ended:
            data = await self._outer.read()
            if not data:
                break
            plain = self._feed(data)
            await self._flush()
            if plain:
                return plain
        return b""

    async def write(self, data: bytes) -> None:
        """As `Stream.write`."""
        try:
            self._session.send(data)
        except ssl.SSLError as problem:
            raise TlsBrokenError(_reason(problem)) from problem
        await self._flush()

    def unread(self, data: bytes) -> None:
        """As `Stream.unread`."""
        self._back = data + self._back

    async def close(self) -> None:
        """Say goodbye inside TLS."""
        self._session.close()
        await self._flush()

    def _feed(self, data: bytes) -> bytes:
        try:
            return self._session.receive(data)
        except ssl.SSLError as problem:
            raise TlsBrokenError(_reason(problem)) from problem

    async def _flush(self) -> None:
        out = self._session.take()
        if out:
            await self._outer.write(out)


def _reason(problem: ssl.SSLError) -> str:
    return str(problem.reason or problem)[:200]
