"""Facts about connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .fact import Fact


@dataclass(frozen=True)
class Lookup(Fact):
    """A name was looked up."""

    KIND: ClassVar[str] = "net.lookup"
    flow: int
    name: str
    type: str
    answer: str
    """The address given, or the refusal (`NXDOMAIN`)."""


@dataclass(frozen=True)
class Opened(Fact):
    """A connection (TCP) or an exchange of datagrams (UDP, ICMP) began."""

    KIND: ClassVar[str] = "net.opened"
    flow: int
    transport: str
    """`tcp`, `udp`, `udplite` or `icmp`."""
    address: str
    port: int
    name: str | None
    """The name that was looked up to get the address, or that the client gave (SNI), if any."""


@dataclass(frozen=True)
class Request(Fact):
    """An HTTP request, once its body has been received to its end."""

    KIND: ClassVar[str] = "net.request"
    flow: int
    method: str
    host: str
    target: str
    status: int
    """0 when the client left before the end, 400 when its bytes stopped being HTTP."""
    body_bytes: int
    body_sha256: str
    tls: bool
    complete: bool = True
    """False when the client went away before the end of the body."""


@dataclass(frozen=True)
class Closed(Fact):
    """A connection ended, with its totals."""

    KIND: ClassVar[str] = "net.closed"
    flow: int
    transport: str
    address: str
    port: int
    name: str | None
    protocol: str
    """`http`, `https`, `ws`, `wss` (WebSocket), `tls`, `dns`, `ssh`, `rsync`, `git`, `smb`, `ftp`, `ftps`, `ftp-data`,
    `ftps-data`, `smtp`, `smtps`, `imap`, `imaps`, `pop3`,
    `pop3s`, `nntp`, `nntps`, `mqtt`, `mqtts`, `lpd`, `tftp`, `socks` (nothing that is known inside) or `raw`."""
    sent: int
    """Payload bytes that the workstation sent."""
    received: int
    """Payload bytes that it was given."""
    sha256: str
    """Of the payload that the workstation sent (inside TLS or SSH, where there is such a thing)."""
    entropy: float
    """Bits per byte of a sample of what was sent, 0 to 8."""


@dataclass(frozen=True)
class Listening(Fact):
    """The workstation waits for connections at an address that can be reached from outside."""

    KIND: ClassVar[str] = "net.listening"
    transport: str
    address: str
    """As it was bound: `0.0.0.0`, `::` or an address of the workstation's link; or of a host that forwards to it."""
    port: int


@dataclass(frozen=True)
class Fetched(Fact):
    """The witness took what a listener offers to a stranger, since nobody outside would connect to it."""

    KIND: ClassVar[str] = "net.fetched"
    flow: int
    """A number of its own; `Content` of the same flow has the part `offered`."""
    address: str
    """Where the listener was reached: the workstation's, or that of a host that forwards to it."""
    port: int
    protocol: str
    """`http`, `https`, `ftp`, `tls`, `raw`, or empty when it said nothing."""
    objects: int
    """Pages and files that were taken."""
    received: int
    """Bytes that it gave."""
    entropy: float
    """Bits per byte of a sample of them, 0 to 8."""
    complete: bool
    """Whether all that it offers to a stranger was taken, as far as that can be told."""
    what: str
    """If not, why."""
