"""Connections that a conversation has announced: the next one to an address and port belongs to it.

In a real network a server listens where it tells a client to connect. Here every connection arrives anyway, so it is
enough to remember whose it is.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .flow import Flow
    from .stream import Stream

Taker = Callable[["Stream", "Flow"], Awaitable[None]]
"""Serves the announced connection until our side has nothing more to say."""

PORTS = range(32768, 61000)
"""From which servers draw."""

MAX_ANNOUNCED = 4096
"""Announced connections that have not come yet; the oldest is given up."""


class Expected:
    """All announced connections of an episode.

    Args:
        ports: see `PORTS`.
    """

    def __init__(self, ports: Sequence[int] = PORTS) -> None:
        self._ports = ports
        self._takers: OrderedDict[tuple[str, int], Taker] = OrderedDict()

    def announce(self, address: str, taker: Taker) -> int:
        """Draw a port of `address`; the next connection to it goes to `taker`."""
        if len(self._takers) >= MAX_ANNOUNCED:
            self._takers.popitem(last=False)
        port = secrets.choice([port for port in self._draws() if (address, port) not in self._takers])
        self._takers[address, port] = taker
        return port

    def withdraw(self, address: str, port: int) -> None:
        """It is expected no more. May be called when it has come."""
        self._takers.pop((address, port), None)

    def take(self, address: str, port: int) -> Taker | None:
        """Whose the connection to an address and port is, if it was announced; a second one is not."""
        return self._takers.pop((address, port), None)

    def _draws(self) -> Sequence[int]:
        # More draws than there can be takers: one of them is free. All ports, where there are few.
        if len(self._ports) <= MAX_ANNOUNCED:
            return self._ports
        start = secrets.randbelow(len(self._ports) - MAX_ANNOUNCED)
        return self._ports[start : start + MAX_ANNOUNCED]
