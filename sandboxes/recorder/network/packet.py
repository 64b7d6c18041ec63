"""Packets by hand: replies that come from any address and port."""

from __future__ import annotations

import ipaddress
import struct

ICMP, UDP = 1, 17
MTU = 1500
"""Bytes that a packet on the link may have."""

_TTL = 58
_HEADER_BYTES = 8
_IPV4_BYTES = 20
_ECHO_REQUEST, _ECHO_REPLY = 8, 0
_DONT_FRAGMENT, _MORE_FRAGMENTS = 0x4000, 0x2000

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def udp_packet(source: tuple[str, int], target: tuple[str, int], payload: bytes) -> bytes:
    """A whole IPv4 or IPv6 packet with a UDP datagram from `source` to `target`, addresses with ports.

    Raises:
        ValueError: an address is none, or the two are of different families.
    """
    here, there = ipaddress.ip_address(source[0]), ipaddress.ip_address(target[0])
    if here.version != there.version:
        raise ValueError(f"{here} and {there} are of different families")
    length = _HEADER_BYTES + len(payload)
    header = struct.pack("!4H", source[1], target[1], length, 0)
    checked = checksum(_pseudo_header(here, there, length) + header + payload) or 0xFFFF
    datagram = header[:6] + struct.pack("!H", checked) + payload
    return _ip_header(here, there, length) + datagram


def echo_reply(request: bytes, number: int) -> list[bytes]:
    """The answer to a whole IPv4 packet with an echo request: one packet, or fragments; none to anything else.

    (The kernel answers ICMPv6 for any address by itself, ICMP only for its own.)

    Args:
        request: the packet.
        number: tells this answer's fragments from another's.
    """
    size = (request[0] & 0xF) * 4 if request else 0
    message = request[size:]
    if size < _IPV4_BYTES or len(message) < _HEADER_BYTES or request[9] != ICMP or message[0] != _ECHO_REQUEST:
        return []
    target, source = ipaddress.IPv4Address(request[12:16]), ipaddress.IPv4Address(request[16:20])
    rest = message[4:]
    answer = struct.pack("!BBH", _ECHO_REPLY, 0, checksum(bytes(4) + rest)) + rest
    step = (MTU - _IPV4_BYTES) // 8 * 8
    packets = []
    for at in range(0, len(answer), step):
        part = answer[at : at + step]
        more = _MORE_FRAGMENTS if at + step < len(answer) else 0
        packets.append(_ipv4_header(source, target, len(part), ICMP, number & 0xFFFF, more | at // 8) + part)
    return packets


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _pseudo_header(here: IPAddress, there: IPAddress, length: int) -> bytes:
    if here.version == 4:
        return here.packed + there.packed + struct.pack("!BBH", 0, UDP, length)
    return here.packed + there.packed + struct.pack("!IHBB", length, 0, 0, UDP)


def _ip_header(here: IPAddress, there: IPAddress, length: int) -> bytes:
    if here.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, UDP, _TTL) + here.packed + there.packed
    return _ipv4_header(here, there, length, UDP, 0, _DONT_FRAGMENT)


def _ipv4_header(here: IPAddress, there: IPAddress, length: int, protocol: int, number: int, fragment: int) -> bytes:
    start = struct.pack("!BBHHHBBH", 0x45, 0, _IPV4_BYTES + length, number, fragment, _TTL, protocol, 0)
    header = start + here.packed + there.packed
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:]
