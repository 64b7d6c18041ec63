"""SOCKS 4, 4a and 5: connects the client to wherever it wants, whoever it says it is."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .flow import Flow
    from .speaker import Call
    from .stream import Stream

SECONDS = 30.0
"""For all that is said before the connection stands."""

_LOGIN_NONE, _LOGIN_PASSWORD, _LOGIN_REFUSED = 0, 2, 0xFF
_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_BYTES = {_IPV4: 4, _IPV6: 16}
_MAX_WORD = 512
_GRANTED4, _REFUSED4 = 0x5A, 0x5B
_GRANTED, _NOT_SUPPORTED, _NO_SUCH_ADDRESS_TYPE = 0, 7, 8


class Socks:
    """See `speaker.Speaker`."""

    async def speak(self, call: Call) -> None:
        """Take the client's wish, grant it, and let what is spoken inside be recognised."""
        call.flow.protocol = "socks"
        reader = _Reader(call.stream, call.flow)
        async with asyncio.timeout(SECONDS):
            version = (await reader.take(1))[0]
            host = await (_ask5(reader) if version == 5 else _ask4(reader))
        reader.give_back()
        if host:
            call.flow.name = host
            await call.go_on(call.stream, tunnel=host)


class _Reader:
    """Reads what comes before the connection stands; it is counted and looked at as it stands."""

    def __init__(self, stream: Stream, flow: Flow) -> None:
        self._stream = stream
        self._flow = flow
        self._held = b""

    async def take(self, size: int) -> bytes:
        """So many bytes."""
        while len(self._held) < size:
            await self._more()
        return self._cut(size)

    async def take_word(self) -> bytes:
        """The bytes before the next zero, which is taken as well."""
        while b"\0" not in self._held[:_MAX_WORD]:
            if len(self._held) > _MAX_WORD:
                raise ConnectionAbortedError("a word without an end")
            await self._more()
        return self._cut(self._held.index(b"\0") + 1)[:-1]

    async def say(self, data: bytes) -> None:
        """Answer."""
        await self._stream.write(data)
        self._flow.received(len(data))

    def give_back(self) -> None:
        """Put back what was read too much."""
        if self._held:
            self._stream.unread(self._held)
            self._held = b""

    async def _more(self) -> None:
        data = await self._stream.read()
        if not data:
            raise ConnectionAbortedError("the client went away")
        self._held += data

    def _cut(self, size: int) -> bytes:
        data, self._held = self._held[:size], self._held[size:]
        self._flow.sent(data)
        return data


async def _ask4(reader: _Reader) -> str:
    """RFC-less: version 4, with the name behind the user's where the address is 0.0.0.x (4a)."""
    command, _port, packed = struct.unpack("!BH4s", await reader.take(7))
    await reader.take_word()
    address = ipaddress.IPv4Address(packed)
    host = str(address)
    if 0 < int(address) < 256:
        host = (await reader.take_word()).decode("latin-1")
    granted = command == _CONNECT
    await reader.say(struct.pack("!2BH4s", 0, _GRANTED4 if granted else _REFUSED4, 0, bytes(4)))
    return host.lower() if granted else ""


async def _ask5(reader: _Reader) -> str:
    """RFC 1928, with user and password by RFC 1929."""
    offered = await reader.take((await reader.take(1))[0])
    login = next((each for each in (_LOGIN_NONE, _LOGIN_PASSWORD) if each in offered), _LOGIN_REFUSED)
    await reader.say(bytes((5, login)))
    if login == _LOGIN_REFUSED:
        return ""
    if login == _LOGIN_PASSWORD:
        await reader.take(1)
        for _ in ("user", "password"):
            await reader.take((await reader.take(1))[0])
        await reader.say(b"\1\0")
    _, command, _, kind = await reader.take(4)
    if kind == _NAME:
        host = (await reader.take((await reader.take(1))[0])).decode("latin-1")
    elif kind in _ADDRESS_BYTES:
        host = str(ipaddress.ip_address(await reader.take(_ADDRESS_BYTES[kind])))
    else:
        await reader.say(_reply5(_NO_SUCH_ADDRESS_TYPE))
        return ""
    await reader.take(2)
    granted = command == _CONNECT
    await reader.say(_reply5(_GRANTED if granted else _NOT_SUPPORTED))
    return host.lower() if granted else ""


def _reply5(code: int) -> bytes:
    return bytes((5, code, 0, _IPV4)) + bytes(6)
