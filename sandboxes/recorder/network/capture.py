"""The sockets that everything which the workstation sends ends in, whatever address and port it was meant for.

In the witness's namespace nftables hands each TCP connection and UDP datagram to a listener (TPROXY), which can ask for
the original destination; nothing is rewritten. Other packets that can carry data reach raw sockets. All sockets are
made once, while the process is privileged; none is made later, so that no capability for the network has to stay.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import struct
import subprocess
from dataclasses import dataclass, field

from .namespace import FAR, LinkError

TCP_PORT, UDP_PORT = 15001, 15002
UDP_BUFFER_BYTES = 8 << 20
BACKLOG = 4096
UDPLITE = 136
SPARE = 1024
"""IPv4 connections that the witness can make in an episode; a quarter as many by IPv6. Each takes
time and memory, used or not."""

# Constants of the kernel that Python 3.11 does not name.
_IP_RECVORIGDSTADDR = 20
_IPV6_RECVORIGDSTADDR = 74
_IPV6_TRANSPARENT = 75
_SO_RXQ_OVFL = 40
_SO_RCVBUFFORCE = 33
_ICMPV6_FILTER = 1
_ICMPV6_ECHO_REQUEST = 128

_RULES = f"""
table inet lab {{
  chain arrivals {{
    type filter hook prerouting priority mangle;
    iifname "{FAR}" meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:{TCP_PORT} meta mark set 1 accept;
    iifname "{FAR}" meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [::1]:{TCP_PORT} meta mark set 1 accept;
    iifname "{FAR}" meta nfproto ipv4 meta l4proto udp tproxy ip to 127.0.0.1:{UDP_PORT} meta mark set 1 accept;
    iifname "{FAR}" meta nfproto ipv6 meta l4proto udp tproxy ip6 to [::1]:{UDP_PORT} meta mark set 1 accept;
    iifname "{FAR}" icmp type echo-request meta mark set 1 accept;
    iifname "{FAR}" icmpv6 type echo-request meta mark set 1 accept;
    iifname "{FAR}" meta l4proto {UDPLITE} meta mark set 1 accept;
  }}
}}
"""

_ROUTES = (
    ("-4", "rule add fwmark 1 lookup 100\nroute add local 0.0.0.0/0 dev lo table 100\n"),
    ("-6", "rule add fwmark 1 lookup 100\nroute add local ::/0 dev lo table 100\n"),
)


@dataclass
class Sockets:
    """Where the workstation's packets arrive. Any part may be empty (tests have no namespace)."""

    tcp: list[socket.socket] = field(default_factory=list)
    """Listeners whose accepted sockets' own name is the address that was meant."""
    udp: list[socket.socket] = field(default_factory=list)
    """Datagrams with their original destination as ancillary data."""
    raw: list[socket.socket] = field(default_factory=list)
    """Echo requests (ICMP, ICMPv6) and UDP-Lite."""
    reply4: socket.socket | None = None
    """Sends whole IPv4 packets."""
    reply6: socket.socket | None = None
    """Sends whole IPv6 packets."""
    spare: list[socket.socket] = field(default_factory=list)
    """TCP sockets that can connect from any address (`dialling`)."""

    def close(self) -> None:
        """Close all of them."""
        for each in (*self.tcp, *self.udp, *self.raw, *self.spare, self.reply4, self.reply6):
            if each is not None:
                with contextlib.suppress(OSError):
                    each.close()


def open_sockets() -> Sockets:
    """Lay the rules and open every socket, in the witness's own namespace. Needs NET_ADMIN and NET_RAW.

    Raises:
        LinkError: nftables or the routes were refused.
        OSError: a socket was refused.
    """
    _run(["nft", "-f", "-"], _RULES)
    for version, routes in _ROUTES:
        _run(["ip", version, "-batch", "-"], routes)
    return Sockets(
        tcp=[_tcp(socket.AF_INET), _tcp(socket.AF_INET6)],
        udp=[_udp(socket.AF_INET), _udp(socket.AF_INET6)],
        raw=[
            _raw(socket.AF_INET, socket.IPPROTO_ICMP),
            _raw(socket.AF_INET6, socket.IPPROTO_ICMPV6),
            _raw(socket.AF_INET, UDPLITE),
            _raw(socket.AF_INET6, UDPLITE),
        ],
        reply4=socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
        reply6=socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW),
        spare=[
            _transparent(family, socket.SOCK_STREAM)
            for family, share in ((socket.AF_INET, SPARE), (socket.AF_INET6, SPARE // 4))
            for _ in range(min(share, _open_files() // 8))
        ],
    )


def _open_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _tcp(family: int) -> socket.socket:
    listener = _transparent(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_loopback(family), TCP_PORT))
    listener.listen(BACKLOG)
    listener.settimeout(0)
    return listener


def _udp(family: int) -> socket.socket:
    receiver = _transparent(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        receiver.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVORIGDSTADDR, 1)
    else:
        receiver.setsockopt(socket.IPPROTO_IP, _IP_RECVORIGDSTADDR, 1)
    _widen(receiver)
    receiver.bind((_loopback(family), UDP_PORT))
    return receiver


def _raw(family: int, protocol: int) -> socket.socket:
    receiver = socket.socket(family, socket.SOCK_RAW, protocol)
    if family == socket.AF_INET6:
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    if protocol == socket.IPPROTO_ICMPV6:
        blocked = [0xFFFFFFFF] * 8
        blocked[_ICMPV6_ECHO_REQUEST >> 5] &= ~(1 << (_ICMPV6_ECHO_REQUEST & 31)) & 0xFFFFFFFF
        receiver.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, struct.pack("=8I", *blocked))
    _widen(receiver)
    return receiver


def _widen(receiver: socket.socket) -> None:
    receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, UDP_BUFFER_BYTES)
    receiver.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)  # the kernel tells how many it had to drop
    receiver.settimeout(0)


def _transparent(family: int, kind: int) -> socket.socket:
    made = socket.socket(family, kind)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setsockopt(socket.IPPROTO_IPV6, _IPV6_TRANSPARENT, 1)
    else:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_TRANSPARENT, 1)
    return made


def _loopback(family: int) -> str:
    return "::1" if family == socket.AF_INET6 else "127.0.0.1"


def _run(command: list[str], text: str) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LinkError(f"{' '.join(command)}: {done.stderr.strip()[:500]}")
