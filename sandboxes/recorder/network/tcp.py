"""Accepting every TCP connection, whatever its address and port, and speaking what it speaks."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..events import Limit
from .budget import Budget
from .sniff import Kind, sniff
from .stream import PlainStream, Stream, TlsBrokenError, TlsStream

if TYPE_CHECKING:
    import socket

    from .flow import Flow, Flows
    from .lookups import Lookups
    from .resolver import Resolver
    from .sight import Scribe
    from .tls import CertificateAuthority
    from .web import Web

SNIFF_SECONDS = 1.5
"""A client that has said so little for so long that its protocol is unknown is taken for a raw one."""

SSH_SECONDS = 2.0
"""A client that speaks SSH is let go after so long, as by a host that does not let it in."""

LINGER_SECONDS = 5.0
"""After our side has said goodbye, what the client still sends is taken until it pauses for so long."""

MAX_TUNNELS = 3
"""CONNECT within CONNECT."""

BUFFER_BYTES = 65536
"""Of a connection's input, in our process; beyond it the client has to wait."""

_MAX_DNS_MESSAGE = 65535


@dataclass(frozen=True)
class Speakers:
    """Who speaks which protocol."""

    authority: CertificateAuthority
    web: Web
    lookups: Lookups
    resolver: Resolver


class TcpServer:
    """Serves connections on any number of listeners.

    Args:
        scribe: where to record.
        flows: the episode's flows.
        speakers: who speaks which protocol.
    """

    def __init__(self, scribe: Scribe, flows: Flows, speakers: Speakers) -> None:
        self._scribe = scribe
        self._flows = flows
        self._speakers = speakers
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults = Budget(scribe.record, "faults", facts=100)
        self._refusals = Budget(scribe.record, "tls-refusals", facts=1000)

    async def start(self, listeners: list[socket.socket]) -> None:
        """Serve on bound sockets, until `stop`."""
        for listener in listeners:
            server = await asyncio.start_server(self._accept, sock=listener, limit=BUFFER_BYTES, backlog=4096)
            self._servers.append(server)

    async def stop(self) -> None:
        """Accept no more, and end every connection."""
        for server in self._servers:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._faults.flush()
        self._refusals.flush()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._hold(reader, writer)
        except asyncio.CancelledError:
            # `stop` or an eviction; the task ends here, and asyncio would report a cancelled callback as an error.
            writer.transport.abort()
        except Exception as problem:  # one connection's trouble is never another's
            self._fault(problem)
            writer.transport.abort()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wanted = writer.get_extra_info("sockname")
        if wanted is None:  # gone before it was accepted
            writer.transport.abort()
            return
        address, port = wanted[0].partition("%")[0], wanted[1]
        flow = self._flows.open("tcp", address, port, self._speakers.resolver.name_of(address))
        flow.hang_up = writer.transport.abort
        conversation = _Conversation(self._speakers, PlainStream(reader, writer), flow)
        try:
            with contextlib.suppress(OSError):
                await conversation.run()
                if writer.can_write_eof():
                    writer.write_eof()
                await conversation.linger()
        except Exception as problem:  # as above; the flow's totals are recorded all the same
            self._fault(problem)
        finally:
            if conversation.refusal is not None and self._refusals.take(conversation.refusal):
                self._scribe.record(Limit(where="network.tls", what=conversation.refusal, flow=flow.number))
            flow.close()
            writer.close()

    def _fault(self, problem: Exception) -> None:
        if self._faults.take(type(problem).__name__):
            self._scribe.fault("tcp", problem)


class _Conversation:
    """One connection, from its first byte to its last."""

    def __init__(self, speakers: Speakers, stream: PlainStream, flow: Flow) -> None:
        self._speakers = speakers
        self._stream = stream
        self._flow = flow
        self.refusal: str | None = None
        """Why the client did not accept our TLS, if it did not."""

    async def run(self) -> None:
        """Until our side has nothing more to say."""
        if self._flow.scanned:
            await self._speak(self._stream, tls=False, tunnels=())
        else:
            await self._drain(self._stream)

    async def linger(self, stream: Stream | None = None) -> None:
        """Take what the client still sends after our goodbye, so that it is seen, and meets no reset."""
        stream = stream or self._stream
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(LINGER_SECONDS):
                    data = await stream.read()
                if not data:
                    return
                self._flow.sent(data)

    async def _speak(self, stream: Stream, *, tls: bool, tunnels: tuple[str, ...]) -> None:
        kind = await _recognise(stream, self._flow.end.port)
        if kind is Kind.TLS and (not tls or tunnels):
            await self._speak_tls(stream, tunnels)
        elif kind is Kind.HTTP:
            self._flow.protocol = "https" if tls else "http"
            reached = tunnels[-1] if tunnels else None
            host = await self._speakers.web.serve(stream, self._flow, tls=tls, tunnel=reached)
            if host is not None and len(tunnels) < MAX_TUNNELS:
                self._flow.name = host
                await self._speak(stream, tls=tls, tunnels=(*tunnels, host))
        elif kind is Kind.DNS:
            await self._speak_dns(stream)
        elif kind is Kind.SSH:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SSH_SECONDS):
                    await self._drain(stream)
            raise ConnectionAbortedError("let go")
        else:
            await self._drain(stream)

    async def _speak_tls(self, outer: Stream, tunnels: tuple[str, ...]) -> None:
        self._flow.protocol = "tls"
        session = self._speakers.authority.session(self._flow.end.address)
        inner = TlsStream(outer, session)
        try:
            await inner.handshake()
        except OSError as problem:
            self.refusal = f"the client did not accept the certificate: {problem}"[:300]
            raise
        self._flow.name = self._flow.name or session.name
        with contextlib.suppress(TlsBrokenError):
            await self._speak(inner, tls=True, tunnels=tunnels)
            await inner.close()
            await self.linger(inner)

    async def _speak_dns(self, stream: Stream) -> None:
        """Messages with their length before them."""
        buffer = bytearray()
        while True:
            data = await stream.read()
            buffer += data
            while len(buffer) >= 2 and len(buffer) >= (size := 2 + int.from_bytes(buffer[:2], "big")):
                response = self._speakers.lookups.answer(bytes(buffer[2:size]), self._flow, udp=False)
                del buffer[:size]
                if response is not None and len(response) <= _MAX_DNS_MESSAGE:
                    await stream.write(len(response).to_bytes(2, "big") + response)
            if not data:
                self._flow.sent(bytes(buffer))
                return

    async def _drain(self, stream: Stream) -> None:
        """Take everything until the client ends it, and say nothing."""
        while data := await stream.read():
            self._flow.sent(data)


async def _recognise(stream: Stream, port: int) -> Kind:
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
        pass
    if first:
        stream.unread(first)
    return kind
