"""Datagrams of every kind: UDP on any port, echo requests, UDP-Lite.

Datagrams to the same address and port are one flow whatever port they came from, so that data sent from a new socket
for each piece are put together.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..events import Limit
from .budget import Budget
from .capture import UDPLITE, Sockets
from .ftp.tftp import Tftp
from .held_datagrams import HeldDatagrams
from .ntp import answer_to
from .packet import echo_reply, udp_packet
from .sniff import DNS_PORTS

if TYPE_CHECKING:
    from .flow import Flow, Flows
    from .lookups import Lookups
    from .resolver import Resolver
    from .sight import Scribe

IDLE_SECONDS = 30.0
"""A flow without a datagram for so long has ended."""

MAX_FLOWS = 1024
"""Open flows of datagrams; the one that was silent longest is ended for a new one."""

_BATCH = 64
"""Datagrams taken at once, before connections get their turn."""

_MAX_DATAGRAM = 65536
_ANCILLARY_BYTES = 256
_SWEEP_SECONDS = 5.0
_ICMP_HEADER_BYTES = 8
_SO_RXQ_OVFL = 40
_IP_ORIGDSTADDR = 20
_IPV6_ORIGDSTADDR = 74

Key = tuple[str, str, int]
Ancillary = list[tuple[int, int, bytes]]


class Datagrams:
    """Receives, answers and records datagrams.

    Args:
        scribe: where to record.
        flows: the episode's flows.
        resolver: which address has which name.
        lookups: answers DNS.
        send: sends a datagram to the workstation: from, to, payload.
    """

    def __init__(
        self,
        scribe: Scribe,
        flows: Flows,
        resolver: Resolver,
        lookups: Lookups,
        send: Callable[[tuple[str, int], tuple[str, int], bytes], None],
    ) -> None:
        self._scribe = scribe
        self._flows = flows
        self._resolver = resolver
        self._lookups = lookups
        self._send = send
        self._tftp = Tftp(scribe, flows, resolver, send)
        self._held = HeldDatagrams(scribe, flows.pieces)
        self._open: OrderedDict[Key, tuple[Flow, float]] = OrderedDict()

    def take(self, transport: str, client: tuple[str, int], wanted: tuple[str, int], payload: bytes) -> None:
        """One datagram that `client` sent to `wanted`, addresses with ports."""
        is_dns = transport == "udp" and wanted[1] in DNS_PORTS
        if transport == "udp" and not is_dns and self._tftp.take(client, wanted, payload):
            return
        flow = self._flow(transport, *wanted)
        if not is_dns:
            flow.sent(payload)
            self._held.add(flow, payload)
            answer = answer_to(payload, wanted[1], time.time()) if transport == "udp" else b""
            if answer:
                self._send(wanted, client, answer)
                flow.received(len(answer))
            return
        response = self._lookups.take(payload, flow, udp=True)
        if response is not None:
            self._send(wanted, client, response)

    def sweep(self) -> None:
        """End the flows that have been silent too long."""
        self._tftp.sweep()
        now = self._scribe.clock()
        while self._open:
            key, (flow, seen) = next(iter(self._open.items()))
            if now - seen < IDLE_SECONDS and not flow.closed:
                return
            del self._open[key]
            self._end(flow)

    def close(self) -> None:
        """Nothing more comes: end all flows."""
        self._tftp.close()
        while self._open:
            self._end(self._open.popitem(last=False)[1][0])
        self._held.close_all()

    def _end(self, flow: Flow) -> None:
        self._held.close(flow)
        flow.close()

    def _flow(self, transport: str, address: str, port: int) -> Flow:
        key = (transport, address, port)
        flow, _ = self._open.pop(key, (None, 0.0))
        if flow is not None and flow.closed:  # it gave way to others
            self._held.close(flow)
            flow = None
        if flow is None:
            if len(self._open) >= MAX_FLOWS:
                self._end(self._open.popitem(last=False)[1][0])
            flow = self._flows.open(transport, address, port, self._resolver.name_of(address), part="datagrams")
        self._open[key] = (flow, self._scribe.clock())
        return flow


class DatagramServer:
    """Drives `Datagrams` from the sockets that packets arrive at."""

    def __init__(self, scribe: Scribe, datagrams: Datagrams) -> None:
        self._scribe = scribe
        self._datagrams = datagrams
        self._faults = Budget(scribe.record, "faults", facts=100)
        self._dropped: dict[socket.socket, int] = {}
        self._lost = Budget(scribe.record, "dropped-datagrams", facts=100)
        self._watched: list[socket.socket] = []
        self._reply4: socket.socket | None = None
        self._echoes = 0
        self._sweeper: asyncio.Task[None] | None = None

    def start(self, sockets: Sockets) -> None:
        """Receive, until `stop`."""
        loop = asyncio.get_running_loop()
        self._reply4 = sockets.reply4
        for each in (*sockets.udp, *sockets.raw):
            loop.add_reader(each, self._receive, each, _reader_of(each))
            self._watched.append(each)
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Take what has arrived, then receive no more."""
        for each in self._watched:
            self._receive(each, _reader_of(each))
            asyncio.get_running_loop().remove_reader(each)
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        self._datagrams.close()
        self._faults.flush()
        self._lost.flush()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._datagrams.sweep()

    def _receive(self, source: socket.socket, read: Reader) -> None:
        for _ in range(_BATCH):
            try:
                data, ancillary, _, client = source.recvmsg(_MAX_DATAGRAM, _ANCILLARY_BYTES)
            except OSError:
                return
            try:
                self._note_drops(source, ancillary)
                found = read(data, ancillary, client)
                if found is not None:
                    self._datagrams.take(*found)
                    if read is read_raw4:
                        self._echo(data, client[0])
            except Exception as problem:  # one datagram's trouble is never another's
                if self._faults.take(type(problem).__name__):
                    self._scribe.fault("datagrams", problem)

    def _echo(self, packet: bytes, client: str) -> None:
        self._echoes += 1
        for answer in echo_reply(packet, self._echoes):
            if self._reply4 is not None:
                with contextlib.suppress(OSError):  # a reply may be lost
                    self._reply4.sendto(answer, (client, 0))

    def _note_drops(self, source: socket.socket, ancillary: Ancillary) -> None:
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_RXQ_OVFL):
                total = struct.unpack("=I", data[:4])[0]
                new = total - self._dropped.get(source, 0)
                self._dropped[source] = total
                what = f"{new} datagrams came faster than they could be taken and were dropped ({total} in all)"
                if new > 0 and self._lost.take(what):
                    self._scribe.record(Limit(where="network.datagrams", what=what))


# --- reading what the sockets give ------------------------------------------------------------------------------------

Found = tuple[str, tuple[str, int], tuple[str, int], bytes]
"""Transport, client, wanted address and port, payload."""

Reader = Callable[[bytes, Ancillary, tuple[str, int]], Found | None]


def _reader_of(source: socket.socket) -> Reader:
    if source.type == socket.SOCK_DGRAM:
        return read_udp
    if source.family == socket.AF_INET:
        return read_raw4
    return read_icmp6 if source.proto == socket.IPPROTO_ICMPV6 else read_raw6


def read_udp(data: bytes, ancillary: Ancillary, client: tuple[str, int]) -> Found | None:
    """A UDP datagram with its original destination beside it."""
    for level, kind, value in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_ORIGDSTADDR):
            port, packed = struct.unpack("!2xH4s", value[:8])
            return "udp", client[:2], (str(ipaddress.IPv4Address(packed)), port), data
        if (level, kind) == (socket.IPPROTO_IPV6, _IPV6_ORIGDSTADDR):
            port, packed = struct.unpack("!2xH4x16s", value[:24])
            return "udp", client[:2], (str(ipaddress.IPv6Address(packed)), port), data
    return None


def read_raw4(data: bytes, _ancillary: Ancillary, client: tuple[str, int]) -> Found | None:
    """An IPv4 packet with its header: an echo request or UDP-Lite."""
    if len(data) < 20:
        return None
    size = (data[0] & 0xF) * 4
    wanted = str(ipaddress.IPv4Address(data[16:20]))
    rest = data[size:]
    if data[9] == socket.IPPROTO_ICMP:
        is_request = len(rest) >= _ICMP_HEADER_BYTES and rest[0] == 8
        return ("icmp", (client[0], 0), (wanted, 0), rest[_ICMP_HEADER_BYTES:]) if is_request else None
    return _udplite(rest, client[0], wanted) if data[9] == UDPLITE else None


def read_icmp6(data: bytes, ancillary: Ancillary, client: tuple[str, int]) -> Found | None:
    """An ICMPv6 message; the kernel lets only echo requests through."""
    wanted = _packet_info(ancillary)
    if wanted is None or len(data) < _ICMP_HEADER_BYTES:
        return None
    return "icmp", (client[0], 0), (wanted, 0), data[_ICMP_HEADER_BYTES:]


def read_raw6(data: bytes, ancillary: Ancillary, client: tuple[str, int]) -> Found | None:
    """UDP-Lite over IPv6; the header is left out by the kernel."""
    wanted = _packet_info(ancillary)
    return None if wanted is None else _udplite(data, client[0], wanted)


def _udplite(data: bytes, client: str, wanted: str) -> Found | None:
    if len(data) < 8:
        return None
    source, target = struct.unpack_from("!2H", data)
    return "udplite", (client, source), (wanted, target), data[8:]


def _packet_info(ancillary: Ancillary) -> str | None:
    for level, kind, value in ancillary:
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO) and len(value) >= 16:
            return str(ipaddress.IPv6Address(value[:16]))
    return None


def sender(sockets: Sockets) -> Callable[[tuple[str, int], tuple[str, int], bytes], None]:
    """Sends datagrams to the workstation from whatever address they are to come from."""

    def send(source: tuple[str, int], target: tuple[str, int], payload: bytes) -> None:
        out = sockets.reply6 if ":" in target[0] else sockets.reply4
        if out is not None:
            with contextlib.suppress(OSError):  # a reply is a datagram: it may be lost
                out.sendto(udp_packet(source, target, payload), (target[0], 0))

    return send
