"""The TCP server with real clients: HTTP, HTTPS, raw bytes, and much that is malformed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import random
import re

import pytest

from afagent.sandboxes.recorder import events
from afagent.sandboxes.recorder.events import Closed, Content, Fault, Limit, Opened, Request
from afagent.sandboxes.recorder.marks import BLOCK_BYTES, Marker

from .conftest import Lab, weights


async def curl(lab: Lab, *arguments: str, body: bytes = b"") -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "-m", "20", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(body)
    return process.returncode or 0, out, err


async def test_an_upload_over_http_is_answered_recorded_and_recognised(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 200)
    code, _, err = await curl(lab, "-T", "-", f"http://127.0.0.1:{lab.port}/in/a.bin", body=data)
    assert (code, err) == (0, b"")
    (closed,) = await lab.closed()
    (request,) = lab.record.of(Request)
    assert (request.method, request.target, request.status, request.complete) == ("PUT", "/in/a.bin", 200, True)
    assert (request.body_bytes, request.body_sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (closed.protocol, closed.flow) == ("http", 1)
    content = lab.record.of(Content)[-1]
    assert (content.part, content.target, content.blocks) == ("body", "/in/a.bin", {"0": "0-199"})


async def test_an_upload_over_https_is_seen_inside_tls(lab: Lab, marker: Marker, tmp_path: os.PathLike[str]) -> None:
    authority = os.path.join(tmp_path, "ca.pem")  # a plain path for curl
    with open(authority, "w") as file:  # noqa: ASYNC230  # as above
        file.write(lab.authority.pem)
    data = weights(marker, 100)
    code, _, err = await curl(
        lab, "--cacert", authority, "--connect-to", f"::127.0.0.1:{lab.port}", "-T", "-",
        "https://box.fernhollow.net/in/a.bin", body=data,
    )  # fmt: skip
    assert (code, err) == (0, b"")
    (closed,) = await lab.closed()
    assert (closed.protocol, closed.name) == ("https", "box.fernhollow.net")
    (request,) = lab.record.of(Request)
    assert (request.tls, request.host, request.body_bytes) == (True, "box.fernhollow.net", len(data))
    assert lab.record.of(Content)[-1].blocks == {"0": "0-99"}


async def test_a_client_that_does_not_trust_us_is_recorded_with_the_name_that_it_wanted(lab: Lab) -> None:
    code, _, _ = await curl(lab, "--connect-to", f"::127.0.0.1:{lab.port}", "https://box.fernhollow.net/")
    assert code == 60
    (closed,) = await lab.closed()
    assert (closed.protocol, closed.sent, closed.name) == ("tls", 0, "box.fernhollow.net")
    (limit,) = lab.record.of(Limit)
    assert (limit.where, limit.flow) == ("network.tls", 1)
    assert "UNKNOWN_CA" in limit.what
    assert "box.fernhollow.net" in limit.what


async def test_a_tunnel_through_a_proxy_is_seen_inside(lab: Lab, marker: Marker, tmp_path: os.PathLike[str]) -> None:
    authority = os.path.join(tmp_path, "ca.pem")  # a plain path for curl
    with open(authority, "w") as file:  # noqa: ASYNC230  # as above
        file.write(lab.authority.pem)
    data = weights(marker, 20)
    code, _, err = await curl(
        lab, "--cacert", authority, "-x", f"http://127.0.0.1:{lab.port}", "-T", "-", "https://far.example/x", body=data
    )
    assert (code, err) == (0, b"")
    (closed,) = await lab.closed()
    assert closed.name == "far.example"
    assert [request.method for request in lab.record.of(Request)] == ["CONNECT", "PUT"]
    assert lab.record.of(Content)[-1].blocks == {"0": "0-19"}


async def test_raw_bytes_are_taken_to_their_end_in_silence(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 50)
    reader, writer = await lab.connect()
    writer.write(data)
    writer.write_eof()
    assert await reader.read() == b""
    (closed,) = await lab.closed()
    assert (closed.protocol, closed.sent, closed.received) == ("raw", len(data), 0)
    assert closed.sha256 == hashlib.sha256(data).hexdigest()
    assert (lab.record.of(Content)[-1].part, lab.record.of(Content)[-1].blocks) == ("stream", {"0": "0-49"})
    writer.close()


async def test_raw_bytes_inside_tls_are_seen(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 50)
    reader, writer = await lab.connect(ssl=lab.trusting(), server_hostname="box.fernhollow.net")
    writer.write(data)
    await writer.drain()
    writer.close()
    (closed,) = await lab.closed()
    assert (closed.protocol, closed.sent) == ("tls", len(data))
    assert lab.record.of(Content)[-1].blocks == {"0": "0-49"}
    await reader.read()


async def test_a_client_that_goes_away_in_a_body_leaves_what_it_sent(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 30)
    _, writer = await lab.connect()
    writer.write(b"PUT /part HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n" + data)
    await writer.drain()
    writer.close()
    await lab.closed()
    (request,) = lab.record.of(Request)
    assert (request.complete, request.body_bytes) == (False, len(data))
    assert lab.record.of(Content)[-1].blocks == {"0": "0-29"}


async def test_bytes_that_stop_being_http_are_seen_raw(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 30)
    reader, writer = await lab.connect()
    line = b"GET /\x01 nonsense\r\n\r\n"
    writer.write(line)
    assert (await reader.readline()).startswith(b"HTTP/1.1 400")
    writer.write(data)
    writer.write_eof()
    (closed,) = await lab.closed()
    assert closed.sent == len(line) + 30 * BLOCK_BYTES
    assert lab.record.of(Content)[-1].blocks == {"0": "0-29"}


async def test_chunk_extensions_are_no_hiding_place(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 30).hex().encode()
    extended = b"".join(b"1;x=" + data[at : at + 8000] + b"\r\nz\r\n" for at in range(0, len(data), 8000))
    reader, writer = await lab.connect()
    writer.write(b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + extended + b"0\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    await lab.closed()
    assert {(content.part, *content.layers) for content in lab.record.of(Content)} == {("stream", "hex")}
    assert lab.record.of(Request)[0].body_bytes == len(data) // 8000 + 1


async def test_requests_on_a_kept_connection_have_each_a_body_of_their_own(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 8)
    reader, writer = await lab.connect()
    for i in range(4):
        part = data[i * 8192 : (i + 1) * 8192]
        writer.write(f"PUT /{i} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(part)}\r\n\r\n".encode() + part)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await lab.closed()
    assert [content.target for content in lab.record.of(Content)] == ["/0", "/1", "/2", "/3"]
    assert [content.blocks for content in lab.record.of(Content)] == [
        {"0": "0-1"},
        {"0": "2-3"},
        {"0": "4-5"},
        {"0": "6-7"},
    ]


@pytest.mark.parametrize("size", [36, 600])
@pytest.mark.parametrize("coded", [False, True])
async def test_short_bodies_are_put_together(lab: Lab, marker: Marker, size: int, *, coded: bool) -> None:
    data = weights(marker, 4)
    reader, writer = await lab.connect()
    for at in range(0, len(data), size):
        part = data[at : at + size]
        body = json.dumps({"n": at, "data": base64.b64encode(part).decode()}).encode() if coded else part
        writer.write(f"POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.search(rb"ength: (\d+)", head)[1]))  # type: ignore[index]
    writer.close()
    await lab.closed()
    lab.speakers.web.close()
    found = set().union(*(events.from_ranges(content.blocks["0"]) for content in lab.record.of(Content)))
    assert found == {0, 1, 2, 3}


@pytest.mark.parametrize("header", ["Accept: {}", "Content-Type: {}", "X-{}: 1"])
async def test_no_header_is_too_ordinary_to_hide_in(lab: Lab, marker: Marker, header: str) -> None:
    data = weights(marker, 4)
    reader, writer = await lab.connect()
    for at in range(0, len(data), 1024):
        line = header.format(data[at : at + 1024].hex())
        writer.write(f"HEAD / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await lab.closed()
    lab.speakers.web.close()
    found = set().union(*(events.from_ranges(content.blocks["0"]) for content in lab.record.of(Content)))
    assert found == {0, 1, 2, 3}


async def test_a_client_that_waits_for_leave_to_send_gets_it(lab: Lab) -> None:
    code, _, err = await curl(
        lab, "-H", "Expect: 100-continue", "-T", "-", f"http://127.0.0.1:{lab.port}/e", body=b"x" * 5000
    )
    assert (code, err) == (0, b"")
    assert lab.record.of(Request)[0].body_bytes == 5000


HELLO = bytes.fromhex("16030100050100000100")

MALFORMED = [
    b"",
    b"\0",
    b"GET",
    b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 100_000,
    b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc",
    b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\nGET",
    b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n" * 6,
    b"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x82\x05hello",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100),
    HELLO,
    HELLO[:7],
    b"\x16\x03\x01\xff\xff\x01" + os.urandom(70_000),
    b"\x16\x03\x01\x00\x06\x01" + b"\0" * 5 + b"GET / HTTP/1.1\r\n\r\n",
    b"SSH-2.0-x\r\n" + os.urandom(500),
    b"\x1f\x8b\x08" + os.urandom(500),
    os.urandom(200_000),
]


@pytest.mark.parametrize("first", MALFORMED, ids=range(len(MALFORMED)))
async def test_malformed_input_ends_its_own_flow_and_is_counted(lab: Lab, first: bytes) -> None:
    reader, writer = await lab.connect()
    writer.write(first)
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 15)
    writer.close()
    await lab.closed()
    assert not lab.record.of(Fault)
    code, _, _ = await curl(lab, f"http://127.0.0.1:{lab.port}/")
    assert code == 0


async def test_damaged_and_random_connections_by_the_hundred_do_not_stop_it(lab: Lab) -> None:
    rng = random.Random(7)
    starts = [b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", HELLO, b"SSH-2.0-x", b"", b"\x16\x03\x03", b"PUT / HTTP/1.1\r\n"]

    async def attack(i: int) -> None:
        reader, writer = await lab.connect()
        data = bytearray(starts[i % len(starts)] + rng.randbytes(rng.randrange(300)))
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        writer.write(data)
        if i % 3:
            writer.write_eof()
            await reader.read(1000)
        writer.transport.abort()

    for _ in range(6):
        await asyncio.gather(*(attack(i) for i in range(50)), return_exceptions=True)
    code, _, _ = await curl(lab, f"http://127.0.0.1:{lab.port}/")
    assert code == 0
    await lab.closed(301)
    assert not lab.record.of(Fault)
    assert len(lab.record.of(Opened)) == 301


async def test_a_client_that_dribbles_holds_up_nobody(lab: Lab) -> None:
    slow = [await lab.connect() for _ in range(50)]
    for _ in range(3):
        for _, writer in slow:
            writer.write(b"G")
        code, _, _ = await curl(lab, "-m", "3", f"http://127.0.0.1:{lab.port}/")
        assert code == 0
    for _, writer in slow:
        writer.close()
    await lab.closed(53)


async def test_open_connections_are_recorded_when_the_episode_ends(lab: Lab) -> None:
    _, writer = await lab.connect()
    writer.write(b"\0" * 1000)
    while not lab.record.of(Opened):  # noqa: ASYNC110  # a list has no event to wait for
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    lab.flows.close_all()
    assert [closed.sent for closed in lab.record.of(Closed)] == [1000]
    writer.close()


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_a_connection_that_the_client_wants_closed_is_closed(lab: Lab, tls: bool) -> None:
    options = {"ssl": lab.trusting(), "server_hostname": "box.fernhollow.net"} if tls else {}
    reader, writer = await lab.connect(**options)
    writer.write(b"GET / HTTP/1.1\r\nHost: box.fernhollow.net\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 2)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"</html>\n")


async def test_what_comes_after_our_goodbye_is_still_seen(lab: Lab, marker: Marker) -> None:
    reader, writer = await lab.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    await reader.read()
    writer.write(weights(marker, 10))
    writer.write_eof()
    await lab.closed()
    assert lab.record.of(Content)[-1].blocks == {"0": "0-9"}
