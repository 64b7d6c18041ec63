"""Finding who speaks what a connection speaks, from its first bytes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from .sniff import Kind, sniff
from .speaker import Call, drain, linger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .flow import Flow, Flows
    from .resolver import Resolver
    from .speaker import Speaker
    from .stream import Stream

SNIFF_SECONDS = 1.5
"""A client that has said so little for so long that its protocol is unknown is taken for a raw one."""

MAX_TUNNELS = 3
"""Connections within connections."""


class Switchboard:
    """Connects clients with whoever speaks their protocol.

    Args:
        flows: the episode's flows.
        resolver: knows which address belongs to which name.
        speakers: by the protocol that they speak. What has none is taken in silence.
    """

    def __init__(self, flows: Flows, resolver: Resolver, speakers: Mapping[Kind, Speaker]) -> None:
        self._flows = flows
        self._resolver = resolver
        self._speakers = speakers

    async def hold(self, stream: Stream, flow: Flow, tunnels: tuple[str, ...] = ()) -> None:
        """Serve one connection, from its first byte until our side has nothing more to say."""
        if flow.scanned:
            await self.speak(Call(stream, flow, self, tunnels=tunnels))
        else:
            await drain(stream, flow)

    async def speak(self, call: Call) -> None:
        """See `speaker.Board`."""
        kind = await recognise(call.stream, call.flow.end.port)
        nested = (kind is Kind.TLS and call.tls and not call.tunnels) or len(call.tunnels) > MAX_TUNNELS
        speaker = None if nested else self._speakers.get(kind)
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


async def recognise(stream: Stream, port: int) -> Kind:
    """What the client speaks; its bytes are put back."""
    first = b""
    kind = Kind.UNDECIDED
    try:
        async with asyncio.timeout(SNIFF_SECONDS):
            while kind is Kind.UNDECIDED:
                data = await stream.read()
                if not data:
                    break
                first += data
                kind = sniff(first, port)
    except TimeoutError:
        if not first:
            return Kind.SILENT
    if first:
        stream.unread(first)
    return kind
