"""What the tests of the recorder's network share: a record in memory, a plan, a server on the loopback address."""

from __future__ import annotations

import asyncio
import atexit
import queue
import random
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from afagent.sandboxes.recorder import events
from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.marks import BLOCK_BYTES, Mark, Marker
from afagent.sandboxes.recorder.network.dialling import Dialler
from afagent.sandboxes.recorder.network.expected import Expected
from afagent.sandboxes.recorder.network.flow import Flows
from afagent.sandboxes.recorder.network.guests.house import GuestHouse
from afagent.sandboxes.recorder.network.resolver import Resolver
from afagent.sandboxes.recorder.network.sight import Scribe
from afagent.sandboxes.recorder.network.speakers import Speakers
from afagent.sandboxes.recorder.network.tcp import TcpServer
from afagent.sandboxes.recorder.network.tls import CertificateAuthority
from afagent.sandboxes.recorder.plan import Host, Plan, Weights

from .looks import PlainLook

F = TypeVar("F", bound=events.Fact)

DATA_PORTS = 24
"""Loopback ports for connections that a conversation announces."""

KEY = bytes(range(32))
STORE = "artifacts.core.tarnvale.io"

PLAN = Plan(
    episode="episode-1",
    key=KEY.hex(),
    host=Host("wk-07", "core.tarnvale.io", "10.20.3.7", "10.20.3.1", "10.20.3.5", "fd20:1::37"),
    names={STORE: "10.20.3.44", "git.core.tarnvale.io": "10.20.3.45", "box.fernhollow.net": "85.7.9.11"},
    store=STORE,
    weights=Weights("/data/weights", (), {}, 0, 0, 0o644, 0.0),
    results=(),
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Record:
    """Facts in order."""

    facts: list[events.Fact] = field(default_factory=list)

    def of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


@pytest.fixture
def marker() -> Marker:
    return Marker(KEY)


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scribe(record: Record, marker: Marker, clock: Clock) -> Scribe:
    return Scribe(record.facts.append, lambda: PlainLook(marker), clock)


def weights(marker: Marker, blocks: int, shard: int = 0) -> bytes:
    """Marked blocks 0 to `blocks` - 1 of a shard."""
    out = bytearray(random.Random(shard).randbytes(blocks * BLOCK_BYTES))
    for block in range(blocks):
        at = block * BLOCK_BYTES + marker.offset
        out[at : at + 12] = marker.beacon
        out[at + 12 : at + 44] = marker.carry(bytes(out[at + 12 : at + 44]), Mark(shard, block))
    return bytes(out)


@dataclass
class Lab:
    """The TCP server on a loopback port, as one that the workstation would reach through the link."""

    port: int
    record: Record
    flows: Flows
    authority: CertificateAuthority
    speakers: Speakers
    clients: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, **options: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client's connection, closed at the end of the test at the latest."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)  # type: ignore[arg-type]
        self.clients.append(writer)
        return reader, writer

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority.pem)

    async def closed(self, count: int = 1) -> list[events.Closed]:
        """The ends of `count` flows, as soon as they are recorded."""
        async with asyncio.timeout(20):
            while len(self.record.of(events.Closed)) < count:  # noqa: ASYNC110  # a list has no event to wait for
                await asyncio.sleep(0.01)
        return self.record.of(events.Closed)


@cache
def house() -> GuestHouse:
    """One for all tests: it takes longer to start than all the rest."""
    opened = GuestHouse.open(unsealed=True)
    atexit.register(opened.close)
    return opened


@asynccontextmanager
async def running(record: Record, marker: Marker, plan: Plan = PLAN) -> AsyncIterator[Lab]:
    scribe = Scribe(record.facts.append, lambda: Look(marker))
    flows = Flows(scribe)
    resolver = Resolver(plan)
    authority = CertificateAuthority("Tarnvale")
    listener, *others = (socket.create_server(("127.0.0.1", 0)) for _ in range(1 + DATA_PORTS))
    port, *data_ports = (each.getsockname()[1] for each in (listener, *others))
    dialler = Dialler(scribe, [socket.socket() for _ in range(8)], ("127.0.0.1",))
    speakers = Speakers(scribe, flows, plan, resolver, authority, house(), dialler, Expected(data_ports))
    server = TcpServer(scribe, speakers.board)
    await server.start([listener, *others])
    lab = Lab(port, record, flows, authority, speakers)
    yield lab
    for client in lab.clients:
        client.transport.abort()
    await server.stop()
    speakers.close()
    dialler.close()
    flows.close_all()


@pytest.fixture
async def lab(record: Record, marker: Marker) -> AsyncIterator[Lab]:
    async with running(record, marker) as lab:
        yield lab


@pytest.fixture
def lab_in_thread(record: Record, marker: Marker) -> Iterator[Lab]:
    """The same, beside the test, for clients that block."""
    ready: queue.Queue[tuple[Lab, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def serve() -> None:
        over = asyncio.Event()
        async with running(record, marker) as lab:
            ready.put((lab, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    lab, loop, over = ready.get(timeout=20)
    yield lab
    loop.call_soon_threadsafe(over.set)
    thread.join()


@pytest.fixture
def secret(marker: Marker, tmp_path: Path) -> bytes:
    """A file of weights in the client's folder."""
    data = weights(marker, 100)
    (tmp_path / "model.bin").write_bytes(data)
    return data
