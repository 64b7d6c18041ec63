"""NTP's servers (RFC 5905): a client that asks for the time is told it, and is content."""

from __future__ import annotations

import struct

PORT = 123
_PACKET_BYTES = 48
_FROM_1900_TO_1970 = 2_208_988_800
_CLIENT, _SERVER = 3, 4
_STRATUM, _PRECISION = 2, 0xE8
_DELAY, _DISPERSION = 0x0000_0500, 0x0000_0700
"""Seconds, with 16 bits behind the point."""


def answer_to(request: bytes, port: int, now: float) -> bytes:
    """The answer to a datagram; none to what is not a client's question.

    Args:
        request: the datagram.
        port: where it went.
        now: seconds since 1970.
    """
    if port != PORT or len(request) < _PACKET_BYTES or request[0] & 7 != _CLIENT:
        return b""
    version = request[0] >> 3 & 7
    stamp = round((now + _FROM_1900_TO_1970) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF
    reference = (stamp - (311 << 32)) & 0xFFFF_FFFF_FFFF_FFFF
    head = struct.pack(
        "!BBBBIII", version << 3 | _SERVER, _STRATUM, request[2], _PRECISION, _DELAY, _DISPERSION, 0xC0_00_02_7B
    )
    return head + struct.pack("!Q", reference) + request[40:48] + struct.pack("!QQ", stamp, stamp)
