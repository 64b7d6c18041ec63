"""TFTP with a real client: curl against a loopback socket that stands for the lab's link."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.events import Closed, Content, Fact
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network.flow import Flows
from afagent.sandboxes.recorder.network.ftp.tftp import IDLE_SECONDS, Address, Options, Tftp
from afagent.sandboxes.recorder.network.resolver import Resolver
from afagent.sandboxes.recorder.network.sight import Scribe

from ..conftest import PLAN, Clock, Record, weights
from ..looks import PlainLook

SERVER, CLIENT = ("85.7.9.11", 69), ("10.20.3.7", 4000)
Sent = list[tuple[Address, Address, bytes]]


@pytest.fixture
def sent() -> Sent:
    return []


@pytest.fixture
def tftp(scribe: Scribe, sent: Sent) -> Iterator[Tftp]:
    tftp = Tftp(scribe, Flows(scribe), Resolver(PLAN), lambda *what: sent.append(what))
    yield tftp
    tftp.close()


class _Link(asyncio.DatagramProtocol):
    """Loopback sockets in place of the link: one for requests, one for whatever port the answers come from."""

    def __init__(self, link: _Loopback, mine: int) -> None:
        self._link = link
        self._mine = mine

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._link.take(self._mine, data, addr)


class _Loopback:
    def __init__(self, record: Record, marker: Marker) -> None:
        scribe = Scribe(record.facts.append, lambda: PlainLook(marker))
        self.tftp = Tftp(scribe, Flows(scribe), Resolver(PLAN), self._send)
        self.port = 0
        self._transports: list[asyncio.DatagramTransport] = []
        self._own: dict[Address, Address] = {}
        """Where each client's answers come from, as the server sees it."""

    async def open(self) -> None:
        for number in (0, 1):
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind(("127.0.0.1", 0))
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                partial(_Link, self, number), sock=receiver
            )
            self._transports.append(transport)
        self.port = self._transports[0].get_extra_info("sockname")[1]

    def take(self, number: int, data: bytes, client: Address) -> None:
        wanted = SERVER if number == 0 else self._own[client]
        assert self.tftp.take(client, wanted, data)

    def _send(self, source: Address, target: Address, payload: bytes) -> None:
        self._own[target] = source
        self._transports[1].sendto(payload, target)

    def close(self) -> None:
        self.tftp.close()
        for transport in self._transports:
            transport.close()


@asynccontextmanager
async def loopback(record: Record, marker: Marker) -> AsyncIterator[_Loopback]:
    link = _Loopback(record, marker)
    await link.open()
    yield link
    link.close()


async def curl(link: _Loopback, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec("curl", "-sS", "-m", "20", *arguments)
    assert await process.wait() == 0


@pytest.mark.parametrize("options", [(), ("--tftp-no-options",), ("--tftp-blksize", "8192")], ids=" ".join)
async def test_a_file_is_put_seen_and_found_again(
    record: Record, marker: Marker, tmp_path: Path, options: tuple[str, ...]
) -> None:
    data = weights(marker, 40)
    (tmp_path / "a").write_bytes(data)
    async with loopback(record, marker) as link:
        url = f"tftp://127.0.0.1:{link.port}/deep/a.bin"
        await curl(link, *options, "-T", str(tmp_path / "a"), url)
        await curl(link, *options, "-o", str(tmp_path / "b"), url)
    assert (tmp_path / "b").read_bytes() == data
    (content,) = [content for content in record.of(Content) if content.blocks == {"0": "0-39"}]
    assert (content.part, content.target, content.address, content.port) == ("file", "deep/a.bin", *SERVER)
    put, got = record.of(Closed)
    assert (put.protocol, put.name) == ("tftp", "box.fernhollow.net")
    assert got.received > len(data) <= put.sent


def request(name: bytes = b"a", mode: bytes = b"octet", options: bytes = b"", kind: int = 2) -> bytes:
    return struct.pack("!H", kind) + name + b"\0" + mode + b"\0" + options


def put(tftp: Tftp, sent: Sent, data: bytes, options: bytes = b"", size: int = 512, window: int = 1) -> list[bytes]:
    """Send a file; gives the answers."""
    assert tftp.take(CLIENT, SERVER, request(options=options))
    own = sent[-1][0]
    blocks = [data[at : at + size] for at in range(0, len(data) + 1, size)]
    for number, block in enumerate(blocks, 1):
        assert tftp.take(CLIENT, own, struct.pack("!HH", 3, number & 0xFFFF) + block)
    return [answer for _, _, answer in sent]


def test_answers_come_from_another_port_and_each_block_is_acknowledged(tftp: Tftp, sent: Sent) -> None:
    answers = put(tftp, sent, bytes(1024))
    assert answers == [struct.pack("!HH", 4, number) for number in range(4)]
    assert {source[0] for source, _, _ in sent} == {SERVER[0]}
    assert SERVER not in {source for source, _, _ in sent}


def test_options_are_granted_and_windows_acknowledged_once(tftp: Tftp, sent: Sent) -> None:
    options = b"BLKSIZE\x001000\0windowsize\x004\0tsize\x0010000\0unknown\x001\0timeout\x005\0"
    first, *rest = put(tftp, sent, bytes(10_000), options, 1000, 4)
    assert first == b"\0\6blksize\x001000\0windowsize\x004\0timeout\x005\0tsize\x0010000\0"
    assert rest == [struct.pack("!HH", 4, number) for number in (4, 8, 11)]


def test_numbers_of_blocks_wrap(tftp: Tftp, sent: Sent, record: Record, marker: Marker) -> None:
    data = weights(marker, 140)
    put(tftp, sent, data, b"blksize\x008\0", 8)
    assert record.of(Closed)[0].protocol == "tftp"
    assert record.of(Content)[-1].blocks == {"0": "0-139"}


def test_a_block_that_comes_twice_is_acknowledged_twice_and_one_too_early_is_not_taken(tftp: Tftp, sent: Sent) -> None:
    tftp.take(CLIENT, SERVER, request())
    own = sent[0][0]
    for number in (1, 1, 3):
        tftp.take(CLIENT, own, struct.pack("!HH", 3, number) + bytes(512))
    assert [answer[3] for _, _, answer in sent] == [0, 1, 1, 1]


def test_what_goes_on_behind_the_end_is_left_to_others(tftp: Tftp, sent: Sent) -> None:
    put(tftp, sent, b"short")
    own = sent[0][0]
    last = struct.pack("!HH", 3, 1) + b"short"
    assert tftp.take(CLIENT, own, last)  # once more, as its acknowledgement was lost
    assert not tftp.take(CLIENT, own, struct.pack("!HH", 3, 2) + bytes(512))
    assert not tftp.take(CLIENT, own, struct.pack("!HH", 3, 1) + b"other")


def test_line_ends_of_the_text_mode_are_undone(tftp: Tftp, sent: Sent, record: Record, marker: Marker) -> None:
    data = weights(marker, 20).replace(b"\n", b"\r\n")
    tftp.take(CLIENT, SERVER, request(mode=b"NETASCII"))
    for at in range(0, len(data) + 1, 512):
        tftp.take(CLIENT, sent[0][0], struct.pack("!HH", 3, at // 512 + 1) + data[at : at + 512])
    assert [content.blocks for content in record.of(Content) if content.layers == ["line ends"]][-1] == {"0": "0-19"}


def test_a_file_that_nobody_put_is_not_found(tftp: Tftp, sent: Sent) -> None:
    assert tftp.take(CLIENT, SERVER, request(kind=1))
    assert sent[0][2] == b"\0\5\0\1File not found\0"


def test_a_silent_transfer_ends(tftp: Tftp, record: Record, clock: Clock) -> None:
    tftp.take(CLIENT, SERVER, request())
    clock.now += IDLE_SECONDS
    tftp.sweep()
    assert [closed.protocol for closed in record.of(Closed)] == ["tftp"]


@pytest.mark.parametrize("payload", [b"", b"\0\2", b"\0\2a\0octet", b"\0\2a\0else\0", b"\0\3\0\1x", b"\0\0a\0octet\0"])
def test_other_datagrams_are_left_to_others(tftp: Tftp, payload: bytes) -> None:
    assert not tftp.take(CLIENT, ("85.7.9.11", 9), payload)


@given(st.binary(max_size=60))
def test_arbitrary_options_are_read(text: bytes) -> None:
    options = Options.read(text)
    assert 8 <= options.block_bytes <= 1428
    assert 1 <= options.window <= 64


@given(st.lists(st.binary(max_size=40)), st.sampled_from([1, 2]))
def test_arbitrary_packets_never_break_a_transfer(packets: list[bytes], kind: int) -> None:
    facts: list[Fact] = []
    sent: Sent = []
    scribe = Scribe(facts.append, lambda: PlainLook(Marker(bytes(32))))
    tftp = Tftp(scribe, Flows(scribe), Resolver(PLAN), lambda *what: sent.append(what))
    put(tftp, sent, b"hello")
    assert tftp.take(CLIENT, SERVER, request(kind=kind))
    own = sent[-1][0]
    for packet in packets:
        assert tftp.take(CLIENT, own, packet)
    tftp.close()
