"""Asks the kernel which TCP sockets listen, and for no others (sock_diag(7)).

The kernel's tables as text hold all connections too, and whoever reads them to find out that there are none has it walk
through a table with room for those of the whole machine: some milliseconds each time, where this takes microseconds.
A netlink socket belongs to the network namespace in which it was made, wherever its owner moves.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

_NETLINK_SOCK_DIAG = 4
_BY_FAMILY = 20
_REQUEST, _DUMP = 0x1, 0x300
_ERROR, _DONE = 2, 3
_LISTENING = 1 << 10

_HEADER = struct.Struct("=IHHII")
"""Length, kind, flags, number of the request, port of the sender."""
_ASKED = struct.Struct("=BBBxI48x")
"""Family, protocol, extensions, states; of any address."""
_TOLD = struct.Struct("=4x H2x 16s 16x 12x 16x I")
"""Port and address that it listens on (in network order), and its inode."""
_CODE = struct.Struct("=i")
_ANSWER_BYTES = 1 << 16
_SECONDS = 5.0


class SockDiag:
    """The listening TCP sockets of the namespace that it was made in.

    Raises:
        OSError: the kernel does not answer such questions.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
        self._asked = 0
        try:
            self._socket.settimeout(_SECONDS)
            self._socket.bind((0, 0))
            self.read()
        except OSError:
            self.close()
            raise

    def read(self) -> list[tuple[bytes, int, int]]:
        """Address (4 or 16 bytes), port and inode of each.

        Raises:
            OSError: the kernel did not tell.
        """
        return [told for family in (socket.AF_INET, socket.AF_INET6) for told in self._listening(family)]

    def close(self) -> None:
        """Ask no more."""
        self._socket.close()

    def _listening(self, family: int) -> Iterator[tuple[bytes, int, int]]:
        self._asked += 1
        asked = _ASKED.pack(family, socket.IPPROTO_TCP, 0, _LISTENING)
        header = _HEADER.pack(_HEADER.size + len(asked), _BY_FAMILY, _REQUEST | _DUMP, self._asked, 0)
        self._socket.send(header + asked)
        size = 4 if family == socket.AF_INET else 16
        for body in self._answer():
            port, address, inode = _TOLD.unpack_from(body)
            yield address[:size], socket.ntohs(port), inode

    def _answer(self) -> Iterator[bytes]:
        """What belongs to the last request; of one that was given up nothing is taken for it."""
        while True:
            data = self._socket.recv(_ANSWER_BYTES)
            while len(data) >= _HEADER.size:
                length, kind, _, number, _ = _HEADER.unpack_from(data)
                body, data = data[_HEADER.size : length], data[max(length + 3 & ~3, _HEADER.size) :]
                if number != self._asked:
                    continue
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    code = -_CODE.unpack_from(body)[0] or errno.EPROTO
                    raise OSError(code, os.strerror(code))
                yield body
