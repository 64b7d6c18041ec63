"""Telling from a connection's first bytes what is spoken on it."""

from __future__ import annotations

import re
from enum import Enum

DNS_PORT = 53
SNIFF_BYTES = 32
"""With so many bytes the kind is always decided."""

_METHOD = re.compile(rb"[A-Z]{3,20} ")
_METHOD_SO_FAR = re.compile(rb"[A-Z]{0,20}\Z")
_TLS_RECORD = b"\x16\x03"
_CLIENT_HELLO = 1
_SSH = b"SSH-"
_HTTP2 = b"PRI * HTTP/2"


class Kind(Enum):
    """What is spoken."""

    TLS = "tls"
    HTTP = "http"
    DNS = "dns"
    SSH = "ssh"
    RAW = "raw"
    UNDECIDED = "undecided"
    """More bytes are needed."""


def sniff(first: bytes, port: int) -> Kind:
    """What a connection to `port` whose first bytes are `first` speaks; `UNDECIDED` while it may be several."""
    if not first:
        return Kind.UNDECIDED
    if port == DNS_PORT:
        return _sniff_dns(first)
    if _may_be(_TLS_RECORD, first):
        if len(first) < 6:
            return Kind.UNDECIDED
        return Kind.TLS if first[5] == _CLIENT_HELLO else Kind.RAW
    if _may_be(_SSH, first):
        return Kind.SSH if len(first) >= len(_SSH) else Kind.UNDECIDED
    if _may_be(_HTTP2, first):
        return Kind.RAW if len(first) >= len(_HTTP2) else Kind.UNDECIDED
    if _METHOD.match(first):
        return Kind.HTTP
    return Kind.UNDECIDED if _METHOD_SO_FAR.match(first) else Kind.RAW


def _may_be(start: bytes, first: bytes) -> bool:
    return first.startswith(start) or start.startswith(first)


def _sniff_dns(first: bytes) -> Kind:
    """A length, then a header that asks one question: QR and opcode are zero, QDCOUNT is one."""
    if len(first) < 8:
        return Kind.UNDECIDED
    length = int.from_bytes(first[:2], "big")
    return Kind.DNS if length >= 17 and first[4] & 0xF8 == 0 and first[6:8] == b"\0\1" else Kind.RAW
