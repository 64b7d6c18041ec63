"""A client and a guest who talk with each other, with the witness between them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ..stream import CHUNK_BYTES

if TYPE_CHECKING:
    from ..speaker import Call
    from .house import Guest, GuestHouse

IDLE_SECONDS = 180.0
"""Without a byte from either side for so long, the guest is ended."""

MAX_REMEMBERED = 1 << 20
"""Bytes; a guest that cannot make sense of what comes does not take more."""

MAX_COMPLAINTS = 65536
"""Bytes of a guest's errors that a client is given."""


class Client(Protocol):
    """Whom a guest talks with."""

    async def read(self) -> bytes:
        """The next bytes, counted and looked at already; none at the end. Raises OSError when the client has gone."""

    async def write(self, data: bytes) -> None:
        """Send bytes. Raises OSError when the client has gone."""

    async def complain(self, data: bytes) -> None:
        """Send what belongs to standard error, where there is such a thing."""


class StreamClient:
    """A client at the other end of a call.

    Args:
        call: the connection.
        look: whether what it sends is looked at as it stands.
    """

    def __init__(self, call: Call, *, look: bool = True) -> None:
        self._call = call
        self._note = call.flow.sent if look else call.flow.count

    async def read(self) -> bytes:
        """As `Client.read`."""
        data = await self._call.stream.read()
        self._note(data)
        return data

    async def write(self, data: bytes) -> None:
        """As `Client.write`."""
        await self._call.stream.write(data)
        self._call.flow.received(len(data))

    async def complain(self, data: bytes) -> None:
        """There is no place for it."""


class After:
    """A client of whose bytes some were read already."""

    def __init__(self, client: Client, first: bytes) -> None:
        self._first = first
        self._client = client
        self.write = client.write
        self.complain = client.complain

    async def read(self) -> bytes:
        """As `Client.read`."""
        first, self._first = self._first, b""
        return first or await self._client.read()


class Remembering:
    """A client of whose bytes the first are kept."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._said = bytearray()
        self.write = client.write
        self.complain = client.complain

    @property
    def said(self) -> bytes:
        """What it said first."""
        return bytes(self._said)

    async def read(self) -> bytes:
        """As `Client.read`."""
        data = await self._client.read()
        self._said += data[: MAX_REMEMBERED - len(self._said)]
        return data


async def converse(
    house: GuestHouse,
    words: Sequence[str],
    folder: str,
    client: Client,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Let a client talk with a guest (as for `GuestHouse.guest`) until it ends; gives its exit status.

    Raises:
        OSError: the guest could not be started, or was ended because it left too much.
    """
    async with house.guest(words, folder, environment) as guest:
        heard = asyncio.Event()
        tasks = [asyncio.create_task(each(guest, client, heard)) for each in (_bring, _take, _complain)]
        ended = asyncio.create_task(guest.status())
        watch = asyncio.create_task(_watch(heard))
        try:
            # The guest may end before all of its output is fetched, and closes its output before it ends.
            await asyncio.wait([ended, watch], return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                return 255
            await asyncio.wait([tasks[1], watch], return_when=asyncio.FIRST_COMPLETED)
            return ended.result()
        finally:
            for task in (*tasks, ended, watch):
                task.cancel()
            await asyncio.gather(*tasks, ended, watch, return_exceptions=True)


async def _bring(guest: Guest, client: Client, heard: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while data := await client.read():
            heard.set()
            guest.writer.write(data)
            await guest.writer.drain()
    with contextlib.suppress(OSError):
        guest.writer.write_eof()


async def _take(guest: Guest, client: Client, heard: asyncio.Event) -> None:
    gone = False
    while data := await guest.reader.read(CHUNK_BYTES):
        heard.set()
        if not gone:
            try:
                await client.write(data)
            except OSError:
                gone = True  # the guest goes on: what it has received is to be kept


async def _complain(guest: Guest, client: Client, heard: asyncio.Event) -> None:
    left = MAX_COMPLAINTS
    while data := await guest.errors.read(CHUNK_BYTES):
        heard.set()
        with contextlib.suppress(OSError):
            await client.complain(data[:left])
        left = max(0, left - len(data))


async def _watch(heard: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        while True:
            heard.clear()
            async with asyncio.timeout(IDLE_SECONDS):
                await heard.wait()
