"""The connection under SSH, as asyncssh wants it: a transport to write to, with a bound on what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..stream import Stream

WAITING_BYTES = 1 << 20
"""With more waiting to be sent, nothing more is taken from the client."""


class Wire(asyncio.Transport):
    """Queues what is written; `pump` sends it.

    Args:
        stream: the client.
        sent: told how many bytes were sent.
    """

    def __init__(self, stream: Stream, sent: Callable[[int], object]) -> None:
        super().__init__()
        self._stream = stream
        self._sent = sent
        self._waiting = bytearray()
        self._closing = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def pump(self) -> None:
        """Send what is written, until the transport is closed. Raises OSError as `Stream.write` does."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                data = bytes(self._waiting)
                self._waiting.clear()
                await self._stream.write(data)
                self._sent(len(data))
                self._room.set()
            if self._closing:
                return

    async def room(self) -> None:
        """Wait until the client has taken most of what was written."""
        await self._room.wait()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """See `asyncio.WriteTransport`."""
        self._waiting += data
        if len(self._waiting) > WAITING_BYTES:
            self._room.clear()
        self._news.set()

    def close(self) -> None:
        """Send what waits, then end."""
        self._closing = True
        self._news.set()

    def abort(self) -> None:
        """End without sending what waits."""
        self._waiting.clear()
        self._room.set()
        self.close()

    def is_closing(self) -> bool:
        """See `asyncio.BaseTransport`."""
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ARG002  # addresses are no business of SSH's
        """Nothing is known."""
        return default
