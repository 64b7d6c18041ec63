"""HTTP/2 on a connection: many requests at once, each an `Exchange` of its own.

The frames, the header compression and the rules are h2's. What a frame holds that is not part of a request is looked at
on the flow (`frames2`); so is all that is sent when framing and padding outweigh the requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error, ProtocolError
from h2.settings import SettingCodes

from ..speaker import drain
from ..stream import read_within
from .exchange import Exchange
from .frames2 import Framing
from .messages import Head, host_wanted, texts

if TYPE_CHECKING:
    from ..speaker import Call
    from .messages import Answer, Header
    from .web import Web

STREAMS = 128
"""Requests at once on a connection."""

WINDOW_BYTES = 1 << 16
"""What a client may send of one body before it hears from us, as with ordinary servers. Not more: curl 7.88 with GnuTLS
garbles a body when the socket is full before the window is."""

CONNECTION_BYTES = 1 << 24
"""And of all bodies."""

IDLE_SECONDS = 120.0
_FRAMING_BYTES = 65536
"""Of frames that are no body and need no look; more might carry data."""


@dataclass(frozen=True)
class Upgrade:
    """How a connection came to HTTP/2 from HTTP/1.1."""

    settings: bytes
    """Of the client, as its header gives them."""
    first: Exchange
    """The request with which it did, already received; it is answered on stream 1."""


class Http2Speaker:
    """Speaks it on all connections.

    Args:
        web: what they share.
    """

    def __init__(self, web: Web) -> None:
        self._web = web

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        call.flow.protocol = "https" if call.tls else "http"
        await Http2Conversation(self._web, call).run()


class Http2Conversation:
    """One connection.

    Args:
        web: what all share.
        call: the connection.
        upgrade: how it came to HTTP/2, if it began as something else.
    """

    def __init__(self, web: Web, call: Call, upgrade: Upgrade | None = None) -> None:
        self._web = web
        self._call = call
        self._flow = call.flow
        self._upgrade = upgrade
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self._framing = Framing(prefaced=upgrade is None)
        self._open: dict[int, Exchange] = {}
        self._saying: dict[int, _Saying] = {}
        self._wire_bytes = self._body_bytes = 0
        self._over = False

    async def run(self) -> None:
        """Speak until either side ends it."""
        try:
            await self._begin()
            await self._flush()
            while not self._over and (data := await self._read()):
                self._flow.count(data)
                await self._receive(data)
        finally:
            self._flow.look(self._framing.rest)
            for exchange in self._open.values():
                exchange.abandon()
            self._open.clear()

    async def _begin(self) -> None:
        upgrade = self._upgrade
        if upgrade is None:
            self._h2.initiate_connection()
        else:
            self._h2.initiate_upgrade_connection(upgrade.settings)
        self._h2.update_settings(
            {SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES, SettingCodes.MAX_CONCURRENT_STREAMS: STREAMS}
        )
        self._h2.increment_flow_control_window(CONNECTION_BYTES)
        if upgrade is not None:
            self._answer(1, upgrade.first.head, await upgrade.first.finish())

    async def _read(self) -> bytes:
        return await read_within(self._call.stream, IDLE_SECONDS) or b""

    async def _receive(self, data: bytes) -> None:
        self._wire_bytes += len(data)
        begun = self._framing.rest
        try:
            for beside in self._framing.feed(data):
                self._flow.look(beside)
            for event in self._h2.receive_data(data):
                await self._handle(event)
        except (H2Error, ValueError) as problem:  # it is HTTP/2 no longer: seen as it stands from here on
            self._flow.look(begun + data)
            self._framing = Framing()
            await self._flush()
            self._over = True
            if not isinstance(problem, ProtocolError):
                raise
            await drain(self._call.stream, self._flow)
            return
        if self._wire_bytes - self._body_bytes > max(_FRAMING_BYTES + len(data), self._body_bytes // 4):
            self._flow.look(data)
        await self._flush()

    async def _handle(self, event: Any) -> None:
        number = getattr(event, "stream_id", None)
        if isinstance(event, RequestReceived):
            self._open[event.stream_id] = self._exchange(texts(event.headers))
        elif isinstance(event, DataReceived):
            self._take(event)
        elif isinstance(event, TrailersReceived) and number in self._open:
            self._web.pieces.add(
                self._flow.name or self._flow.end.address,
                [value for _, value in event.headers],
                self._flow.place("head"),
            )
        elif isinstance(event, StreamEnded) and number in self._open:
            exchange = self._open.pop(event.stream_id)
            self._answer(event.stream_id, exchange.head, await exchange.finish())
        elif isinstance(event, StreamReset):
            self._forget(event.stream_id)
        elif isinstance(event, ConnectionTerminated):
            self._over = True

    def _exchange(self, headers: tuple[Header, ...]) -> Exchange:
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        method, target = pseudo.get(":method", ""), pseudo.get(":path") or pseudo.get(":authority", "")
        plain = tuple((name, value) for name, value in headers if not name.startswith(":"))
        given = pseudo.get(":authority") or dict(plain).get("host", "")
        head = Head(method, target, host_wanted(method, target, given), plain)
        call = self._call
        reached = call.tunnels[-1] if call.tunnels else None
        return Exchange(self._web, self._flow, head, tls=call.tls, reached=reached)

    def _take(self, event: Any) -> None:
        self._body_bytes += len(event.data)
        exchange = self._open.get(event.stream_id)
        if exchange is None:
            self._flow.look(event.data)
        else:
            exchange.take(event.data)
        if event.flow_controlled_length:
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)

    def _forget(self, number: int) -> None:
        self._saying.pop(number, None)
        exchange = self._open.pop(number, None)
        if exchange is not None:
            exchange.abandon()

    def _answer(self, number: int, head: Head, answer: Answer) -> None:
        headers = [(":status", str(answer.status)), *answer.headers]
        if answer.has_body and not answer.trailers:
            headers.append(("content-length", str(answer.body.size)))
        silent = head.method == "HEAD" or not answer.has_body or (not answer.body.size and not answer.trailers)
        self._h2.send_headers(number, headers, end_stream=silent)
        if not silent:
            self._saying[number] = _Saying(answer.body.pieces(0, answer.body.size), answer.trailers)

    def _say_on(self) -> None:
        """Send of each answer what the client has room for."""
        for number, saying in list(self._saying.items()):
            while room := min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size):
                data = saying.take(room)
                if not data:
                    self._finish(number, saying)
                    break
                self._h2.send_data(number, data)

    def _finish(self, number: int, saying: _Saying) -> None:
        del self._saying[number]
        if saying.trailers:
            self._h2.send_headers(number, list(saying.trailers), end_stream=True)
        else:
            self._h2.end_stream(number)

    async def _flush(self) -> None:
        more = True
        while more:
            self._say_on()
            out = self._h2.data_to_send()
            more = bool(out)
            if out:
                await self._call.stream.write(out)
                self._flow.received(len(out))


class _Saying:
    """An answer's body on its way."""

    def __init__(self, pieces: Iterator[bytes], trailers: tuple[Header, ...]) -> None:
        self.trailers = trailers
        self._pieces = pieces
        self._rest = b""

    def take(self, size: int) -> bytes:
        """At most so many of the next bytes; none at the end."""
        if not self._rest:
            self._rest = next((piece for piece in self._pieces if piece), b"")
        out, self._rest = self._rest[:size], self._rest[size:]
        return out
