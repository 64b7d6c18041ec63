"""The network as the witness's main program drives it: `prepare`, `start`, `stop`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..content.look import Look
from ..events import Limit
from .budget import Budget
from .capture import Sockets, open_sockets
from .dialling import Dialler
from .flow import Flows
from .guests.house import GuestHouse
from .listeners import Listeners
from .namespace import Link, link_counters, write_host_files
from .privileges import drop_all_but, raise_open_files
from .resolver import Resolver
from .sight import Scribe
from .speakers import Speakers
from .tcp import TcpServer
from .tls import CertificateAuthority, company_of
from .udp import Datagrams, DatagramServer, sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..kept import Kept
    from ..log import Log
    from ..marks import Marker
    from ..plan import Plan
    from .listen_table import Listener


class Network:
    """Everything that answers the workstation.

    Args:
        sockets: where packets arrive, when there is no link of our own (tests); else `prepare` opens them.
    """

    def __init__(self, sockets: Sockets | None = None) -> None:
        self._link: Link | None = None
        self._sockets = sockets or Sockets()
        self._house: GuestHouse | None = None
        self._authority: CertificateAuthority | None = None
        self._episode: _Episode | None = None

    def prepare(self) -> None:
        """Move this process to its own network namespace, linked to the workstation's, and give up its privileges.

        Before there are threads or an event loop. Afterwards this process has no capability for the network left.

        Raises:
            LinkError, OSError: the kernel or a command refused.
        """
        raise_open_files()
        self._link = Link.make()
        self._sockets = open_sockets()
        self._house = GuestHouse.open()
        drop_all_but()

    def certify(self, plan: Plan) -> str:
        """Make the authority that signs for every name: the TLS inspection of the company in the lab's domain.

        Returns:
            its certificate (PEM), for the workstation to trust.
        """
        self._authority = CertificateAuthority(company_of(plan.host.domain))
        return self._authority.pem

    async def start(self, plan: Plan, marker: Marker, log: Log, kept: Kept | None = None) -> None:
        """Give the link its addresses, and answer from now on. Unrecognised payloads are kept in `kept`, if anywhere.

        Raises:
            LinkError: a command refused.
        """
        if self._authority is None:
            self.certify(plan)
        assert self._authority is not None
        scribe = Scribe(log.record, lambda: Look(marker), kept=kept)
        house = self._house or GuestHouse.open(unsealed=True)
        table = self._link.listening.read if self._link is not None else list
        self._episode = _Episode(scribe, plan, self._authority, self._sockets, house, table)
        await self._episode.start(self._sockets)
        if self._link is not None:
            # Commands of a few milliseconds each; nothing else is going on before the episode.
            await asyncio.to_thread(self._link.configure, plan.host)
            write_host_files(plan.host)

    async def stop(self) -> None:
        """End every flow, record all totals, close every socket. Nothing is recorded afterwards."""
        if self._episode is not None:
            await self._episode.stop()
        self._sockets.close()

    def link_counters(self) -> tuple[int, int]:
        """Packets and bytes that the workstation has sent over its link."""
        return link_counters()

    @property
    def flows_open(self) -> int:
        """Flows open now."""
        return self._episode.flows.open_now if self._episode else 0

    @property
    def flows_seen(self) -> int:
        """Flows of the whole episode so far."""
        return self._episode.flows.total if self._episode else 0


class _Episode:
    """What an episode's network consists of."""

    def __init__(
        self,
        scribe: Scribe,
        plan: Plan,
        authority: CertificateAuthority,
        sockets: Sockets,
        house: GuestHouse,
        listening: Callable[[], list[Listener]],
    ) -> None:
        self._scribe = scribe
        self._troubles = Budget(scribe.record, "faults", facts=100)
        self.flows = Flows(scribe)
        resolver = Resolver(plan)
        self._house = house
        self._dialler = Dialler(scribe, sockets.spare, (plan.host.address, plan.host.address6))
        self._speakers = Speakers(scribe, self.flows, plan, resolver, authority, house, self._dialler)
        self._tcp = TcpServer(scribe, self._speakers.board)
        strangers, host = resolver.strangers(), plan.host
        self._listeners = Listeners(
            scribe,
            listening,
            self._speakers.fetcher,
            self._dialler,
            {4: (strangers[4], host.address), 6: (strangers[6], host.address6)},
        )
        self._datagrams = DatagramServer(
            scribe, Datagrams(scribe, self.flows, resolver, self._speakers.lookups, sender(sockets))
        )

    async def start(self, sockets: Sockets) -> None:
        asyncio.get_running_loop().set_exception_handler(self._on_trouble)
        self._datagrams.start(sockets)
        await self._tcp.start(sockets.tcp)
        self._listeners.start()

    async def stop(self) -> None:
        await self._listeners.stop()
        await self._datagrams.stop()
        await self._tcp.stop()
        for each in (self._speakers, self._house, self._dialler):
            each.close()
        self.flows.close_all()
        self._troubles.flush()
        asyncio.get_running_loop().set_exception_handler(None)

    def _on_trouble(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What asyncio could not tell anybody else: no descriptor left for a connection, or a callback that failed."""
        problem = context.get("exception")
        what = f"{context.get('message', '')}: {problem!r}"[:300]
        if not self._troubles.take(what):
            return
        if "socket" in context:
            self._scribe.record(Limit(where="network.accept", what=what))
        else:
            self._scribe.fault("loop", problem or RuntimeError(what))
