"""HTTP/1.1 on a connection, and what a client changes over to from it: a tunnel, HTTP/2, WebSocket."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from ..stream import read_within
from .exchange import Exchange
from .http1 import Dialogue, End, HttpEvent, NotHttp, Piece, bare
from .messages import Head
from .web2 import Http2Conversation, Upgrade
from .websocket import WebSocketConversation, wants_websocket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ..speaker import Call
    from .messages import Header
    from .web import Web

IDLE_SECONDS = 75.0
"""A kept connection with no request for so long is closed, as ordinary servers do."""

_FRAMING_BYTES = 4096
"""Bytes of a chunked body's framing that need no look; more might carry data."""


class Http1Speaker:
    """Speaks it on all connections.

    Args:
        web: what they share.
    """

    def __init__(self, web: Web) -> None:
        self._web = web

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        call.flow.protocol = "https" if call.tls else "http"
        conversation = _Conversation(self._web, call)
        await conversation.run()
        if conversation.goes_on is not None:
            await conversation.goes_on()


class _Conversation:
    """One connection."""

    def __init__(self, web: Web, call: Call) -> None:
        self.goes_on: Callable[[], Awaitable[None]] | None = None
        """What is spoken afterwards, once the client has changed over."""
        self._web = web
        self._call = call
        self._stream = call.stream
        self._flow = call.flow
        self._dialogue = Dialogue()
        self._now: Exchange | None = None
        self._given_back = 0
        self._wire_bytes = 0
        """Of the request that is being received."""

    async def run(self) -> None:
        """Speak until either side ends it or the client changes over."""
        try:
            while not self._dialogue.over:
                data = await self._read()
                if data is None:
                    break
                self._look_at_framing(data)
                try:
                    events = self._dialogue.receive(data)
                    while events:
                        for event in events:
                            await self._handle(event)
                        events = self._dialogue.proceed()
                finally:  # what was given back is counted by whoever takes it
                    self._flow.count(data[: max(0, len(data) - self._given_back)])
                if not data:
                    break
        finally:
            if self._now is not None:
                self._now.abandon()

    async def _read(self) -> bytes | None:
        if self._now is not None:
            return await self._stream.read()
        return await read_within(self._stream, IDLE_SECONDS)

    async def _handle(self, event: HttpEvent) -> None:
        if isinstance(event, Head):
            await self._begin(event)
        elif isinstance(event, Piece):
            if self._now is not None:
                self._now.take(event.data)
        elif isinstance(event, End):
            await self._end(event)
        else:
            await self._fall_back(event)

    async def _begin(self, head: Head) -> None:
        call = self._call
        reached = call.tunnels[-1] if call.tunnels else None
        self._now = Exchange(self._web, self._flow, head, tls=call.tls, reached=reached)
        self._wire_bytes = 0
        if head.expects_continue:
            await self._say([self._dialogue.go_on()])

    async def _end(self, end: End) -> None:
        now, self._now = self._now, None
        if now is None or await self._change_over(now):
            return
        await self._say(self._dialogue.respond(await now.finish(end.trailers), method=now.head.method))

    async def _change_over(self, now: Exchange) -> bool:
        """Leave this dialogue if the client asks for it."""
        head = now.head
        if head.method == "CONNECT" and head.host:
            now.accept(200)
            await self._hand_over(self._dialogue.open_tunnel())
            self.goes_on = lambda: self._tunnel(head.host)
        elif wants_websocket(head):
            now.accept(101)
            self._give_back(self._dialogue.leave())
            self.goes_on = WebSocketConversation(self._web, self._call, head).run
        elif (settings := _settings_of(head)) is not None:
            await self._hand_over(self._dialogue.switch(_H2C))
            self.goes_on = Http2Conversation(self._web, self._call, Upgrade(settings, now)).run
        return self.goes_on is not None

    async def _tunnel(self, host: str) -> None:
        self._flow.name = host
        await self._call.go_on(self._stream, tunnel=host)

    async def _hand_over(self, parting: tuple[bytes, bytes]) -> None:
        out, rest = parting
        self._give_back(rest)
        await self._stream.write(out)

    def _give_back(self, rest: bytes) -> None:
        """What came behind the request belongs to whatever is spoken next."""
        self._given_back = len(rest)
        if rest:
            self._stream.unread(rest)

    async def _fall_back(self, event: NotHttp) -> None:
        now, self._now = self._now, None
        if now is not None:
            now.abandon(400)
        self._flow.look(event.rest)
        if event.may_answer:
            await self._say([bare(self._web.services.refuse(self._flow.name or ""))])

    async def _say(self, pieces: Iterable[bytes]) -> None:
        for out in pieces:
            await self._stream.write(out)
            self._flow.received(len(out))

    def _look_at_framing(self, data: bytes) -> None:
        now = self._now
        if now is None or not now.head.chunked:
            return
        self._wire_bytes += len(data)
        if self._wire_bytes - now.body.bytes > max(_FRAMING_BYTES + len(data), now.body.bytes // 4):
            self._flow.look(data)


_H2C: tuple[Header, ...] = (("Connection", "Upgrade"), ("Upgrade", "h2c"))


def _settings_of(head: Head) -> bytes | None:
    """The settings of a client that wants to change over to HTTP/2, if it does."""
    if head.header("upgrade").lower() != "h2c" or not head.header("http2-settings"):
        return None
    text = head.header("http2-settings").encode("latin-1")
    try:
        base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return text
