"""Clients that wait to be greeted: somebody has to speak first, before it is known what is spoken.

Where a port belongs to a protocol, its greeting is given. Elsewhere the words `220 <host> ready` serve both SMTP and
FTP, and what the client says next tells which; a client that says something else never waited for a greeting, and is
recognised by its bytes as if there had been none. Whoever listens by hand (`nc host 4444`) sees one line, as from many
a server. Only where servers are known to keep silent (the web's ports, and those where TLS is there from the start)
nothing is said: a slow client would take it for its protocol's first bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .lines import read_line

if TYPE_CHECKING:
    from .speaker import Call, Speaker

QUIET_PORTS = frozenset({80, 443, 8000, 8008, 8080, 8443, 8888, 3000, 3128, 5000, 9000})
"""Here nobody waits to be greeted: a client that is silent is only slow."""

WAIT_SECONDS = 3600.0
"""For the first words of a client that was greeted."""


def first_word(*verbs: bytes) -> Callable[[bytes], bool]:
    """Lines that begin with one of the words, in capitals or not."""

    def opens(line: bytes) -> bool:
        words = line.split(maxsplit=1)
        return bool(words) and words[0].upper() in verbs

    return opens


_NEVER = first_word()


@dataclass(frozen=True)
class Greeted:
    """A protocol in which the server speaks first."""

    speaker: Speaker
    """Goes on after the greeting, or with it where `greet` is None. The client's first line is still to be read."""
    ports: frozenset[int]
    """Its own ports, where whatever a client says is its business."""
    tls_ports: frozenset[int]
    """The same inside TLS that is there from the start."""
    greet: Callable[[str], str] | None
    """The greeting of a host on its own ports, without the line's end; None for a speaker that greets by itself."""
    opens: Callable[[bytes], bool] = _NEVER
    """Whether a client's first line, after the common greeting, is of this protocol."""


class Greeter:
    """Greets clients that wait for it, and finds who goes on (for `sniff.Kind.SILENT`).

    Args:
        protocols: in the order in which they are asked whose a first line is.
    """

    def __init__(self, protocols: Sequence[Greeted]) -> None:
        self._protocols = protocols
        self._own = {
            (port, tls): protocol
            for protocol in reversed(protocols)
            for tls, ports in ((False, protocol.ports), (True, protocol.tls_ports))
            for port in ports
        }
        self._quiet = QUIET_PORTS | {port for protocol in protocols for port in protocol.tls_ports}

    def is_awaited(self, port: int, tls: bool) -> bool:  # noqa: FBT001  # one of two facts, not an option
        """Whether clients wait to be greeted for sure at a port, as it is or inside TLS."""
        return (port, tls) in self._own

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        own = self._own.get((call.flow.end.port, call.tls))
        quiet = own is None and call.flow.end.port in self._quiet
        if not quiet:
            await _greet(call, own)
        if own is not None:
            await own.speaker.speak(call)
            return
        line = await read_line(call.stream, WAIT_SECONDS)
        if not line:
            return
        call.stream.unread(line)
        found = next((protocol for protocol in self._protocols if protocol.opens(line)), None)
        if found is not None and not quiet:
            await found.speaker.speak(call)
        else:
            await call.board.speak(call)


async def _greet(call: Call, own: Greeted | None) -> None:
    host = call.flow.name or call.flow.end.address
    text = f"220 {host} ready" if own is None else None if own.greet is None else own.greet(host)
    if text is not None:
        data = f"{text}\r\n".encode("utf-8", "replace")
        await call.stream.write(data)
        call.flow.received(len(data))


def chosen(host: str, texts: Sequence[str]) -> str:
    """The one of `texts` that a host has always; `{host}` in it is the host's name."""
    digest = hashlib.sha256(host.encode("utf-8", "replace")).digest()
    return texts[digest[0] % len(texts)].format(host=host)
