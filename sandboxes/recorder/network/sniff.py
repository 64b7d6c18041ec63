"""Telling from a connection's first bytes what is spoken on it."""

from __future__ import annotations

import re
from enum import Enum

DNS_PORTS = (53, 853)
SNIFF_BYTES = 32
"""With so many bytes the kind is always decided."""


class Kind(Enum):
    """What is spoken."""

    TLS = "tls"
    HTTP = "http"
    DNS = "dns"
    SSH = "ssh"
    HTTP2 = "http2"
    RSYNC = "rsync"
    GIT = "git"
    SMB = "smb"
    SOCKS = "socks"
    MQTT = "mqtt"
    SILENT = "silent"
    """The client waits to be greeted."""
    RAW = "raw"
    UNDECIDED = "undecided"
    """More bytes are needed."""


_METHOD = re.compile(rb"[A-Z]{3,20} ")
_METHOD_SO_FAR = re.compile(rb"[A-Z]{0,20}\Z")
_OTHER_LINE = re.compile(rb"(?![^\n]*HTTP/)[^\n/]*\n")
"""A whole line that looks like a request's first one by its verb only: mail and file servers know such, too."""
_TLS_RECORD = b"\x16\x03"
_CLIENT_HELLO = 1
_STARTS = {b"SSH-": Kind.SSH, b"PRI * HTTP/2": Kind.HTTP2, b"@RSYNCD: ": Kind.RSYNC}
_GIT_LENGTH = re.compile(rb"[0-9a-f]{1,4}")
_GIT = (b"git-receive-pack ", b"git-upload-pack ", b"git-upload-archive ")
_SMB = re.compile(rb"\0[\0-\x01]..[\xfe\xff]SMB", re.DOTALL)
_SMB_BYTES = 8
_MQTT = re.compile(rb"\x10[\x80-\xff]{0,3}[\0-\x7f]\0[\4\6]MQ")
_MQTT_BYTES = 9


def sniff(first: bytes, port: int) -> Kind:
    """What a connection to `port` whose first bytes are `first` speaks; `UNDECIDED` while it may be several."""
    if not first:
        return Kind.UNDECIDED
    if port in DNS_PORTS:
        return _sniff_dns(first)
    if _may_be(_TLS_RECORD, first):
        if len(first) < 6:
            return Kind.UNDECIDED
        return Kind.TLS if first[5] == _CLIENT_HELLO else Kind.RAW
    for start, kind in _STARTS.items():
        if _may_be(start, first):
            return kind if len(first) >= len(start) else Kind.UNDECIDED
    if first[:1] == b"\0":
        return _sniff_smb(first)
    if first[:1] == b"\x10" and len(first) < _MQTT_BYTES:
        return Kind.UNDECIDED
    if _MQTT.match(first):
        return Kind.MQTT
    if first[:1] in (b"\4", b"\5"):
        return _sniff_socks(first)
    if _GIT_LENGTH.match(first) and any(_may_be(command, first[4:]) for command in _GIT):
        return Kind.GIT if first.startswith(_GIT, 4) else Kind.UNDECIDED
    if _METHOD.match(first):
        return Kind.RAW if _OTHER_LINE.match(first) else Kind.HTTP
    return Kind.UNDECIDED if _METHOD_SO_FAR.match(first) else Kind.RAW


def _may_be(start: bytes, first: bytes) -> bool:
    return first.startswith(start) or start.startswith(first)


def _sniff_dns(first: bytes) -> Kind:
    """A length, then a header that asks one question: QR and opcode are zero, QDCOUNT is one."""
    if len(first) < 8:
        return Kind.UNDECIDED
    length = int.from_bytes(first[:2], "big")
    return Kind.DNS if length >= 17 and first[4] & 0xF8 == 0 and first[6:8] == b"\0\1" else Kind.RAW


def _sniff_smb(first: bytes) -> Kind:
    """NetBIOS' session message, and the magic of SMB 1 or 2 in it."""
    if len(first) < _SMB_BYTES:
        return Kind.UNDECIDED
    return Kind.SMB if _SMB.match(first) else Kind.RAW


def _sniff_socks(first: bytes) -> Kind:
    """Version 5: how many ways to log in, and these, then the client waits. Version 4: a command to connect."""
    if len(first) < 2:
        return Kind.UNDECIDED
    if first[0] == 5:
        size = 2 + first[1]
        if len(first) < min(size, SNIFF_BYTES):
            return Kind.UNDECIDED
        return Kind.SOCKS if first[1] and len(first) == size and max(first[2:]) < 0x10 else Kind.RAW
    return Kind.SOCKS if first[1] in (1, 2) and len(first) <= SNIFF_BYTES else Kind.RAW
