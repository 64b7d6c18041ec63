"""Listeners on the workstation that can be reached from outside: each is noted, and visited once.

In a sealed lab nobody connects from outside, so what a listener would hand out would never be seen leaving. Listeners
on the loopback address are the workstation's own business and are never touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections import Counter
from typing import TYPE_CHECKING

from ..events import Listening
from .budget import Budget
from .fetch import Door

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .dialling import Dialler
    from .fetch import Connect, Fetcher
    from .listen_table import Listener
    from .sight import Scribe

PAUSE_SECONDS = 0.25
"""Between two looks at the table."""
SETTLE_SECONDS = 0.3
"""A new listener is given so long to get ready."""
STOP_SECONDS = 45.0
"""For the visits that are still to be made when the episode ends."""
AT_ONCE = 4
MAX_VISITS = 200
MAX_VISITS_OF_PORT = 8
"""Whoever opens a port anew after each visit is visited so often."""


class Listeners:
    """Watches for listeners, and has them visited.

    Args:
        scribe: where to record.
        read: the workstation's listening sockets now.
        fetcher: takes what is offered.
        dialler: connects to the workstation.
        strangers: the outside address that visitors come from, and the workstation's own, by version of IP.
    """

    def __init__(
        self,
        scribe: Scribe,
        read: Callable[[], list[Listener]],
        fetcher: Fetcher,
        dialler: Dialler,
        strangers: Mapping[int, tuple[str, str]],
    ) -> None:
        self._scribe = scribe
        self._read = read
        self._fetcher = fetcher
        self._dialler = dialler
        self._strangers = strangers
        self._noted: set[Listener] = set()
        self._silent: set[Listener] = set()
        self._visits: set[asyncio.Task[None]] = set()
        self._visited: Counter[int] = Counter()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._watch: asyncio.Task[None] | None = None
        self._facts = Budget(scribe.record, "listeners", facts=1000)
        self._refused = Budget(scribe.record, "visits", facts=0)

    def start(self) -> None:
        """Watch, until `stop`. Who listens already is part of the machine, and is left alone."""
        self._noted.update(self._outside())
        self._watch = asyncio.create_task(self._keep_watching())

    async def stop(self) -> None:
        """Look once more, also at those that were silent, and end what is under way."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        self._look()
        for listener in self._silent & set(self._outside()):
            self._send_visitor(listener, 0.0)
        if self._visits:
            _, late = await asyncio.wait(self._visits, timeout=STOP_SECONDS)
            for visit in late:
                visit.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for budget in (self._facts, self._refused):
            budget.flush()

    async def _keep_watching(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            self._look()

    def _look(self) -> None:
        try:
            new = [listener for listener in self._outside() if listener not in self._noted]
        except OSError as problem:
            self._scribe.fault("listeners", problem)
            return
        for listener in new:
            self._noted.add(listener)
            if self._facts.take(f"{listener.address} port {listener.port}"):
                self._scribe.record(Listening("tcp", listener.address, listener.port))
            self._send_visitor(listener, SETTLE_SECONDS)

    def _outside(self) -> list[Listener]:
        return [listener for listener in self._read() if not ipaddress.ip_address(listener.address).is_loopback]

    def _send_visitor(self, listener: Listener, after: float) -> None:
        if self._visited.total() >= MAX_VISITS or self._visited[listener.port] >= MAX_VISITS_OF_PORT:
            self._refused.take(f"port {listener.port}")
            return
        self._visited[listener.port] += 1
        visit = asyncio.create_task(self._visit(listener, after))
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)

    async def _visit(self, listener: Listener, after: float) -> None:
        await asyncio.sleep(after)
        async with self._at_once:
            source, own = self._strangers[listener.version]
            target = own if ipaddress.ip_address(listener.address).is_unspecified else listener.address
            fetched = await self._fetcher.fetch(
                self._caller(source, target, listener.port), Door(target, listener.port)
            )
        if fetched.received:
            self._silent.discard(listener)
        else:
            self._silent.add(listener)

    def _caller(self, source: str, target: str, port: int) -> Connect:
        return lambda: self._dialler.dial(source, target, port)
