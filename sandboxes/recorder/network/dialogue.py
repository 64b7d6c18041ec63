"""What conversations in lines have in common: a client's commands, our answers, and what it sends in bulk between them.

Servers in libraries (such as aiosmtpd) hold a whole message in memory, with a limit that an honest answer would have to
admit to, and end TLS with a certificate of their own making. Here everything streams: each byte is looked at as it
comes, and nothing is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lines import read_line
from .pieces import words_in
from .tls_stream import TlsStream, as_sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pieces import Pieces
    from .speaker import Call
    from .tls import CertificateAuthority

IDLE_SECONDS = 300.0
"""A client that says nothing for so long is sent away, as ordinary servers do."""


class Dialogue:
    """One client, its lines and ours.

    Args:
        call: the connection.
        pieces: where the words of commands are put together.
        errors: what becomes of the characters in our lines that UTF-8 has not (as `str.encode`).
    """

    def __init__(self, call: Call, pieces: Pieces, errors: str = "replace") -> None:
        self.stream = call.stream
        self.flow = call.flow
        self.tls = call.tls
        self.host = call.flow.name or call.flow.end.address
        """What the server calls itself."""
        self._pieces = pieces
        self._errors = errors

    async def line(self) -> bytes:
        """The client's next line with its end, counted and looked at; nothing at the end.

        Raises:
            TimeoutError: it kept silent for `IDLE_SECONDS`.
            OSError: the connection broke.
        """
        line = await read_line(self.stream, IDLE_SECONDS)
        self.flow.sent(line)
        if line and self.flow.scanned:
            self._pieces.add(self.flow.end.address, words_in(line.strip())[1:], self.flow.place("commands"))
        return line

    async def say(self, *lines: str) -> None:
        """Answer."""
        data = "".join(f"{line}\r\n" for line in lines).encode("utf-8", self._errors)
        await self.stream.write(data)
        self.flow.received(len(data))

    async def until_dot(self, take: Callable[[bytes], None], line_end: bytes = b"\r\n") -> bool:
        """Take a text that ends with a line of one dot; its dots at the start of lines are undone.

        Args:
            take: gets the text, in parts of any size.
            line_end: as the client ends its lines.

        Returns:
            Whether it came to its end.
        """
        text = DottedText(line_end)
        while not text.over:
            data = await self.stream.read()
            if not data:
                return False
            plain = text.feed(data)
            self.flow.sent(data[: len(data) - len(text.rest)])
            if plain:
                take(plain)
        if text.rest:
            self.stream.unread(text.rest)
        return True

    async def exactly(self, size: int, take: Callable[[bytes], None]) -> bool:
        """Take so many bytes; whether they all came."""
        while size > 0:
            data = await self.stream.read()
            if not data:
                return False
            if len(data) > size:
                self.stream.unread(data[size:])
                data = data[:size]
            size -= len(data)
            self.flow.sent(data)
            take(data)
        return True

    async def secure(self, authority: CertificateAuthority) -> None:
        """Go on inside TLS, which the client begins now.

        Raises:
            OSError: it does not.
        """
        inner = TlsStream(self.stream, authority.session(self.host), as_sent(self.flow))
        await inner.handshake()
        self.stream, self.tls = inner, True


class DottedText:
    """A text in lines that ends with a line of one dot, and in which other lines that begin with a dot have one more.

    Args:
        line_end: what ends its lines.
    """

    def __init__(self, line_end: bytes = b"\r\n") -> None:
        self.over = False
        """Whether its end has come."""
        self.rest = b""
        """What came behind the end."""
        self._end = line_end
        self._held = line_end  # a dot at the very start stands at the start of a line
        self._invented = len(line_end)

    def feed(self, data: bytes) -> bytes:
        """The text in the next bytes, as far as it is certain."""
        end, held = self._end, self._held + data
        dot = end + b"."
        parts: list[bytes] = []
        start = 0
        while (at := held.find(dot, start)) >= 0:
            behind = at + len(dot)
            follows = held[behind : behind + len(end)]
            if follows == end:
                parts.append(held[start : at + len(end)])
                self.over, self.rest, start = True, held[behind + len(end) :], len(held)
                break
            if end.startswith(follows):
                break  # it depends on what comes next
            parts.append(held[start : at + len(end)])
            start = behind
        if not self.over:
            stop = at if at >= 0 else max(len(held) - len(end), start)
            parts.append(held[start:stop])
            start = stop
        self._held = held[start:]
        plain = b"".join(parts)
        skipped = min(self._invented, len(plain))
        self._invented -= skipped
        return plain[skipped:]
