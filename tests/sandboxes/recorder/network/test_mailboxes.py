"""IMAP, POP3, NNTP, MQTT, printers and questions of one line, on the ports that are theirs."""

from __future__ import annotations

import asyncio
import imaplib
import poplib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from afagent.sandboxes.recorder.events import Content, from_ranges
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network.by_port import ByPort
from afagent.sandboxes.recorder.network.flow import Flow, Flows
from afagent.sandboxes.recorder.network.mail.imap import Imap
from afagent.sandboxes.recorder.network.mail.manners import NNTP, POP3, Mannered
from afagent.sandboxes.recorder.network.mail.post import Post
from afagent.sandboxes.recorder.network.mqtt import Mqtt
from afagent.sandboxes.recorder.network.sight import Scribe
from afagent.sandboxes.recorder.network.sniff import Kind, sniff
from afagent.sandboxes.recorder.network.speaker import Board, Call, Speaker
from afagent.sandboxes.recorder.network.stream import PlainStream
from afagent.sandboxes.recorder.network.tls import CertificateAuthority

from .conftest import Record, weights

AUTHORITY = CertificateAuthority("Tarnvale")


class _Nobody:
    """No conversation here has another within."""

    async def speak(self, call: Call) -> None:
        raise AssertionError(call)

    async def connect(self, stream: object, host: str, port: int) -> None:
        raise AssertionError(host)


@asynccontextmanager
async def speaking(
    scribe: Scribe, port: int, make: Callable[[Post], Speaker], greeting: bytes = b""
) -> AsyncIterator[tuple[int, list[Flow]]]:
    """A loopback port at which a protocol is spoken, as if it were `port` of a host of the world."""
    post, flows, board = Post(scribe), Flows(scribe), _Nobody()
    speaker, seen = make(post), list[Flow]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flow = flows.open("tcp", "85.7.9.11", port, "box.fernhollow.net")
        seen.append(flow)
        checked: Board = board
        writer.write(greeting)
        await speaker.speak(Call(PlainStream(reader, writer), flow, checked))
        flow.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], seen
    server.close()
    await server.wait_closed()
    post.close()
    flows.close_all()


async def said(port: int, text: bytes) -> bytes:
    """What is answered to bytes of a client that then waits for the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def best(record: Record) -> tuple[str | None, dict[str, str]]:
    """The target and the blocks of what was seen as a letter or a message."""
    told = [content for content in record.of(Content) if content.part in ("letter", "body")]
    return told[-1].target, told[-1].blocks


async def test_a_letter_is_appended_to_any_mailbox(scribe: Scribe, record: Record, marker: Marker) -> None:
    data = b"Subject: x\r\n\r\n" + weights(marker, 10)

    def work(port: int) -> None:
        with imaplib.IMAP4("127.0.0.1", port, timeout=20) as client:
            client.login("me", "secret")
            assert client.create("Sent")[0] == "OK"
            assert client.append('"Sent"', "\\Seen", "", data)[0] == "OK"
            assert client.select("Sent") == ("OK", [b"0"])
            assert client.search(None, "ALL") == ("OK", [b""])

    async with speaking(scribe, 143, lambda post: Imap(post, AUTHORITY), b"* OK ready\r\n") as (port, flows):
        await asyncio.to_thread(work, port)
    target, blocks = best(record)
    assert target == "Sent"
    assert len(from_ranges(blocks["0"])) >= 9  # the client itself rewrites what looks like half a line break
    assert flows[0].protocol == "imap"


async def test_a_mailbox_is_empty(scribe: Scribe) -> None:
    def work(port: int) -> tuple[int, int]:
        client = poplib.POP3("127.0.0.1", port, timeout=20)
        client.user("me")
        client.pass_("secret")
        assert client.capa()["STLS"] == []
        assert client.list()[1] == []
        found = client.stat()
        client.quit()
        return found

    async with speaking(scribe, 110, lambda post: Mannered(POP3, post, AUTHORITY), b"+OK ready\r\n") as (port, _):
        assert await asyncio.to_thread(work, port) == (0, 0)


async def test_news_are_posted(scribe: Scribe, record: Record, marker: Marker) -> None:
    article = b"Newsgroups: a\r\n\r\n" + weights(marker, 10)
    lines = b"MODE READER\r\nPOST\r\n" + article + b"\r\n.\r\nWHAT\r\nQUIT\r\n"
    async with speaking(scribe, 119, lambda post: Mannered(NNTP, post, AUTHORITY)) as (port, _):
        codes = [line[:3] for line in (await said(port, lines)).splitlines()]
    assert codes == [b"200", b"340", b"240", b"500", b"205"]
    assert best(record)[1] == {"0": "0-9"}


def published(payload: bytes, quality: int) -> bytes:
    body = b"\0\5a/b/c" + (b"\0\7" if quality else b"") + payload
    size, length = len(body), b""
    while size >= 0x80:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([0x30 | quality << 1]) + length + bytes([size]) + body


@pytest.mark.parametrize(("quality", "answer"), [(0, b""), (1, b"\x40\2\0\7"), (2, b"\x50\2\0\7")])
async def test_what_is_published_is_seen_by_its_topic(
    scribe: Scribe, record: Record, marker: Marker, quality: int, answer: bytes
) -> None:
    connect = b"\x10\x0c\0\4MQTT\4\2\0\x3c\0\0"
    text = connect + published(weights(marker, 10), quality) + b"\xc0\0\xe0\0"
    assert sniff(text[:32], 9999) is Kind.MQTT
    async with speaking(scribe, 1883, lambda _: Mqtt(scribe)) as (port, _):
        assert await said(port, text) == b"\x20\2\0\0" + answer + b"\xd0\0"
    assert best(record) == ("a/b/c", {"0": "0-9"})


@pytest.mark.parametrize("text", [b"\x10", b"\x30\x80\x80\x80\x80\x01", b"\x30\x02\xff\xff", b"\x82\x03\0"])
async def test_broken_packets_end_the_conversation(scribe: Scribe, text: bytes) -> None:
    async with speaking(scribe, 1883, lambda _: Mqtt(scribe)) as (port, flows):
        await said(port, text)
    assert flows[0].sent_bytes == len(text)


async def test_a_printer_acknowledges_the_job_and_its_file(scribe: Scribe, record: Record, marker: Marker) -> None:
    data = weights(marker, 10)
    job = b"\2lp\n\3%d dfA001me\n" % len(data) + data + b"\0"
    async with speaking(scribe, 515, lambda _: ByPort(scribe)) as (port, flows):
        assert await said(port, job) == b"\0\0\0"
    assert record.of(Content)[-1].blocks == {"0": "0-9"}
    assert (flows[0].protocol, flows[0].sent_bytes) == ("lpd", len(job))


@pytest.mark.parametrize(("port", "answer"), [(43, b"No match for"), (79, b"Login: a.example"), (70, b"iWelcome")])
async def test_a_question_is_answered_and_the_connection_ended(scribe: Scribe, port: int, answer: bytes) -> None:
    async with speaking(scribe, port, lambda _: ByPort(scribe)) as (at, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", at)
        writer.write(b"a.example\r\n")
        assert (await reader.read()).startswith(answer)
        writer.close()
