"""DNS messages: takes the bytes of a query and gives those of a response; it has no socket."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, OPT, ANY = 1, 2, 5, 6, 12, 15, 16, 28, 41, 255
NOERROR, FORMERR, NXDOMAIN, NOTIMP = 0, 1, 3, 4

TYPES = {A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", PTR: "PTR", MX: "MX", TXT: "TXT", AAAA: "AAAA", 33: "SRV"} | {
    64: "SVCB",
    65: "HTTPS",
    255: "ANY",
    257: "CAA",
}

MAX_UDP_BYTES = 1232
"""Of a response over UDP; a longer one is cut and says so."""

_HEADER = struct.Struct("!6H")
_PLAIN_UDP_BYTES = 512
_PRINTABLE = frozenset(range(0x21, 0x7F)) - frozenset(b".\\")


class MalformedQueryError(ValueError):
    """The bytes are not a query that can be answered."""


@dataclass(frozen=True)
class Query:
    """One question."""

    id: int
    labels: tuple[bytes, ...]
    """Of the name, as they were sent."""
    type: int
    klass: int
    recurse: bool
    udp_bytes: int | None
    """What the client can take over UDP, when it says so (EDNS)."""

    @property
    def name(self) -> str:
        """The name as text, without the dot at the end, in the client's spelling; odd bytes as decimal escapes."""
        return to_text(self.labels)

    @property
    def type_name(self) -> str:
        """The type as text, such as `AAAA`."""
        return TYPES.get(self.type, f"TYPE{self.type}")


@dataclass(frozen=True)
class Record:
    """One answer."""

    type: int
    data: str
    """An address, a text, or names (for MX after a number, for SOA before five)."""
    ttl: int


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    rcode: int
    records: tuple[Record, ...] = ()


def parse(data: bytes) -> Query:
    """The question of a message.

    Raises:
        MalformedQueryError: it is not a query with one question.
    """
    if len(data) < _HEADER.size + 5:
        raise MalformedQueryError(f"{len(data)} bytes are too few")
    number, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(data)
    if flags & 0x8000 or flags & 0x7800:
        raise MalformedQueryError("not a query")
    if questions != 1:
        raise MalformedQueryError(f"{questions} questions")
    labels, at = _read_name(data, _HEADER.size)
    if at + 4 > len(data):
        raise MalformedQueryError("cut short")
    kind, klass = struct.unpack_from("!2H", data, at)
    udp_bytes = _edns_bytes(data, at + 4) if (answers, authorities) == (0, 0) and additionals else None
    return Query(number, labels, kind, klass, bool(flags & 0x0100), udp_bytes)


def build(query: Query, reply: Reply, limit: int | None = None) -> bytes:
    """The bytes of a response.

    Args:
        query: what was asked.
        reply: what to answer.
        limit: bytes that it may have; a longer one is sent without its answers, marked as cut.
    """
    out = _build(query, reply, cut=False)
    return out if limit is None or len(out) <= limit else _build(query, Reply(reply.rcode), cut=True)


def udp_limit(query: Query) -> int:
    """Bytes that a response over UDP may have."""
    return min(max(query.udp_bytes or 0, _PLAIN_UDP_BYTES), MAX_UDP_BYTES)


def refuse(data: bytes) -> bytes | None:
    """The response to a message that cannot be parsed, or None when even its header is missing or it is a response."""
    if len(data) < _HEADER.size or data[2] & 0x80:
        return None
    opcode = data[2] & 0x78
    rcode = NOTIMP if opcode else FORMERR
    return struct.pack("!2s2B", data[:2], 0x80 | opcode | data[2] & 1, 0x80 | rcode) + bytes(8)


def to_text(labels: tuple[bytes, ...]) -> str:
    """A name as text, without the dot at the end."""
    return ".".join("".join(chr(b) if b in _PRINTABLE else f"\\{b:03d}" for b in label) for label in labels)


def _read_name(data: bytes, at: int) -> tuple[tuple[bytes, ...], int]:
    labels: list[bytes] = []
    total = 0
    while True:
        if at >= len(data):
            raise MalformedQueryError("the name is cut short")
        size = data[at]
        at += 1
        if size == 0:
            return tuple(labels), at
        if size > 63:  # a pointer: a lone question has nothing to point to
            raise MalformedQueryError("a compressed or unknown label")
        total += size + 1
        if total > 254 or at + size > len(data):
            raise MalformedQueryError("the name is too long or cut short")
        labels.append(data[at : at + size])
        at += size


def _edns_bytes(data: bytes, at: int) -> int | None:
    """Of the OPT record, if it is the first additional one, as every client sends it."""
    if len(data) < at + 11 or data[at] != 0:
        return None
    kind, size = struct.unpack_from("!2H", data, at + 1)
    return int(size) if kind == OPT else None


def _build(query: Query, reply: Reply, *, cut: bool) -> bytes:
    flags = 0x8080 | (0x0100 if query.recurse else 0) | (0x0200 if cut else 0) | reply.rcode
    edns = query.udp_bytes is not None
    out = bytearray(_HEADER.pack(query.id, flags, 1, len(reply.records), 0, int(edns)))
    out += _name(query.labels) + struct.pack("!2H", query.type, query.klass)
    for record in reply.records:
        data = _record_data(record)
        out += struct.pack("!3HIH", 0xC00C, record.type, 1, record.ttl, len(data)) + data
    if edns:
        out += struct.pack("!B2HIH", 0, OPT, MAX_UDP_BYTES, 0, 0)
    return bytes(out)


def _record_data(record: Record) -> bytes:
    if record.type in (A, AAAA):
        return ipaddress.ip_address(record.data).packed
    if record.type == TXT:
        text = record.data.encode()[:255]
        return bytes((len(text),)) + text
    if record.type == MX:
        preference, _, host = record.data.partition(" ")
        return struct.pack("!H", int(preference)) + _host(host)
    if record.type == SOA:
        master, contact, *numbers = record.data.split(" ")
        return _host(master) + _host(contact) + struct.pack("!5I", *map(int, numbers))
    return _host(record.data)


def _host(name: str) -> bytes:
    labels = name.rstrip(".").split(".")
    return _name(tuple(label.encode("idna" if not label.isascii() else "ascii")[:63] for label in labels))


def _name(labels: tuple[bytes, ...]) -> bytes:
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
