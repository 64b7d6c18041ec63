"""Who waits for connections in a network namespace, by the kernel's own word.

The kernel is asked for listeners (`sock_diag`), or where it does not answer that, its tables of all connections are
read. Either goes on to tell of the namespace in which it was opened, wherever its reader moves: the workstation's are
opened before the witness leaves for its own namespace.
"""

from __future__ import annotations

import ipaddress
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .sock_diag import SockDiag

MAX_BYTES = 1 << 20
"""Of a table that are read. Listeners stand at its start, before all connections."""

_LISTENING = "0A"


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket."""

    address: str
    port: int
    inode: int
    """Tells it from one that had the same address and port before."""

    @property
    def version(self) -> int:
        """Of IP: 4 or 6."""
        return ipaddress.ip_address(self.address).version


class ListenTable:
    """The listening TCP sockets of the namespace that it was made in.

    Raises:
        OSError: the kernel tells nothing of them.
    """

    def __init__(self, ask: Callable[[], SockDiag] = SockDiag, folder: Path = Path("/proc/self/net")) -> None:
        self._diag: SockDiag | None = None
        self._tables: list[int] = []
        try:
            self._diag = ask()
        except OSError:  # a kernel without that module
            self._tables = [os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC) for name in ("tcp", "tcp6")]

    def read(self) -> list[Listener]:
        """Those that there are now."""
        if self._diag is not None:
            return [Listener(_address(address), port, inode) for address, port, inode in self._diag.read()]
        return [listener for table in self._tables for listener in listeners_in(_text_of(table))]

    def close(self) -> None:
        """Read no more."""
        if self._diag is not None:
            self._diag.close()
        for table in self._tables:
            os.close(table)
        self._tables = []


def listeners_in(table: str) -> list[Listener]:
    """The listeners of a table's text. They come first: what follows the first other socket is not read."""
    found: list[Listener] = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _LISTENING:
            break
        address, _, port = fields[1].partition(":")
        found.append(Listener(_address(_in_network_order(address)), int(port, 16), int(fields[9])))
    return found


def _in_network_order(text: str) -> bytes:
    """The kernel writes 32-bit words in the machine's own order."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    return struct.pack(f"={len(words)}I", *words)


def _address(packed: bytes) -> str:
    found = ipaddress.ip_address(packed)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _text_of(table: int) -> str:
    os.lseek(table, 0, os.SEEK_SET)
    parts: list[bytes] = []
    left = MAX_BYTES
    while left > 0 and (part := os.read(table, min(left, 65536))):
        parts.append(part)
        left -= len(part)
        if any(line.split()[3:4] not in ([_LISTENING.encode()], [b"st"]) for line in part.splitlines()[:-1]):
            break
    return b"".join(parts).decode("ascii", "replace")
