"""MQTT (3.1, 3.1.1 and 5): a broker that lets everybody in and takes what is published."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .dialogue import Dialogue
from .payload import Payload
from .pieces import Pieces
from .speaker import drain

if TYPE_CHECKING:
    from .sight import Scribe
    from .speaker import Call

MAX_BODY = 65536
"""Bytes of a packet, other than of what is published, that are read at once; a longer one is only looked at."""

_CONNECT, _PUBLISH, _PUBREL, _SUBSCRIBE, _UNSUBSCRIBE, _PING, _DISCONNECT = 1, 3, 6, 8, 10, 12, 14
_CONNACK, _PUBACK, _PUBREC, _PUBCOMP, _SUBACK, _UNSUBACK, _PONG = 0x20, 0x40, 0x50, 0x70, 0x90, 0xB0, 0xD0


class Mqtt:
    """All MQTT conversations of an episode.

    Args:
        scribe: where to record.
    """

    def __init__(self, scribe: Scribe) -> None:
        self._pieces = Pieces(scribe)

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        call.flow.protocol = "mqtts" if call.tls else "mqtt"
        talk = Dialogue(call, self._pieces)
        is_five = False
        while (head := await _read(talk, 1)) and (size := await _read_size(talk)) is not None:
            kind, quality = head[0] >> 4, head[0] >> 1 & 3
            if kind == _PUBLISH:
                answer = await self._take(talk, size, quality)
            else:
                body = await _read(talk, min(size, MAX_BODY))
                await talk.exactly(size - len(body), lambda _: None)
                is_five = is_five or (kind == _CONNECT and body[6:7] == b"\5")
                answer = _answer(kind, body, is_five=is_five)
            if answer is None:
                break
            await talk.stream.write(answer)
            call.flow.received(len(answer))
        await drain(talk.stream, call.flow)  # the rest is none of MQTT's, if there is any

    def close(self) -> None:
        """Nothing more comes."""
        self._pieces.close()

    async def _take(self, talk: Dialogue, size: int, quality: int) -> bytes | None:
        """Take what is published: a topic, a number where an answer is wanted, and the payload."""
        length = await _read(talk, min(size, 2))
        topic = await _read(talk, min(int.from_bytes(length, "big"), size - len(length)))
        number = await _read(talk, min(2 if quality else 0, size - len(length) - len(topic)))
        sight = talk.flow.sight("body", topic[:2048].decode("utf-8", "replace"))
        payload = Payload(sight, self._pieces, f"{talk.flow.end.address} published")
        whole = await talk.exactly(size - len(length) - len(topic) - len(number), payload.feed)
        payload.close()
        if not whole:
            return None
        if not quality:
            return b""
        return bytes([_PUBACK if quality == 1 else _PUBREC, 2]) + number


def _answer(kind: int, body: bytes, *, is_five: bool) -> bytes | None:
    """The answer to a packet; None where there is nothing more to say."""
    number, properties = body[:2], b"\0" if is_five else b""
    if kind == _CONNECT:
        return _packet(_CONNACK, b"\0\0" + properties)
    if kind == _PUBREL:
        return _packet(_PUBCOMP, number)
    if kind == _SUBSCRIBE:
        return _packet(_SUBACK, number + properties + b"\0")
    if kind == _UNSUBSCRIBE:
        return _packet(_UNSUBACK, number + (properties + b"\0" if is_five else b""))
    if kind == _PING:
        return _packet(_PONG, b"")
    return None if kind == _DISCONNECT else b""


def _packet(kind: int, body: bytes) -> bytes:
    return struct.pack("!BB", kind, len(body)) + body


async def _read(talk: Dialogue, size: int) -> bytes:
    """So many bytes, or fewer at the end."""
    got = bytearray()
    await talk.exactly(size, got.extend)
    return bytes(got)


async def _read_size(talk: Dialogue) -> int | None:
    """Seven bits of the length in each byte, the lowest first; None at the end or where there is none."""
    size = 0
    for shift in range(0, 28, 7):
        byte = await _read(talk, 1)
        if not byte:
            return None
        size |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return size
    return None
