"""UDP packets by hand: building a reply that comes from any address and port."""

from __future__ import annotations

import ipaddress
import struct

UDP = 17
_TTL = 58
_HEADER_BYTES = 8

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
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, _TTL, UDP, 0) + here.packed + there.packed
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:]
