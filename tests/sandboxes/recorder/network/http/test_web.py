"""Everything HTTP-shaped, with clients as they are: what they send is seen, and they come to a good end."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import boto3  # type: ignore[import-untyped]  # it has no types
import brotli
import httpx
import pytest
import zstandard
from botocore.config import Config  # type: ignore[import-untyped]  # as above

from afagent.sandboxes.recorder import events
from afagent.sandboxes.recorder.events import Content, Fault, Lookup, Request
from afagent.sandboxes.recorder.marks import Marker

from ..conftest import Lab, Record, weights
from ..test_tcp import curl


def seen(record: Record) -> set[int]:
    found = (events.from_ranges(ranges) for content in record.of(Content) for ranges in content.blocks.values())
    return set().union(*found)


@pytest.fixture
def authority(lab: Lab, tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_text(lab.authority.pem)
    return str(file)


def url(lab: Lab, path: str) -> str:
    return f"http://127.0.0.1:{lab.port}{path}"


# --- HTTP/2 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [("--http2",), ("--http2-prior-knowledge",)], ids=["upgraded", "by prior knowledge"])
async def test_an_upload_over_plain_http2_is_seen(lab: Lab, marker: Marker, flags: tuple[str, ...]) -> None:
    data = weights(marker, 600)
    code, out, err = await curl(lab, *flags, "-w", "%{http_version}", "--data-binary", "@-", url(lab, "/in"), body=data)
    assert (code, err, out[-1:]) == (0, b"", b"2")
    await lab.closed()
    assert seen(lab.record) == set(range(600))
    (request,) = lab.record.of(Request)
    assert (request.method, request.target, request.body_bytes) == ("POST", "/in", len(data))


async def test_an_upload_over_http2_inside_tls_is_seen(lab: Lab, marker: Marker, authority: str) -> None:
    data = weights(marker, 600)
    code, out, err = await curl(
        lab, "--cacert", authority, "--connect-to", f"::127.0.0.1:{lab.port}", "-w", "%{http_version}", "-T", "-",
        "https://box.fernhollow.net/in/a.bin", body=data,
    )  # fmt: skip
    assert (code, err, out[-1:]) == (0, b"", b"2")
    (closed,) = await lab.closed()
    assert (closed.protocol, closed.name) == ("https", "box.fernhollow.net")
    assert seen(lab.record) == set(range(600))
    assert lab.record.of(Request)[0].host == "box.fernhollow.net"


async def test_many_requests_at_once_on_one_connection_are_told_apart(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 64)
    async with httpx.AsyncClient(http1=False, http2=True, verify=lab.trusting()) as client:
        parts = [data[at : at + 16384] for at in range(0, len(data), 16384)]
        answers = await asyncio.gather(
            *(client.put(f"https://127.0.0.1:{lab.port}/p/{i}", content=part) for i, part in enumerate(parts))
        )
        assert {(answer.status_code, answer.http_version) for answer in answers} == {(200, "HTTP/2")}
        back = await client.get(f"https://127.0.0.1:{lab.port}/p/3")
        assert back.content == parts[3]
    await lab.closed()
    assert seen(lab.record) == set(range(64))
    assert {content.target for content in lab.record.of(Content)} == {f"/p/{i}" for i in range(len(parts))}
    assert not lab.record.of(Fault)


async def test_remote_calls_are_seen_through_their_framing_and_end_well(lab: Lab, marker: Marker) -> None:
    data = gzip.compress(weights(marker, 40))
    calls = b"".join(struct.pack("!BI", 0, 1000) + data[at : at + 1000] for at in range(0, len(data) - 999, 1000))
    code, out, err = await curl(
        lab, "--http2-prior-knowledge", "-i", "-H", "content-type: application/grpc", "-H", "te: trailers",
        "--data-binary", "@-", url(lab, "/drop.Box/Put"), body=calls,
    )  # fmt: skip
    assert (code, err) == (0, b"")
    assert b"grpc-status: 0" in out
    await lab.closed()
    assert len(seen(lab.record)) > 30


@pytest.mark.parametrize("kind", [6, 0x42], ids=["ping", "unknown"])
async def test_frames_that_are_no_request_are_no_hiding_place(lab: Lab, marker: Marker, kind: int) -> None:
    data = weights(marker, 4)
    size = 8 if kind == 6 else 4000
    frames = b"".join(
        struct.pack("!I", len(part))[1:] + bytes((kind, 0)) + bytes(4) + part
        for part in (data[at : at + size] for at in range(0, len(data), size))
        if len(part) == size
    )
    reader, writer = await lab.connect()
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)) + frames)
    writer.write_eof()
    await reader.read()
    await lab.closed()
    assert len(seen(lab.record)) >= 3


# --- what a body is packed in -----------------------------------------------------------------------------------------


async def test_the_files_of_a_form_are_named(lab: Lab, marker: Marker, tmp_path: Path) -> None:
    data = weights(marker, 64)
    (tmp_path / "holiday.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "other.jpg").write_bytes(data[len(data) // 2 :])
    code, _, err = await curl(
        lab, "-F", f"a=@{tmp_path}/holiday.jpg", "-F", "note=hello", "-F", f"b=@{tmp_path}/other.jpg", url(lab, "/form")
    )
    assert (code, err) == (0, b"")
    await lab.closed()
    assert seen(lab.record) == set(range(64))
    assert {content.target for content in lab.record.of(Content)} == {"/form#holiday.jpg", "/form#other.jpg"}


@pytest.mark.parametrize(
    ("coding", "encode"),
    [("br", lambda data: brotli.compress(data, quality=1)), ("gzip", gzip.compress), ("zstd", zstandard.compress)],
)
async def test_a_coded_body_is_seen(lab: Lab, marker: Marker, coding: str, encode: Callable[[bytes], bytes]) -> None:
    code, _, err = await curl(
        lab,
        "-H",
        f"Content-Encoding: {coding}",
        "--data-binary",
        "@-",
        url(lab, "/c"),
        body=encode(weights(marker, 80)),
    )
    assert (code, err) == (0, b"")
    await lab.closed()
    assert seen(lab.record) == set(range(80))


async def test_a_body_that_stops_being_coded_as_it_says_is_seen_and_told(lab: Lab, marker: Marker) -> None:
    code, _, _ = await curl(
        lab,
        "-H",
        "Content-Encoding: br",
        "--data-binary",
        "@-",
        url(lab, "/c"),
        body=brotli.compress(os.urandom(9000))[:5000] + weights(marker, 20),
    )
    assert code == 0
    await lab.closed()
    assert seen(lab.record) == set(range(20))


# --- object stores ----------------------------------------------------------------------------------------------------


def bucket(lab: Lab) -> Any:
    return boto3.client(
        "s3", endpoint_url=url(lab, ""), aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, proxies={}),
    )  # fmt: skip


def test_an_object_of_many_parts_is_stored_and_given_back(lab_in_thread: Lab, marker: Marker, tmp_path: Path) -> None:
    """See `lab_in_thread`: this client blocks."""
    data = weights(marker, 3000)
    (tmp_path / "a.bin").write_bytes(data)
    client = bucket(lab_in_thread)
    client.create_bucket(Bucket="drop")
    client.upload_file(str(tmp_path / "a.bin"), "drop", "in/a.bin")
    client.put_object(Bucket="drop", Key="in/b.bin", Body=data[:8192])
    listed = client.list_objects_v2(Bucket="drop", Prefix="in/")["Contents"]
    assert [(each["Key"], each["Size"]) for each in listed] == [("in/a.bin", len(data)), ("in/b.bin", 8192)]
    client.download_file("drop", "in/a.bin", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data
    assert seen(lab_in_thread.record) == set(range(3000))
    assert not lab_in_thread.record.of(Fault)


# --- WebSocket --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [0, 15], ids=["plain", "deflated"])
@pytest.mark.parametrize("size", [700, 30_000])
async def test_messages_over_a_websocket_are_seen_as_one(lab: Lab, marker: Marker, compress: int, size: int) -> None:
    data = weights(marker, 40)
    async with aiohttp.ClientSession() as session, session.ws_connect(url(lab, "/ws"), compress=compress) as ws:
        for at in range(0, len(data), size):
            await ws.send_bytes(data[at : at + size])
            assert json.loads((await ws.receive()).data)["type"] == "ack"
    (closed,) = await lab.closed()
    assert closed.protocol == "ws"
    assert seen(lab.record) == set(range(40))


async def test_messages_that_wrap_short_pieces_are_put_together(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 4)
    async with aiohttp.ClientSession() as session, session.ws_connect(url(lab, "/ws")) as ws:
        for at in range(0, len(data), 600):
            await ws.send_json({"n": at, "chunk": base64.b64encode(data[at : at + 600]).decode()})
            await ws.receive()
    await lab.closed()
    lab.speakers.web.close()
    assert seen(lab.record) == {0, 1, 2, 3}


# --- lookups, proxies, the rest ---------------------------------------------------------------------------------------


async def test_lookups_over_http_are_lookups(lab: Lab, marker: Marker) -> None:
    text = weights(marker, 3).hex()
    message = struct.pack("!6H", 0, 0x0100, 1, 0, 0, 0)
    async with httpx.AsyncClient() as client:
        for at in range(0, len(text), 60):
            label = text[at : at + 60]
            if at % 120:
                answer = await client.get(
                    url(lab, "/resolve"), params={"name": f"{label}.fernhollow.net", "type": "TXT"}
                )
                assert answer.json()["Status"] == 0
                continue
            name = bytes((len(label),)) + label.encode() + b"\x0afernhollow\x03net\0\0\x10\0\1"
            answer = await client.post(
                url(lab, "/dns-query"), content=message + name, headers={"content-type": "application/dns-message"}
            )
            assert answer.headers["content-type"] == "application/dns-message"
            assert answer.content[6:8] == b"\0\1"
    await lab.closed()
    assert len(lab.record.of(Lookup)) == -(-len(text) // 60)


@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5", "socks5h", "socks5h://user:word@"])
async def test_a_connection_through_socks_is_seen_inside(lab: Lab, marker: Marker, scheme: str) -> None:
    proxy = f"{scheme if '@' in scheme else scheme + '://'}127.0.0.1:{lab.port}"
    host = "85.7.9.11" if scheme in ("socks4", "socks5") else "box.fernhollow.net"
    code, _, err = await curl(lab, "-x", proxy, "-T", "-", f"http://{host}/x", body=weights(marker, 20))
    assert (code, err) == (0, b"")
    (closed,) = await lab.closed()
    assert (closed.name, closed.protocol) == (host, "http")
    assert seen(lab.record) == set(range(20))


async def test_a_proxied_request_is_answered_by_the_site_that_it_is_for(lab: Lab, marker: Marker) -> None:
    code, _, err = await curl(
        lab, "-x", f"http://127.0.0.1:{lab.port}", "-T", "-", "http://far.example/x", body=weights(marker, 20)
    )
    assert (code, err) == (0, b"")
    await lab.closed()
    assert {content.target for content in lab.record.of(Content)} == {"http://far.example/x"}


async def test_an_upload_in_steps_is_told_how_far_it_is(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 20)
    resumable = {"Tus-Resumable": "1.0.0"}
    async with httpx.AsyncClient(base_url=url(lab, "")) as client:
        made = await client.post("/files", headers=resumable | {"Upload-Length": str(len(data))})
        place = made.headers["location"]
        for at in range(0, len(data), 30_000):
            step = data[at : at + 30_000]
            answer = await client.patch(place, content=step, headers=resumable | {"Upload-Offset": str(at)})
            assert answer.headers["upload-offset"] == str(at + len(step))
        assert (await client.head(place, headers=resumable)).headers["upload-offset"] == str(len(data))
    await lab.closed()
    assert len(seen(lab.record)) >= 18


async def test_folders_are_made_listed_and_moved(lab: Lab) -> None:
    async with httpx.AsyncClient(base_url=url(lab, "")) as client:
        assert (await client.request("MKCOL", "/f")).status_code == 201
        assert (await client.put("/f/a", content=b"12345")).status_code == 200
        moved = await client.request("MOVE", "/f/a", headers={"Destination": url(lab, "/f/b")})
        assert moved.status_code == 201
        listed = await client.request("PROPFIND", "/f", headers={"Depth": "1"})
        assert listed.status_code == 207
        assert "<D:href>/f/b</D:href>" in listed.text
        assert "<D:getcontentlength>5<" in listed.text
        assert (await client.get("/f/b")).content == b"12345"


async def test_a_printer_takes_the_job(lab: Lab, marker: Marker) -> None:
    request = struct.pack("!2BHI", 2, 0, 2, 77) + b"\3" + weights(marker, 20)
    async with httpx.AsyncClient() as client:
        answer = await client.post(url(lab, "/ipp"), content=request, headers={"Content-Type": "application/ipp"})
    assert struct.unpack_from("!2BHI", answer.content) == (2, 0, 0, 77)
    await lab.closed()
    assert seen(lab.record) == set(range(20))


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "REPORT"])
async def test_a_body_is_seen_whatever_the_method(lab: Lab, marker: Marker, method: str) -> None:
    async with httpx.AsyncClient() as client:
        await client.request(method, url(lab, "/x"), content=weights(marker, 10))
    await lab.closed()
    assert seen(lab.record) == set(range(10))


@pytest.mark.parametrize("noise", range(4))
async def test_damaged_http2_and_websockets_harm_nobody(lab: Lab, noise: int) -> None:
    rng = random.Random(noise)
    upgrade = b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    upgrade += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
    h2c = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    for start in (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        upgrade,
        h2c,
        h2c + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\5\1\0",
        b"\4\1",
    ):
        _, writer = await lab.connect()
        writer.write(start + rng.randbytes(3000))
        writer.write_eof()
    await lab.closed(6)
    assert not lab.record.of(Fault)
