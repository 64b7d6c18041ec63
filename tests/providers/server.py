"""A server on this machine that speaks a provider's protocol; what speaks it is a `StandIn`.

It forgives nothing: a request that the provider would refuse is refused in the provider's way, and is kept as a
complaint besides, so that no test passes with a client that goes wrong.
"""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .served import Dropped, Failure, Policy, Request, Turn

KEY = "not-a-key"
"""The only key that is let in."""
PATIENCE_SECONDS = 10


class RefusedError(Exception):
    """A request that the provider would not take.

    Args:
        status: of HTTP.
        message: what is wrong.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class StandIn(ABC):
    """A provider's protocol, with a scripted model behind it.

    Args:
        policy: what the model does.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.requests: list[dict[str, Any]] = []
        """Every valid request for a turn of the model, in the order in which they came."""
        self.came: list[float] = []
        """When each of them came, in seconds of a clock that never goes back."""
        self.complaints: list[str] = []
        """What was wrong with the others."""

    @abstractmethod
    def routes(self) -> list[Route]:
        """What is served where."""

    @abstractmethod
    def check(self, http: HttpRequest, body: dict[str, Any]) -> None:
        """Raises `RefusedError` where the provider would refuse."""

    @abstractmethod
    def failure(self, status: int, message: str) -> dict[str, Any]:
        """The body of an error."""

    @abstractmethod
    def whole(self, request: Request, turn: Turn) -> dict[str, Any]:
        """A turn of the model as one body."""

    @abstractmethod
    def pieces(self, answer: dict[str, Any], body: dict[str, Any]) -> Iterator[bytes]:
        """The same body as it is streamed, in answer to a request."""

    async def generate(self, http: HttpRequest) -> Response:
        """Answers a request for a turn of the model."""
        try:
            body = await self.read(http)
        except RefusedError as refused:
            return self.fail(refused.status, refused.message)
        request = Request(body, len(self.requests))
        self.requests.append(body)
        self.came.append(time.monotonic())
        reply = self.policy(request)
        if isinstance(reply, Failure):
            headers = {} if reply.retry_after is None else {"retry-after": f"{reply.retry_after:g}"}
            return self.fail(reply.status, "The service is busy.", headers)
        answer = self.whole(request, reply.turn if isinstance(reply, Dropped) else reply)
        return self._send(answer, body, broken=isinstance(reply, Dropped))

    async def read(self, http: HttpRequest) -> dict[str, Any]:
        """The body of a request, once it is known to be valid; whatever is wrong is kept as a complaint."""
        try:
            body = _object(await http.body())
            self.check(http, body)
        except RefusedError as refused:
            self.complaints.append(f"{http.url.path}: {refused.message}")
            raise
        return body

    def fail(self, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
        """An error in the provider's way."""
        return Response(json.dumps(self.failure(status, message)), status, headers, "application/json")

    def _send(self, answer: dict[str, Any], body: dict[str, Any], *, broken: bool) -> Response:
        if body.get("stream"):
            pieces = list(self.pieces(answer, body))
            return (
                Broken(pieces[: len(pieces) // 2], media_type="text/event-stream")
                if broken
                else StreamingResponse(iter(pieces), media_type="text/event-stream")
            )
        content = json.dumps(answer).encode()
        if broken:
            return Broken([content[: len(content) // 2]], media_type="application/json", length=len(content))
        return Response(content, media_type="application/json")


class Broken(Response):
    """An answer that ends before its end: the server closes the connection, as it does where a program breaks off."""

    def __init__(self, pieces: Sequence[bytes], *, media_type: str, length: int | None = None) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        if length is not None:
            self.headers["content-length"] = str(length)
        self.pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the pieces, and no end."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})


def sse(data: object, event: str | None = None) -> bytes:
    """One event of a stream, as lines."""
    named = f"event: {event}\n" if event else ""
    return f"{named}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


@contextmanager
def serving(stand_in: StandIn) -> Iterator[str]:
    """Serves it on 127.0.0.1 while the block runs; the value is its address, without a path.

    Raises:
        AssertionError: at the end, where a client made a request that was not valid.
    """
    app = Starlette(routes=stand_in.routes())
    # No connection is kept: Inspect leaves its clients open at the end, and an open socket is a warning in a test.
    headers = [("connection", "close")]
    config = uvicorn.Config(app, "127.0.0.1", 0, log_level="critical", ws="none", lifespan="off", headers=headers)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="provider", daemon=True)
    thread.start()
    try:
        _wait(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.force_exit = server.should_exit = True
        thread.join(PATIENCE_SECONDS)
    assert not stand_in.complaints, stand_in.complaints


def _object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError as error:
        raise RefusedError(400, f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise RefusedError(400, "the body is no object")
    return body


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.01)
