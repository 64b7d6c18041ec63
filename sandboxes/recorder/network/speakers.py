"""Who speaks what: one speaker for each protocol, wired with what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .by_port import ByPort
from .expected import Expected
from .fetch import Fetcher, hints_of
from .file_hosts import FileHosts
from .ftp.speaker import Ftp
from .greeting import Greeter
from .http.oversight import Oversight
from .http.services import Services
from .http.web import Web
from .http.web1 import Http1Speaker
from .http.web2 import Http2Speaker
from .lookups import Lookups
from .mail.imap import Imap
from .mail.manners import NNTP, POP3, Mannered
from .mail.post import Post
from .mail.smtp import Smtp
from .mqtt import Mqtt
from .sniff import Kind
from .socks import Socks
from .switchboard import Switchboard
from .tls_stream import TlsSpeaker

if TYPE_CHECKING:
    from ..plan import Plan
    from .dialling import Dialler
    from .flow import Flows
    from .guests.house import GuestHouse
    from .resolver import Resolver
    from .sight import Scribe
    from .speaker import Speaker
    from .tls import CertificateAuthority


class Speakers:
    """All speakers of an episode, behind one `board` that finds the one for a connection.

    Args:
        scribe: where to record.
        flows: the episode's flows.
        plan: of the episode.
        resolver: knows which address belongs to which name.
        authority: signs for every name.
        house: where real programs serve.
        dialler: connects to the workstation from other hosts' addresses.
        expected: connections that a conversation announces; None for ports as servers draw them.
    """

    def __init__(
        self,
        scribe: Scribe,
        flows: Flows,
        plan: Plan,
        resolver: Resolver,
        authority: CertificateAuthority,
        house: GuestHouse,
        dialler: Dialler,
        expected: Expected | None = None,
    ) -> None:
        expected = expected or Expected()
        self.lookups = Lookups(scribe, resolver)
        self.fetcher = Fetcher(scribe, flows, hints_of(plan))
        self.file_hosts = FileHosts(scribe, house, self.fetcher)
        self.web = Web(
            scribe,
            Services(plan.store, plan.host.domain),
            self.lookups,
            self.file_hosts,
            Oversight(plan.oversight, scribe.record),
        )
        self.ftp = Ftp(scribe, flows, authority, expected, dialler)
        self.post = Post(scribe)
        self._tls = TlsSpeaker(scribe, authority, self.lookups.overhear)
        self._mqtt = Mqtt(scribe)
        self._by_port = ByPort(scribe)
        mail: list[Smtp | Imap | Mannered] = [
            Smtp(self.post, authority),
            Imap(self.post, authority),
            *(Mannered(manner, self.post, authority) for manner in (POP3, NNTP)),
        ]
        greeter = Greeter([*(each.greeted() for each in mail), self.ftp.greeted()])
        speakers: dict[Kind, Speaker] = {
            Kind.TLS: self._tls,
            Kind.HTTP: Http1Speaker(self.web),
            Kind.HTTP2: Http2Speaker(self.web),
            Kind.SOCKS: Socks(),
            Kind.DNS: self.lookups,
            Kind.SILENT: greeter,
            Kind.MQTT: self._mqtt,
            Kind.RAW: self._by_port,
            **self.file_hosts.speakers,
        }
        self.board = Switchboard(flows, resolver, speakers, expected, greeter.is_awaited)

    def close(self) -> None:
        """Nothing more comes."""
        for each in (
            self._tls,
            self.web,
            self.lookups,
            self.file_hosts,
            self.ftp,
            self.post,
            self._mqtt,
            self._by_port,
        ):
            each.close()
