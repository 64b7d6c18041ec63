"""Clients that wait to be greeted, and those that only seem to."""

from __future__ import annotations

import asyncio

import pytest

from afagent.sandboxes.recorder.events import Content, Request
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network import switchboard
from afagent.sandboxes.recorder.network.expected import Expected
from afagent.sandboxes.recorder.network.ftp.shelf import Shelf, Spool, absolute
from afagent.sandboxes.recorder.network.greeting import chosen, first_word
from afagent.sandboxes.recorder.network.lines import MAX_LINE, read_line
from afagent.sandboxes.recorder.network.stream import PlainStream

from .conftest import Lab, weights


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard, "SNIFF_SECONDS", 0.2)


async def test_whoever_is_silent_is_greeted_in_words_of_mail_and_files_alike(lab: Lab) -> None:
    reader, _ = await lab.connect()
    assert await reader.readline() == b"220 127.0.0.1 ready\r\n"


async def test_a_client_that_says_something_else_after_the_greeting_is_recognised_anew(lab: Lab) -> None:
    reader, writer = await lab.connect()
    await reader.readline()
    writer.write(b"PUT /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await lab.closed()
    assert [request.target for request in lab.record.of(Request)] == ["/late"]


async def test_a_slow_sender_of_raw_bytes_loses_nothing_by_the_greeting(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 20)
    reader, writer = await lab.connect()
    await reader.readline()
    writer.write(data)
    writer.write_eof()
    assert await reader.read() == b""
    (closed,) = await lab.closed()
    assert (closed.protocol, closed.sent) == ("raw", len(data))
    assert lab.record.of(Content)[-1].blocks == {"0": "0-19"}


async def test_raw_bytes_to_a_file_servers_conversation_are_taken_to_their_end(lab: Lab, marker: Marker) -> None:
    data = weights(marker, 100)
    reader, writer = await lab.connect()
    await reader.readline()
    writer.write(b"USER me\r\n" + data)
    writer.write_eof()
    await reader.read()
    (closed,) = await lab.closed()
    assert (closed.protocol, closed.sent) == ("ftp", len(data) + 9)
    assert lab.record.of(Content)[-1].blocks == {"0": "0-99"}


def test_a_first_word_is_known_in_any_case_and_nothing_else_is() -> None:
    opens = first_word(b"USER", b"AUTH")
    assert opens(b"user me\r\n")
    assert opens(b"AUTH TLS\n")
    assert not any(opens(line) for line in (b"\r\n", b"", b"USERS\r\n", b"\xff\xfe USER"))


def test_a_host_always_says_the_same() -> None:
    texts = ("{host} one", "{host} two", "three")
    assert {chosen("a.example", texts) for _ in range(5)} == {chosen("a.example", texts)}
    assert {chosen(f"h{n}", texts) for n in range(50)} >= {"three"}


async def test_a_line_without_an_end_comes_in_bounded_parts() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"x" * (2 * MAX_LINE + 5) + b"\nnext\n")
    reader.feed_eof()
    stream = PlainStream(reader, None)  # type: ignore[arg-type]  # nothing is written
    sizes = [len(await read_line(stream, 5)) for _ in range(5)]
    assert sizes == [MAX_LINE, MAX_LINE, 6, 5, 0]


async def test_an_announced_connection_is_taken_once_and_only_at_its_address() -> None:
    async def taker(*_: object) -> None: ...

    expected = Expected()
    port = expected.announce("85.7.9.11", taker)
    assert expected.take("85.7.9.12", port) is None
    assert expected.take("85.7.9.11", port) is taker
    assert expected.take("85.7.9.11", port) is None
    other = expected.announce("85.7.9.11", taker)
    expected.withdraw("85.7.9.11", other)
    assert expected.take("85.7.9.11", other) is None


@pytest.mark.parametrize("path", ["../../etc/passwd", "/a/../../b", "a//b/", "", "/", "." * 5000, "a/" * 4000])
def test_no_path_leads_out_of_a_shelf(path: str) -> None:
    found = absolute("/in", path)
    assert found.startswith("/")
    assert not found.startswith("//")
    assert ".." not in found.split("/")


def test_a_shelf_without_room_keeps_the_size_and_gives_no_part_for_the_whole() -> None:
    shelf = Shelf(Spool(10))
    writer = shelf.write("/a/b", None)
    assert writer is not None
    writer.write(b"12345678")
    writer.write(b"12345678")
    entry = shelf.find("/a/b")
    assert entry is not None
    assert (entry.size, entry.content) == (16, None)
    assert shelf.write("/a", None) is None
    shelf.close()


def test_very_deep_folders_are_made_whole_or_not_at_all() -> None:
    shelf = Shelf(Spool())
    assert shelf.make_folder("/a" * 2000)
    assert shelf.find("/a" * 1000) is not None
    assert not shelf.make_folder("/b" * 20_000)
    assert shelf.find("/b") is None
