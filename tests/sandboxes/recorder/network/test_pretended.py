"""What begins like a protocol and goes on as something else: whoever only receives has all of it, and so does the witness.

Each library drops what it cannot use in its own way; no byte of a connection may lie where nobody looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import hpack
import pytest

from afagent.sandboxes.recorder.events import Closed, Content, Fault, from_ranges
from afagent.sandboxes.recorder.marks import Marker

from .conftest import Lab, weights

REQUEST = b"PUT /x HTTP/1.1\r\nHost: a\r\n"
WEBSOCKET = (
    b"GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TLS = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
LONG_TLS = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03"
"""A record that is never whole."""


def frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    """One of HTTP/2's."""
    return begun(kind, flags, stream, len(content)) + content


def begun(kind: int, flags: int, stream: int, length: int = (1 << 14) - 1) -> bytes:
    """The header of a frame that is as long as may be."""
    return length.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")


HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
HEADERS = [(":method", "POST"), (":path", "/x"), (":scheme", "http"), (":authority", "a")]
POST2 = HTTP2 + frame(1, 4, 1, hpack.Encoder().encode(HEADERS))

BEGINNINGS = {
    "TLS": TLS,
    "TLS, a record never whole": LONG_TLS,
    "TLS through a proxy": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n" + TLS,
    "SSH": b"SSH-2.0-x\r\n",
    "SSH, a packet never whole": b"SSH-2.0-x\r\n\0\0\x7f\0\x04",
    "HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP, a header": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ",
    "HTTP, no length": REQUEST + b"Content-Length: -5\r\n\r\n",
    "HTTP, another compression": REQUEST + b"Content-Length: 99999\r\nContent-Encoding: gzip\r\n\r\n",
    "HTTP, no chunk": REQUEST + b"Transfer-Encoding: chunked\r\n\r\n",
    "HTTP, after the last chunk": REQUEST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP, a trailer": REQUEST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTr: ",
    "HTTP, beside a chunk's length": REQUEST + b"Transfer-Encoding: chunked\r\n\r\n5;a=",
    "HTTP/2, no frame": HTTP2,
    "HTTP/2, after a frame of no known type": HTTP2 + frame(0xEE, 0, 0, b"x"),
    "HTTP/2, a frame of no known type": HTTP2 + begun(0xEE, 0, 0),
    "HTTP/2, settings": HTTP2 + begun(4, 0, 0, 12 << 10),
    "HTTP/2, a body without a request": HTTP2 + begun(0, 0, 1),
    "HTTP/2, a body never whole": POST2 + begun(0, 0, 1),
    "HTTP/2, after a body": POST2 + frame(0, 0, 1, bytes(5000)),
    "HTTP/2, padding": POST2 + begun(0, 8, 1) + b"\xff",
    "HTTP/2, headers never whole": HTTP2 + begun(1, 0, 1),
    "WebSocket, no frame": WEBSOCKET,
    "WebSocket, a frame never whole": WEBSOCKET + b"\x82\xff\0\0\0\0\0\xff\xff\xff\0\0\0\0",
    "WebSocket, a pong too long": WEBSOCKET + b"\x8a\xfd\0\0\0\0",
    "WebSocket, after the goodbye": WEBSOCKET + b"\x88\x80\0\0\0\0",
    "rsync": b"@RSYNCD: 31.0\n",
    "rsync, a module": b"@RSYNCD: 31.0\nmod\n",
    "git, to fetch": b"0032git-upload-pack /a\0host=b\0",
    "git, to bring": b"0033git-receive-pack /a\0host=b\0",
    "SMB": b"\0\0\0\x45\xfeSMB",
    "SMB, a packet never whole": b"\0\0\xff\xff\xfeSMB",
    "SOCKS 4": b"\x04\x01\x00\x50\x01\x02\x03\x04a\0",
    "SOCKS 5": b"\x05\x01\x00",
    "SOCKS 5, through": b"\x05\x01\x00\x05\x01\0\1\1\2\3\4\0\x50",
    "MQTT": b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4abcd",
    "MQTT, a message never whole": b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4abcd\x30\xff\xff\x7f\0\1a",
    "mail": b"EHLO x\r\n",
    "FTP": b"USER a\r\n",
}


async def seen_of(lab: Lab, sent: bytes) -> set[int]:
    """Which blocks are recognised of what is sent on one connection that is then closed."""
    reader, writer = await lab.connect()
    writer.write(sent)
    writer.write_eof()
    async with asyncio.timeout(20):
        await reader.read()
        writer.close()
        await lab.closed()
    assert not lab.record.of(Fault)
    return {block for fact in lab.record.of(Content) for block in from_ranges(fact.blocks.get("0", ""))}


@pytest.mark.parametrize("blocks", [3, 40])
@pytest.mark.parametrize("beginning", BEGINNINGS)
async def test_what_follows_a_beginning_is_seen_to_its_last_byte(
    lab: Lab, marker: Marker, beginning: str, blocks: int
) -> None:
    said = BEGINNINGS[beginning]
    assert await seen_of(lab, said + weights(marker, blocks)) == set(range(blocks))
    assert lab.record.of(Closed)[0].sent == len(said) + blocks * 4096


class Client:
    """A client of TLS that sends what it likes beside it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = lab.trusting().wrap_bio(self._incoming, self._outgoing, server_hostname="box.fernhollow.net")

    async def shake(self) -> None:
        self._reader, self._writer = await self._lab.connect()
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._writer.write(self._outgoing.read())
                self._incoming.write(await self._reader.read(65536))
            else:
                return

    async def send(self, beside: bytes) -> None:
        """What was written, then bytes that are not inside TLS, and the end."""
        self._writer.write(self._outgoing.read() + beside)
        self._writer.write_eof()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(20):
                await self._reader.read()


@pytest.mark.parametrize("beside", [b"", b"\x17\x03\x03\x40\0"], ids=["no record", "a record never whole"])
@pytest.mark.parametrize("ended", [False, True], ids=["in its midst", "after its end"])
async def test_what_is_sent_beside_tls_is_seen(lab: Lab, marker: Marker, beside: bytes, *, ended: bool) -> None:
    client = Client(lab)
    await client.shake()
    client.tls.write(b"hello")
    if ended:
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.unwrap()
    await client.send(beside + weights(marker, 3))
    (closed,) = await lab.closed()
    assert closed.sent >= 3 * 4096
    assert {"0": "0-2"} in [fact.blocks for fact in lab.record.of(Content)]
