"""What a protocol has to offer to be spoken on a connection, and what it gets."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .flow import Flow
    from .stream import Stream

LINGER_SECONDS = 5.0
"""After our side has said goodbye, what the client still sends is taken until it pauses for so long."""


@dataclass(frozen=True)
class Call:
    """A connection, as whoever speaks its protocol gets it."""

    stream: Stream
    flow: Flow
    board: Board
    tls: bool = False
    """Whether the stream is inside TLS."""
    tunnels: tuple[str, ...] = ()
    """Hosts reached through each other on this connection (CONNECT), the last the innermost."""

    async def go_on(self, stream: Stream, *, tls: bool | None = None, tunnel: str | None = None) -> None:
        """Speak whatever is spoken inside this call.

        Args:
            stream: what is inside.
            tls: whether that is inside TLS; None for as before.
            tunnel: a further host that is reached, if any.
        """
        tunnels = self.tunnels if tunnel is None else (*self.tunnels, tunnel)
        await self.board.speak(replace(self, stream=stream, tls=self.tls if tls is None else tls, tunnels=tunnels))


class Speaker(Protocol):
    """Speaks one protocol, on any number of connections at once."""

    async def speak(self, call: Call) -> None:
        """Speak it until either side ends it. What the client sends is counted and looked at on the call's flow.

        Raises:
            OSError: the connection broke, or is to be broken off.
        """


class Board(Protocol):
    """Finds who speaks what (`switchboard.Switchboard`)."""

    async def speak(self, call: Call) -> None:
        """Recognise what is spoken, and speak it."""

    async def connect(self, stream: Stream, host: str, port: int) -> None:
        """Serve a connection to `host` that a client makes through another one, as a flow of its own, to its end."""


async def drain(stream: Stream, flow: Flow) -> None:
    """Take everything until the client ends it, and say nothing."""
    while data := await stream.read():
        flow.sent(data)


async def linger(stream: Stream, flow: Flow) -> None:
    """Take what the client still sends after our goodbye, so that it is seen, and meets no reset."""
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(LINGER_SECONDS):
                data = await stream.read()
            if not data:
                return
            flow.sent(data)
