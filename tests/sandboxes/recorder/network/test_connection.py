"""Clients that break a connection off, or mark bytes as urgent: what arrived was sent, and is seen."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable

import pytest

from afagent.sandboxes.recorder.events import Closed, Content, Fault, Limit
from afagent.sandboxes.recorder.marks import Marker

from .conftest import Lab, weights

BLOCKS = 10
"""So few that all of them fit into the buffers of a connection before anybody reads."""
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER without time: to close is to break off."""


async def reached(lab: Lab) -> socket.socket:
    """A plain connection, so that nothing but the test decides what is sent and read, and when."""
    client = socket.socket()
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", lab.port))
    return client


def send_and_break_off(client: socket.socket, data: bytes) -> None:
    """Both before anybody else has a turn: this loop is the witness's as well."""
    assert client.send(data) == len(data)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    client.close()


def request(body: bytes) -> bytes:
    return b"PUT /part HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def raw(data: bytes) -> bytes:
    return data


def two_requests(data: bytes) -> bytes:
    """The answer to the first meets nobody."""
    return request(b"first") + request(data)


@pytest.mark.parametrize("said", [raw, request, two_requests])
@pytest.mark.parametrize("accepted_seconds", [0, 0.2])
async def test_what_came_before_a_connection_was_broken_off_is_seen(
    lab: Lab, marker: Marker, said: Callable[[bytes], bytes], accepted_seconds: float
) -> None:
    client = await reached(lab)
    await asyncio.sleep(accepted_seconds)
    data = said(weights(marker, BLOCKS))
    send_and_break_off(client, data)
    (closed,) = await lab.closed()
    assert closed.sent == len(data)
    assert lab.record.of(Content)[-1].blocks == {"0": f"0-{BLOCKS - 1}"}
    assert not lab.record.of(Fault)


async def test_what_comes_after_an_answer_that_met_nobody_is_seen(lab: Lab, marker: Marker) -> None:
    """The client closes while the answer to its first request lies unread, which breaks the connection off."""
    client = await reached(lab)
    client.send(request(b"first"))
    await asyncio.sleep(0.2)
    data = request(weights(marker, BLOCKS))
    client.send(data)
    client.close()
    (closed,) = await lab.closed()
    assert closed.sent == len(request(b"first")) + len(data)
    assert lab.record.of(Content)[-1].blocks == {"0": f"0-{BLOCKS - 1}"}


async def test_bytes_that_are_marked_as_urgent_are_seen_in_their_place(lab: Lab, marker: Marker) -> None:
    """Otherwise the kernel leaves them out of what is read, and one byte less in each stretch is other content."""
    client, data = await reached(lab), weights(marker, BLOCKS)
    for at in range(0, len(data), 100):
        client.send(data[at : at + 100], socket.MSG_OOB)
        await asyncio.sleep(0)
    client.close()
    (closed,) = await lab.closed()
    assert closed.sent == len(data)
    assert lab.record.of(Content)[-1].blocks == {"0": f"0-{BLOCKS - 1}"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_what_was_sent_inside_tls_is_seen_whose_tickets_met_nobody(
    lab: Lab, marker: Marker, version: ssl.TLSVersion
) -> None:
    client, data = await reached(lab), weights(marker, BLOCKS)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = lab.trusting()
    context.minimum_version = context.maximum_version = version
    session = context.wrap_bio(incoming, outgoing, server_hostname="box.fernhollow.net")
    while True:
        try:
            session.do_handshake()
            break
        except ssl.SSLWantReadError:
            client.send(outgoing.read())
            incoming.write(await asyncio.get_running_loop().sock_recv(client, 65536))
    session.write(data)
    send_and_break_off(client, outgoing.read())
    (closed,) = await lab.closed()
    assert closed.sent == len(data)
    assert lab.record.of(Content)[-1].blocks == {"0": f"0-{BLOCKS - 1}"}
    assert not lab.record.of(Limit)
    assert not [fact for fact in lab.record.of(Closed) if fact.name != "box.fernhollow.net"]
