"""HTTP/1.1, as bytes in and events out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.network.http.http1 import Dialogue, End, HttpEvent, NotHttp, Piece
from afagent.sandboxes.recorder.network.http.messages import Answer, Bytes, Head

PUT = b"PUT /v1/a.bin HTTP/1.1\r\nHost: Store.example:8443\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: 1\r\n\r\n"
)
GET = b"GET /?q=1 HTTP/1.1\r\nHost: [2a01::5]\r\n\r\n"


def converse(stream: bytes, sizes: list[int]) -> list[HttpEvent]:
    """All events of a stream that arrives in pieces of the given sizes, each request answered; bodies joined."""
    dialogue = Dialogue()
    found: list[HttpEvent] = []
    method = ""
    at = 0
    for size in [*sizes, len(stream)]:
        events = dialogue.receive(stream[at : at + size]) if stream[at : at + size] else []
        at += size
        while events:
            for event in events:
                if isinstance(event, Head):
                    method = event.method
                if isinstance(event, End):
                    assert b"".join(
                        dialogue.respond(Answer(403 if method == "CONNECT" else 200, Bytes(b"ok")), method=method)
                    )
                last = found[-1] if found else None
                if isinstance(event, Piece) and isinstance(last, Piece):
                    found[-1] = Piece(last.data + event.data)
                else:
                    found.append(event)
            events = dialogue.proceed()
    return found


def test_a_request_with_a_body_is_read() -> None:
    head, body, end = converse(PUT, [])
    assert isinstance(head, Head)
    assert (head.method, head.target, head.host, head.path, head.chunked) == (
        "PUT",
        "/v1/a.bin",
        "store.example",
        "/v1/a.bin",
        False,
    )
    assert (body, end) == (Piece(b"hello"), End())


def test_a_chunked_body_is_read_with_its_trailers() -> None:
    head, body, end = converse(CHUNKED, [])
    assert isinstance(head, Head)
    assert head.chunked
    assert (body, end) == (Piece(b"hello world"), End((("t", "1"),)))


def test_requests_follow_one_another_on_a_connection() -> None:
    found = converse(PUT + CHUNKED + GET, [])
    assert [event.method for event in found if isinstance(event, Head)] == ["PUT", "POST", "GET"]


@pytest.mark.parametrize(
    ("request_line", "host"),
    [
        (b"GET / HTTP/1.1\r\nHost: a.example", "a.example"),
        (b"GET http://b.example:81/x HTTP/1.1\r\nHost: a.example", "b.example"),
        (b"CONNECT c.example:443 HTTP/1.1\r\nHost: a.example", "c.example"),
        (b"GET / HTTP/1.0", ""),
        (b"GET / HTTP/1.1\r\nHost: [::1", ""),
    ],
)
def test_the_host_is_the_one_that_the_client_wants(request_line: bytes, host: str) -> None:
    head = converse(request_line + b"\r\n\r\n", [])[0]
    assert isinstance(head, Head)
    assert head.host == host


def test_a_waiting_client_is_asked_for_the_body() -> None:
    dialogue = Dialogue()
    (head,) = dialogue.receive(b"PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert isinstance(head, Head)
    assert head.expects_continue
    assert dialogue.go_on().startswith(b"HTTP/1.1 100")
    assert dialogue.receive(b"abc") == [Piece(b"abc"), End()]


def test_head_gets_no_body() -> None:
    dialogue = Dialogue()
    dialogue.receive(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
    out = b"".join(dialogue.respond(Answer(200, Bytes(b"body")), method="HEAD"))
    assert b"Content-Length: 4" in out
    assert out.endswith(b"\r\n\r\n")


def test_a_tunnel_hands_over_what_came_after_the_request() -> None:
    dialogue = Dialogue()
    dialogue.receive(b"CONNECT c.example:443 HTTP/1.1\r\nHost: c.example:443\r\n\r\n\x16\x03\x01")
    out, rest = dialogue.open_tunnel()
    assert out.startswith(b"HTTP/1.1 200")
    assert b"content-length" not in out.lower()
    assert rest == b"\x16\x03\x01"
    assert dialogue.over


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET the whole data\r\n\r\n",
        b"G\r\n\r\n",
        b"\r\n\r\n\0\0\0\0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 70_000,
        b"GET /" + b"z" * 70_000,
    ],
)
def test_what_is_not_http_is_handed_back_whole(stream: bytes) -> None:
    found = converse(stream, [])
    last = found[-1]
    assert isinstance(last, NotHttp)
    given = b"".join(event.data for event in found if isinstance(event, Piece))
    assert last.rest.endswith(stream[-40:])
    if not any(isinstance(event, Head) for event in found):
        assert last.rest == stream
    assert len(given) <= len(stream)


def test_a_line_that_h11_forgot_is_handed_back_however_it_arrived() -> None:
    stream = b"PUT secret-payload-in-a-bad-line\r\n\r\n"
    for size in range(1, len(stream)):
        last = converse(stream, [size])[-1]
        assert isinstance(last, NotHttp)
        assert last.rest == stream


@given(st.lists(st.integers(1, 40), max_size=30))
def test_where_the_bytes_are_cut_changes_nothing(sizes: list[int]) -> None:
    stream = PUT + CHUNKED + GET
    assert converse(stream, sizes) == converse(stream, [])


@given(st.lists(st.binary(max_size=80), max_size=12))
def test_arbitrary_bytes_never_raise(pieces: list[bytes]) -> None:
    converse(b"".join(pieces), [len(piece) for piece in pieces])


@given(st.binary(max_size=60), st.integers(0, len(CHUNKED)), st.integers(0, 60))
def test_damaged_requests_never_raise(noise: bytes, at: int, size: int) -> None:
    stream = CHUNKED[:at] + noise + CHUNKED[at + size :] + PUT
    converse(stream, [at])
