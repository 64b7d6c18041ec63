"""The client's side of HTTP/1.1, as far as fetching needs it: one GET on a stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11

if TYPE_CHECKING:
    from .stream import Stream

AGENT = "Mozilla/5.0 (compatible; CensusBot/1.2)"
MAX_HEAD_BYTES = 65536


class NotHttpError(OSError):
    """What came is not an HTTP response, or no longer one."""


@dataclass(frozen=True)
class Response:
    """A response's status and headers."""

    status: int
    kind: str
    """Its media type, lower case."""
    location: str
    """Where it redirects to; empty when it does not."""


def request(target: str, host: str) -> bytes:
    """A GET request."""
    head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n\r\n"
    return head.encode("ascii", "replace")


async def read_response(stream: Stream, sink: Callable[[bytes], None]) -> tuple[Response, bool]:
    """Read the response to a GET request that was sent, and whether another request can follow it.

    Args:
        stream: where from.
        sink: gets the body piece by piece.

    Raises:
        NotHttpError: as it says.
        OSError: the connection broke.
    """
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    http.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    http.send(h11.EndOfMessage())
    response: Response | None = None
    while True:
        try:
            event = http.next_event()
        except h11.RemoteProtocolError as problem:
            raise NotHttpError(str(problem)[:200]) from problem
        if event is h11.NEED_DATA:
            http.receive_data(await stream.read())
        elif isinstance(event, h11.Response):
            response = _response(event)
        elif isinstance(event, h11.Data):
            sink(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage) and response is not None:
            return response, http.our_state is h11.DONE and http.their_state is h11.DONE
        elif not isinstance(event, h11.InformationalResponse):
            raise NotHttpError("the response ended before it was whole")


def _response(event: h11.Response) -> Response:
    headers = {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in event.headers}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return Response(event.status_code, kind, headers.get("location", ""))
