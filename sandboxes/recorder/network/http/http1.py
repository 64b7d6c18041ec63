"""The server's side of HTTP/1.1: takes bytes and gives events; it has no socket.

h11 does the parsing. What h11 refuses is not lost: `NotHttp` hands back every byte that was not given as an event.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from .messages import Answer, Head, Header, host_wanted, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_HEAD_BYTES = 65536
"""Of a request's line and headers, and of one chunk's header; a longer one is no longer taken for HTTP."""


@dataclass(frozen=True)
class Piece:
    """A piece of a request's body."""

    data: bytes


@dataclass(frozen=True)
class End:
    """The request is complete and waits for `Dialogue.respond`."""

    trailers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class NotHttp:
    """The bytes are not HTTP, or no longer. Nothing follows."""

    rest: bytes
    """Everything received that was not given in an event; it may start with bytes that were."""
    why: str
    may_answer: bool
    """Whether an error response can still be sent."""


HttpEvent = Head | Piece | End | NotHttp


class Dialogue:
    """One connection's requests and responses, one after another."""

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._over = False
        self._awaiting_answer = False
        self._recent = bytearray()
        """What was received since the last event: h11 forgets a line before it refuses it."""
        self._fresh = True

    @property
    def over(self) -> bool:
        """Whether no further request can come on this connection."""
        return self._over or self._h11.our_state in (h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)

    def receive(self, data: bytes) -> list[HttpEvent]:
        """Take bytes of the client; empty bytes say that it sends no more. Give the events that are complete."""
        if self._over:
            return []
        if self._fresh:
            self._recent = bytearray(self._h11.trailing_data[0])
            self._fresh = False
        self._recent += data
        self._h11.receive_data(data)
        found = self.proceed()
        self._fresh = bool(found)
        return found

    def proceed(self) -> list[HttpEvent]:
        """Give further events of what was received, as after a response to the request before."""
        found: list[HttpEvent] = []
        while not (self._over or self._awaiting_answer):
            try:
                event = self._h11.next_event()
                if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                    break
                found.append(self._translate(event))
            except (h11.RemoteProtocolError, ValueError) as problem:
                found.append(self._give_up(problem))
        return found

    def go_on(self) -> bytes:
        """The interim response that asks a waiting client for its body."""
        return self._h11.send(h11.InformationalResponse(status_code=100, headers=[])) or b""

    def respond(self, answer: Answer, *, method: str) -> Iterator[bytes]:
        """The bytes of the response to the request that has ended, in pieces; then `proceed` may give the next one.

        To agree to CONNECT or to another protocol, use `open_tunnel`, `switch` or `leave`.
        """
        self._awaiting_answer = False
        headers = list(answer.headers)
        if answer.has_body:
            headers.append(("Content-Length", str(answer.body.size)))
        reason = _phrase(answer.status)
        yield self._h11.send(h11.Response(status_code=answer.status, headers=headers, reason=reason)) or b""
        if method != "HEAD" and answer.has_body:
            for piece in answer.body.pieces(0, answer.body.size):
                yield self._h11.send(h11.Data(data=piece)) or b""
        yield self._h11.send(h11.EndOfMessage()) or b""
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()

    def open_tunnel(self) -> tuple[bytes, bytes]:
        """Agree to CONNECT: the bytes of the response, and what was received beyond the request. Nothing follows."""
        self._over = True
        out = self._h11.send(h11.Response(status_code=200, headers=[], reason="Connection established")) or b""
        return out, bytes(self._h11.trailing_data[0])

    def leave(self) -> bytes:
        """Somebody else answers the request that has ended: what was received beyond it. Nothing follows."""
        self._over = True
        return bytes(self._h11.trailing_data[0])

    def switch(self, headers: Iterable[Header]) -> tuple[bytes, bytes]:
        """Agree to another protocol (`Upgrade`): as `open_tunnel`."""
        self._over = True
        out = self._h11.send(h11.InformationalResponse(status_code=101, headers=list(headers), reason=_phrase(101)))
        return out or b"", bytes(self._h11.trailing_data[0])

    def _translate(self, event: object) -> HttpEvent:
        if isinstance(event, h11.Request):
            return self._head(event)
        if isinstance(event, h11.Data):
            return Piece(bytes(event.data))
        self._awaiting_answer = True
        return End(texts(event.headers) if isinstance(event, h11.EndOfMessage) else ())

    def _head(self, request: h11.Request) -> Head:
        headers = texts(request.headers)
        target = request.target.decode("latin-1")
        method = request.method.decode("latin-1")
        given = next((value for name, value in headers if name == "host"), "")
        return Head(
            method=method,
            target=target,
            host=host_wanted(method, target, given),
            headers=headers,
            expects_continue=self._h11.they_are_waiting_for_100_continue,
            chunked=any(name == "transfer-encoding" for name, _ in headers),
        )

    def _give_up(self, problem: Exception) -> NotHttp:
        self._over = True
        may_answer = self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE)
        return NotHttp(bytes(self._recent), str(problem)[:200], may_answer)


def bare(answer: Answer) -> bytes:
    """A response outside any dialogue, after which the connection closes."""
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines += [f"Content-Length: {answer.body.size}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"".join(answer.body.pieces(0, answer.body.size))


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
