"""Listeners that are found in the kernel's own table, and what they offer to a stranger."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import http.server
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.events import Content, Fault, Fetched, Limit, Listening
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network.dialling import Dialler
from afagent.sandboxes.recorder.network.fetch import Door, Fetcher
from afagent.sandboxes.recorder.network.flow import Flows
from afagent.sandboxes.recorder.network.listen_table import Listener, ListenTable
from afagent.sandboxes.recorder.network.listeners import Listeners
from afagent.sandboxes.recorder.network.sight import Scribe
from afagent.sandboxes.recorder.network.sock_diag import SockDiag
from afagent.sandboxes.recorder.network.tls import CertificateAuthority

from .conftest import Record, weights

LOOPBACK = "127.0.0.1"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def scribe(record: Record, marker: Marker) -> Scribe:
    return Scribe(record.facts.append, lambda: Look(marker))


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a loopback port."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(accept, LOOPBACK, 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


@contextmanager
def folder_served(folder: Path) -> Iterator[int]:
    """A folder behind Python's own web server."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


async def fetched(scribe: Scribe, port: int, hints: tuple[str, ...] = ()) -> Fetched:
    dialler = Dialler(scribe, [socket.socket() for _ in range(20)], (LOOPBACK,))
    try:
        fetcher = Fetcher(scribe, Flows(scribe), hints)
        return await fetcher.fetch(lambda: dialler.dial(LOOPBACK, LOOPBACK, port), Door(LOOPBACK, port))
    finally:
        dialler.close()


def offered(record: Record) -> dict[str | None, dict[str, str]]:
    return {content.target: content.blocks for content in record.of(Content) if content.part == "offered"}


async def test_all_files_below_a_served_folder_are_taken(
    scribe: Scribe, record: Record, marker: Marker, tmp_path: Path
) -> None:
    deep = tmp_path / "a b" / "c"
    deep.mkdir(parents=True)
    (deep / "w.bin").write_bytes(weights(marker, 30))
    (tmp_path / "x.gz").write_bytes(gzip.compress(weights(marker, 20, shard=1)))
    with folder_served(tmp_path) as port:
        visit = await fetched(scribe, port)
    assert (visit.protocol, visit.complete, visit.objects) == ("http", True, 5)
    assert offered(record)[f"http://{LOOPBACK}:{port}/a%20b/c/w.bin"] == {"0": "0-29"}
    assert offered(record)[f"http://{LOOPBACK}:{port}/x.gz"] == {"1": "0-19"}
    assert record.of(Fault) == []


async def test_a_file_that_no_page_names_is_asked_for_by_its_known_name(
    scribe: Scribe, record: Record, marker: Marker, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<p>Nothing to see.</p>")
    (tmp_path / "model-1.bin").write_bytes(weights(marker, 9))
    with folder_served(tmp_path) as port:
        await fetched(scribe, port, ("/model-1.bin",))
    assert offered(record)[f"http://{LOOPBACK}:{port}/model-1.bin"] == {"0": "0-8"}


@pytest.mark.parametrize("private", [False, True])
async def test_what_a_listener_sends_by_itself_is_taken(
    scribe: Scribe, record: Record, marker: Marker, private: bool
) -> None:
    data = weights(marker, 40)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    tls = CertificateAuthority("Tarnvale").context_for("wk-07") if private else None
    async with serving(serve, tls) as port:
        visit = await fetched(scribe, port)
    assert (visit.protocol, visit.complete) == ("tls" if private else "raw", True)
    assert visit.received >= len(data)
    assert offered(record) == {None: {"0": "0-39"}}


async def test_what_a_listener_sends_before_it_breaks_the_connection_off_is_taken(
    scribe: Scribe, record: Record, marker: Marker
) -> None:
    data = weights(marker, 10)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with serving(serve) as port:
        await fetched(scribe, port)
    assert offered(record) == {None: {"0": "0-9"}}


async def test_a_listener_that_says_nothing_is_told_as_such(scribe: Scribe, record: Record) -> None:
    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readline()

    async with serving(serve) as port:
        visit = await fetched(scribe, port)
    assert (visit.received, visit.complete, visit.protocol) == (0, False, "")
    assert offered(record) == {}


async def test_a_site_that_wants_a_password_was_not_seen_whole(scribe: Scribe) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    async with serving(serve) as port:
        visit = await fetched(scribe, port)
    assert (visit.complete, visit.what) == (False, "it wants a password")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nshort",
        b"HTTP/9 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
async def test_a_broken_answer_is_no_fault_of_the_witness(scribe: Scribe, record: Record, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with serving(serve) as port:
        visit = await fetched(scribe, port)
    assert not visit.complete
    assert record.of(Fault) == []


async def test_nobody_but_the_workstation_is_connected_to(scribe: Scribe, record: Record) -> None:
    dialler = Dialler(scribe, [socket.socket()], ("10.20.3.7",))
    with pytest.raises(PermissionError):
        async with dialler.dial(LOOPBACK, LOOPBACK, 80):
            pass
    dialler.close()
    assert record.facts == []


async def test_connections_that_cannot_be_made_any_more_are_told(scribe: Scribe, record: Record) -> None:
    dialler = Dialler(scribe, [], (LOOPBACK,))
    with pytest.raises(ConnectionAbortedError):
        async with dialler.dial(LOOPBACK, LOOPBACK, 80):
            pass
    dialler.close()
    assert [limit.where for limit in record.of(Limit)] == ["network.dialling"]


def no_answer() -> SockDiag:
    raise FileNotFoundError


@pytest.mark.parametrize("ask", [SockDiag, no_answer], ids=["asked for", "in the tables"])
def test_listeners_are_told_by_the_kernel_and_connections_are_not(ask: Callable[[], SockDiag]) -> None:
    table = ListenTable(ask)
    with (
        socket.create_server((LOOPBACK, 0)) as first,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as second,
        socket.create_connection(first.getsockname()) as busy,
    ):
        names = {first.getsockname()[:2], second.getsockname()[:2]}
        found = {(listener.address, listener.port) for listener in table.read()}
        assert names <= found
        assert busy.getsockname() not in found
    assert not names & {(listener.address, listener.port) for listener in table.read()}
    table.close()


def test_both_ways_tell_the_same() -> None:
    asked, read = ListenTable(), ListenTable(no_answer)
    with socket.create_server(("0.0.0.0", 0)), socket.create_server(("::", 0), family=socket.AF_INET6):
        assert set(asked.read()) == set(read.read())
    asked.close()
    read.close()


def test_many_listeners_are_all_told() -> None:
    table = ListenTable()
    with contextlib.ExitStack() as servers:
        ports = {servers.enter_context(socket.create_server((LOOPBACK, 0))).getsockname()[1] for _ in range(500)}
        assert ports <= {listener.port for listener in table.read()}
    table.close()


async def test_each_listener_is_visited_once_and_local_ones_never(
    scribe: Scribe, record: Record, marker: Marker
) -> None:
    visitors = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visitors
        visitors += 1
        writer.write(weights(marker, 5))

    async with serving(serve) as port:
        table: list[Listener] = []
        dialler = Dialler(scribe, [socket.socket() for _ in range(20)], (LOOPBACK,))
        fetcher = Fetcher(scribe, Flows(scribe))
        listeners = Listeners(scribe, lambda: table, fetcher, dialler, {4: (LOOPBACK, LOOPBACK)})
        listeners.start()
        table += [Listener("0.0.0.0", port, 1), Listener("127.0.0.1", port, 2)]
        async with asyncio.timeout(20):
            while not record.of(Fetched):  # noqa: ASYNC110  # a list has no event to wait for
                await asyncio.sleep(0.01)
        await listeners.stop()
        dialler.close()
    assert visitors == 1
    assert record.of(Listening) == [Listening("tcp", "0.0.0.0", port)]
    assert offered(record) == {None: {"0": "0-4"}}
