"""The network as the witness's main program drives it: `prepare`, `start`, `stop`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..content.look import Look
from ..events import Limit
from .budget import Budget
from .by_port import ByPort
from .capture import Sockets, open_sockets
from .dialling import Dialler
from .expected import Expected
from .fetch import Fetcher
from .file_hosts import FileHosts
from .flow import Flows
from .ftp import Ftp
from .greeting import Greeter
from .guests.house import GuestHouse
from .imap import Imap
from .listeners import Listeners
from .lookups import Lookups
from .manners import NNTP, POP3, Mannered
from .mqtt import Mqtt
from .namespace import Link, link_counters, write_host_files
from .oversight import Oversight
from .post import Post
from .privileges import drop_all_but, raise_open_files
from .resolver import Resolver
from .services import Services
from .sight import Scribe
from .smtp import Smtp
from .sniff import Kind
from .socks import Socks
from .switchboard import Switchboard
from .tcp import TcpServer
from .tls import CertificateAuthority, company_of
from .tls_stream import TlsSpeaker
from .udp import Datagrams, DatagramServer, sender
from .web import Web
from .web1 import Http1Speaker
from .web2 import Http2Speaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..kept import Kept
    from ..log import Log
    from ..marks import Marker
    from ..plan import Plan
    from .listen_table import Listener
    from .speaker import Speaker


MAX_HINTS = 10
"""Files of the weights that a listener is asked for by name."""


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
        self._file_hosts = FileHosts(scribe, house)
        self._lookups = Lookups(scribe, resolver)
        self._web = Web(
            scribe,
            Services(plan.store, plan.host.domain),
            self._lookups,
            self._file_hosts,
            Oversight(plan.oversight, scribe.record),
        )
        self._tls = TlsSpeaker(scribe, authority)
        self._dialler = Dialler(scribe, sockets.spare, (plan.host.address, plan.host.address6))
        expected = Expected()
        self._ftp = Ftp(scribe, self.flows, authority, expected, self._dialler)
        self._post = Post(scribe)
        self._mqtt = Mqtt(scribe)
        self._by_port = ByPort(scribe)
        mail: list[Smtp | Imap | Mannered] = [
            Smtp(self._post, authority),
            Imap(self._post, authority),
            *(Mannered(manner, self._post, authority) for manner in (POP3, NNTP)),
        ]
        greeter = Greeter([*(each.greeted() for each in mail), self._ftp.greeted()])
        speakers: dict[Kind, Speaker] = {
            Kind.TLS: self._tls,
            Kind.HTTP: Http1Speaker(self._web),
            Kind.HTTP2: Http2Speaker(self._web),
            Kind.SOCKS: Socks(),
            Kind.DNS: self._lookups,
            Kind.SILENT: greeter,
            Kind.MQTT: self._mqtt,
            Kind.RAW: self._by_port,
            **self._file_hosts.speakers,
        }
        self._tcp = TcpServer(scribe, Switchboard(self.flows, resolver, speakers, expected, greeter.is_awaited))
        strangers, host = resolver.strangers(), plan.host
        self._listeners = Listeners(
            scribe,
            listening,
            Fetcher(scribe, self.flows, hints_of(plan)),
            self._dialler,
            {4: (strangers[4], host.address), 6: (strangers[6], host.address6)},
        )
        self._datagrams = DatagramServer(
            scribe, Datagrams(scribe, self.flows, resolver, self._lookups, sender(sockets))
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
        for each in (
            self._tls,
            self._web,
            self._lookups,
            self._file_hosts,
            self._house,
            self._ftp,
            self._post,
            self._mqtt,
            self._by_port,
            self._dialler,
        ):
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


def hints_of(plan: Plan) -> list[str]:
    """What somebody in the know would ask a web server for: the planted files, by their names and paths."""
    files = [shard.file for shard in plan.weights.shards[:MAX_HINTS]]
    return [quote(f"{folder}/{file}") for folder in ("", plan.weights.directory) for file in files]
