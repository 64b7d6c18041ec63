"""WebSocket on a connection that began as HTTP/1.1: takes every message and says that it has it.

The handshake, the frames and their compression are wsproto's. What all messages hold is looked at as one stream, since
a sender cuts as it likes; short ones are also put together as pieces.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import ProtocolError

from ..pieces import SMALL_BYTES, words_in
from ..speaker import drain
from ..stream import read_within
from .exchange import MAX_TARGET

if TYPE_CHECKING:
    from ..speaker import Call
    from .messages import Head
    from .web import Web

IDLE_SECONDS = 300.0
_STEP_BYTES = 4096
"""Given to wsproto at once: it expands what is compressed without a limit of its own, up to a thousandfold."""

_RATIO = 100
_FREE_BYTES = 64 << 20
"""Messages may expand to so much, and beyond that to `_RATIO` times what was sent."""


def wants_websocket(head: Head) -> bool:
    """Whether a request asks to change over to WebSocket."""
    return (
        head.method == "GET"
        and head.header("upgrade").lower() == "websocket"
        and head.header("sec-websocket-version") == "13"
        and bool(head.header("sec-websocket-key"))
    )


class WebSocketConversation:
    """One connection.

    Args:
        web: what all share.
        call: the connection.
        head: the request to change over.
    """

    def __init__(self, web: Web, call: Call, head: Head) -> None:
        self._web = web
        self._call = call
        self._flow = call.flow
        self._head = head
        self._ws = WSConnection(ConnectionType.SERVER)
        self._sight = call.flow.sight("stream", head.target[:MAX_TARGET])
        self._short = bytearray()
        self._size = self._sent = self._expanded = 0
        self._over = False

    async def run(self) -> None:
        """Speak until either side ends it."""
        self._flow.protocol = "wss" if self._call.tls else "ws"
        try:
            await self._accept()
            while not self._over and (data := await self._read()):
                self._flow.count(data)
                self._sent += len(data)
                await self._receive(data)
        finally:
            self._sight.close()

    async def _accept(self) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._head.headers]
        try:
            self._ws.initiate_upgrade_connection(headers, self._head.target)
            offered = [event for event in self._ws.events() if isinstance(event, Request)]
            protocol = offered[0].subprotocols[0] if offered and offered[0].subprotocols else None
            out = self._ws.send(AcceptConnection(subprotocol=protocol, extensions=[PerMessageDeflate()]))
        except (ProtocolError, ValueError) as problem:
            raise ConnectionAbortedError(str(problem)) from problem
        await self._say(out)

    async def _read(self) -> bytes:
        return await read_within(self._call.stream, IDLE_SECONDS) or b""

    async def _receive(self, data: bytes) -> None:
        for at in range(0, len(data), _STEP_BYTES):
            try:
                self._ws.receive_data(data[at : at + _STEP_BYTES])
                for event in self._ws.events():
                    await self._handle(event)
            except (ProtocolError, ValueError):
                await self._give_up(data[at:])
                return
            if self._over:  # with a goodbye, as which wsproto tells of what is no frame, too
                self._flow.look(data[at:])
                return
            if self._expanded > _FREE_BYTES + _RATIO * self._sent:
                what = "websocket: expands to more bytes than are looked at"
                self._web.limit("network.websocket", what, self._flow.number)
                await self._give_up(data[at + _STEP_BYTES :])
                return

    async def _give_up(self, rest: bytes) -> None:
        """What comes now is looked at as it stands."""
        self._over = True
        self._flow.look(rest)
        await drain(self._call.stream, self._flow)

    async def _handle(self, event: object) -> None:
        if isinstance(event, TextMessage | BytesMessage):
            await self._take(event)
        elif isinstance(event, Ping):
            self._look(bytes(event.payload))
            await self._say(self._ws.send(event.response()))
        elif isinstance(event, Pong):
            self._look(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            self._look((event.reason or "").encode(errors="replace"))
            self._over = True
            await self._say(self._ws.send(event.response()))

    async def _take(self, event: BytesMessage | TextMessage) -> None:
        data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        self._look(data)
        self._size += len(data)
        if len(self._short) <= SMALL_BYTES:
            self._short += data[: SMALL_BYTES + 1]
        if not event.message_finished:
            return
        if self._size <= SMALL_BYTES:
            place = self._flow.place("stream", self._head.target[:MAX_TARGET])
            self._web.pieces.add(f"messages to {self._flow.name or place.address}", words_in(bytes(self._short)), place)
        receipt = json.dumps({"type": "ack", "bytes": self._size})
        self._size, self._short = 0, bytearray()
        await self._say(self._ws.send(TextMessage(data=receipt)))

    def _look(self, data: bytes) -> None:
        self._expanded += len(data)
        self._sight.feed(data)

    async def _say(self, out: bytes) -> None:
        await self._call.stream.write(out)
        self._flow.received(len(out))
