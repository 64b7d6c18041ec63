"""Finding who speaks what a connection speaks, from its first bytes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from .sniff import Kind, sniff
from .speaker import Call, drain, linger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .expected import Expected
    from .flow import Flow, Flows
    from .resolver import Resolver
    from .speaker import Speaker
    from .stream import Stream

SNIFF_SECONDS = 1.5
"""A client that has said so little for so long that its protocol is unknown is taken for a raw one."""

GREETED_SECONDS = 0.1
"""The same at ports where clients wait to be greeted."""

MAX_TUNNELS = 3
"""Connections within connections."""


class Switchboard:
    """Connects clients with whoever speaks their protocol.

    Args:
        flows: the episode's flows.
        resolver: knows which address belongs to which name.
        speakers: by the protocol that they speak. What has none is taken in silence.
        expected: connections that belong to a conversation which announced them.
        is_awaited: whether clients of a port wait to be greeted, as it is or inside TLS.
    """

    def __init__(
        self,
        flows: Flows,
        resolver: Resolver,
        speakers: Mapping[Kind, Speaker],
        expected: Expected | None = None,
        is_awaited: Callable[[int, bool], bool] = lambda _port, _tls: False,
    ) -> None:
        self._flows = flows
        self._resolver = resolver
        self._speakers = speakers
        self._expected = expected
        self._is_awaited = is_awaited

    async def hold(self, stream: Stream, flow: Flow, tunnels: tuple[str, ...] = ()) -> None:
        """Serve one connection, from its first byte until our side has nothing more to say."""
        taker = self._expected.take(flow.end.address, flow.end.port) if self._expected else None
        if taker is not None:
            await taker(stream, flow)
        else:
            await self.speak(Call(stream, flow, self, tunnels=tunnels))

    async def speak(self, call: Call) -> None:
        """See `speaker.Board`."""
        port = call.flow.end.port
        awaited = self._is_awaited(port, call.tls)
        kind = await recognise(call.stream, port, GREETED_SECONDS if awaited else SNIFF_SECONDS)
        if kind in (Kind.RAW, Kind.UNDECIDED) and awaited:
            kind = Kind.SILENT  # it did not wait for its greeting, and gets it all the same
        nested = (kind is Kind.TLS and call.tls and not call.tunnels) or len(call.tunnels) > MAX_TUNNELS
        speaker = None if nested else self._speakers.get(Kind.RAW if kind is Kind.UNDECIDED else kind)
        if speaker is None:
            await drain(call.stream, call.flow)
        else:
            await speaker.speak(call)

    def open(self, address: str, port: int) -> Flow:
        """A new flow to an address that the workstation wanted to reach by TCP."""
        return self._flows.open("tcp", address, port, self._resolver.name_of(address))

    async def connect(self, stream: Stream, host: str, port: int) -> None:
        """See `speaker.Board`."""
        flow = self.open(self._resolver.address_of(host) or host, port)
        try:
            with contextlib.suppress(OSError):
                await self.hold(stream, flow)
                await linger(stream, flow)
        finally:
            flow.close()


async def recognise(stream: Stream, port: int, seconds: float = SNIFF_SECONDS) -> Kind:
    """What the client speaks, as far as it says so in `seconds`; its bytes are put back."""
    first = b""
    kind = Kind.UNDECIDED
    try:
        async with asyncio.timeout(seconds):
            while kind is Kind.UNDECIDED:
                data = await stream.read()
                if not data:
                    break
                first += data
                kind = sniff(first, port)
    except TimeoutError:
        if not first:
            return Kind.SILENT
    except OSError:
        if not first:
            raise
    if first:
        stream.unread(first)
    return kind
