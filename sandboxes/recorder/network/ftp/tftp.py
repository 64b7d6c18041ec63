"""TFTP (RFC 1350, with the options of RFC 2347 to 2349 and 7440): whoever puts a file can, and finds it there again.

A request is known by its shape, on any port. What follows it comes from the client's same port to a new one of the
server's, so a transfer is told by the three of them.
"""

from __future__ import annotations

import re
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...events import Limit
from ..budget import Budget
from .shelf import Entry, Shelves, Writer, absolute
from .words import LineEnds

if TYPE_CHECKING:
    from ..flow import Flow, Flows
    from ..resolver import Resolver
    from ..sight import Scribe, Sight

Address = tuple[str, int]
Send = Callable[[Address, Address, bytes], None]

MAX_TRANSFERS = 256
"""At once; the one that was silent longest is ended for a new one."""

IDLE_SECONDS = 60.0
"""A transfer without a packet for so long has ended."""

_READ, _WRITE, _DATA, _ACK, _ERROR, _OPTIONS = range(1, 7)
_BLOCK_BYTES = 512
_MAX_BLOCK_BYTES = 65464
_SAFE_BLOCK_BYTES = 1428
"""Larger blocks are not agreed to: they would come in fragments."""
_MAX_WINDOW = 64
_NOT_FOUND, _FULL = 1, 3
_PORTS = range(32768, 61000)
_REQUEST = re.compile(rb"\0[\1\2]([^\0]{1,4096})\0(octet|netascii|mail)\0((?:[^\0]*\0)*)\Z", re.IGNORECASE)


class Tftp:
    """All TFTP transfers of an episode.

    Args:
        scribe: where to record.
        flows: the episode's flows; a transfer is one, to the port that was asked.
        resolver: which address has which name.
        send: sends a datagram to the workstation: from, to, payload.
    """

    def __init__(self, scribe: Scribe, flows: Flows, resolver: Resolver, send: Send) -> None:
        self._scribe = scribe
        self._flows = flows
        self._resolver = resolver
        self._send = send
        self._shelves = Shelves()
        self._transfers: OrderedDict[tuple[Address, Address], _Transfer] = OrderedDict()
        self._evicted = Budget(scribe.record, "tftp-transfers", facts=10)
        self._started = 0

    def take(self, client: Address, wanted: Address, payload: bytes) -> bool:
        """One datagram from `client` to `wanted`; whether it is TFTP's."""
        transfer = self._transfers.get((client, wanted))
        if transfer is None:
            request = _REQUEST.match(payload)
            if request is None:
                return False
            self._begin(client, wanted, payload, request)
            return True
        if transfer.over and payload != transfer.last:  # what goes on behind the end is no part of it
            return False
        transfer.last = payload
        self._transfers.move_to_end((client, wanted))
        transfer.seen = self._scribe.clock()
        transfer.flow.count(payload)
        for answer in transfer.answer(payload):
            self._say(wanted, client, transfer.flow, answer)
        if transfer.over:
            transfer.close()
        return True

    def sweep(self) -> None:
        """End the transfers that have been silent too long."""
        now = self._scribe.clock()
        while self._transfers:
            key, transfer = next(iter(self._transfers.items()))
            if now - transfer.seen < IDLE_SECONDS:
                return
            del self._transfers[key]
            transfer.close()

    def close(self) -> None:
        """End all transfers, and forget what was put."""
        for transfer in self._transfers.values():
            transfer.close()
        self._transfers.clear()
        self._shelves.close()
        self._evicted.flush()

    def _begin(self, client: Address, wanted: Address, payload: bytes, request: re.Match[bytes]) -> None:
        server = self._own_port(wanted[0])
        flow = self._flows.open("udp", *wanted, self._resolver.name_of(wanted[0]), part="file")
        flow.protocol = "tftp"
        name = request[1].decode("utf-8", "replace")
        flow.target = name
        flow.count(payload)
        if flow.scanned:
            self._flows.pieces.add(f"{wanted[0]} tftp", [request[1], request[3]], flow.place("commands"))
        path = absolute("/", name)
        options = Options.read(request[3])
        shelf = self._shelves.of(wanted[0])
        transfer: _Transfer
        if payload[1] == _WRITE:
            transfer = _Put(flow, options, shelf.write(path, None), text=request[2].lower() != b"octet")
        else:
            transfer = _Get(flow, options, shelf.find(path))
        transfer.seen = self._scribe.clock()
        if len(self._transfers) >= MAX_TRANSFERS:
            self._evict()
        self._transfers[client, server] = transfer
        for answer in transfer.begin():
            self._say(server, client, flow, answer)

    def _evict(self) -> None:
        _, transfer = self._transfers.popitem(last=False)
        if not transfer.over and self._evicted.take(transfer.flow.end.address):
            what = f"over {MAX_TRANSFERS} transfers were under way: this one was ended to make room"
            self._scribe.record(Limit(where="network.tftp", what=what, flow=transfer.flow.number))
        transfer.close()

    def _own_port(self, address: str) -> Address:
        self._started += 7919  # consecutive transfers come from ports that lie apart
        return address, _PORTS[self._started % len(_PORTS)]

    def _say(self, server: Address, client: Address, flow: Flow, answer: bytes) -> None:
        self._send(server, client, answer)
        flow.received(len(answer))


class Options:
    """What a client asked for beside the file, as far as it is granted.

    Args:
        asked: names, in small letters, and values.
    """

    def __init__(self, asked: dict[bytes, int]) -> None:
        self.granted: dict[bytes, int] = {}
        if b"blksize" in asked and asked[b"blksize"] >= 8:
            self.granted[b"blksize"] = min(asked[b"blksize"], _SAFE_BLOCK_BYTES)
        if b"windowsize" in asked and asked[b"windowsize"] >= 1:
            self.granted[b"windowsize"] = min(asked[b"windowsize"], _MAX_WINDOW)
        for name in (b"timeout", b"tsize"):
            if name in asked:
                self.granted[name] = asked[name]

    @classmethod
    def read(cls, text: bytes) -> Options:
        """From names and values with a NUL behind each; those that make no sense are left out."""
        words = text.split(b"\0")[:-1][:32]
        pairs = zip(words[::2], words[1::2], strict=False)
        return cls({name.lower(): int(value) for name, value in pairs if value.isdigit() and len(value) < 16})

    @property
    def block_bytes(self) -> int:
        """Of each block but the last."""
        return self.granted.get(b"blksize", _BLOCK_BYTES)

    @property
    def window(self) -> int:
        """Blocks that are acknowledged together."""
        return self.granted.get(b"windowsize", 1)

    def acknowledgement(self) -> bytes:
        """The packet that tells what is granted; empty when nothing was asked for."""
        words = b"".join(b"%s\0%d\0" % pair for pair in self.granted.items())
        return struct.pack("!H", _OPTIONS) + words if words else b""


class _Transfer:
    """One file on its way."""

    def __init__(self, flow: Flow, options: Options) -> None:
        self.flow = flow
        self.options = options
        self.seen = 0.0
        self.over = False
        """Whether all is done; the last packet may come once more."""
        self.last = b""
        """The packet that came last."""

    def begin(self) -> list[bytes]:
        """The answer to the request."""
        raise NotImplementedError

    def answer(self, packet: bytes) -> list[bytes]:
        """The answers to a packet."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing more comes."""
        self.flow.close()


class _Put(_Transfer):
    """A file that the client sends."""

    def __init__(self, flow: Flow, options: Options, kept: Writer | None, *, text: bool) -> None:
        super().__init__(flow, options)
        self._kept = kept
        self._block = 0
        """Blocks that have come, without a gap."""
        self._ends = LineEnds() if text else None
        self._undone: Sight | None = flow.sight("file", flow.target, ("line ends",)) if text else None

    def begin(self) -> list[bytes]:
        return [self.options.acknowledgement() or self._acknowledge()]

    def answer(self, packet: bytes) -> list[bytes]:
        if len(packet) < 4:
            self.flow.look(packet)
            return []
        kind, number = struct.unpack_from("!HH", packet)
        data = packet[4:]
        if kind != _DATA or len(data) > self.options.block_bytes:
            self.over = self.over or kind == _ERROR
            self.flow.look(packet)
            return []
        if number != (self._block + 1) & 0xFFFF or self.over:
            if not self.over:
                self.flow.look(data)  # a repeated block may be another
            return [self._acknowledge()]
        self._block += 1
        self._store(data)
        self.over = len(data) < self.options.block_bytes
        return [self._acknowledge()] if self.over or self._block % self.options.window == 0 else []

    def close(self) -> None:
        if self._undone is not None:
            self._undone.close()
        super().close()

    def _store(self, data: bytes) -> None:
        self.flow.look(data)
        plain = self._ends.feed(data) if self._ends else data
        if self._undone is not None:
            self._undone.feed(plain)
        if self._kept is not None:
            self._kept.write(plain)

    def _acknowledge(self) -> bytes:
        return struct.pack("!HH", _ACK, self._block & 0xFFFF)


class _Get(_Transfer):
    """A file that the client fetches."""

    def __init__(self, flow: Flow, options: Options, entry: Entry | None) -> None:
        super().__init__(flow, options)
        self._entry = entry if entry is not None and entry.content is not None else None
        self._acknowledged = 0
        if self._entry is not None and b"tsize" in options.granted:
            options.granted[b"tsize"] = self._entry.size

    def begin(self) -> list[bytes]:
        if self._entry is None:
            self.over = True
            return [struct.pack("!HH", _ERROR, _NOT_FOUND) + b"File not found\0"]
        agreed = self.options.acknowledgement()
        return [agreed] if agreed else self._window()

    def answer(self, packet: bytes) -> list[bytes]:
        self.flow.look(packet)
        if len(packet) < 4 or self._entry is None:
            return []
        kind, number = struct.unpack_from("!HH", packet)
        if kind != _ACK:
            self.over = self.over or kind == _ERROR
            return []
        ahead = (number - self._acknowledged) & 0xFFFF
        if ahead <= self.options.window:
            self._acknowledged += ahead
        blocks = self._entry.size // self.options.block_bytes + 1
        self.over = self._acknowledged >= blocks
        return [] if self.over else self._window()

    def _window(self) -> list[bytes]:
        assert self._entry is not None
        size = self.options.block_bytes
        packets: list[bytes] = []
        for block in range(self._acknowledged, self._acknowledged + self.options.window):
            data = next(self._entry.chunks(block * size), b"")[:size]
            packets.append(struct.pack("!HH", _DATA, (block + 1) & 0xFFFF) + data)
            if len(data) < size:
                break
        return packets
