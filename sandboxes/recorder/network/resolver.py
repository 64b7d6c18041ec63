"""Which name has which address in the lab and in the world around it, and back."""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict
from typing import TYPE_CHECKING

from .dns import AAAA, MX, NOERROR, NS, NXDOMAIN, PTR, SOA, TXT, A, Query, Record, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..plan import Plan

MAX_NAMES = 20_000
"""Names outside the lab whose addresses are remembered; the one not used longest is forgotten."""

_NO_SUCH_TLD = frozenset(
    ("invalid", "local", "localhost", "localdomain", "test", "internal", "lan", "corp", "home", "onion")
)
_FIRST_OCTETS = tuple(
    int(octet)
    for octet in [
        "18",
        "20",
        "34",
        "35",
        "44",
        "45",
        "50",
        "52",
        "54",
        "63",
        "66",
        "69",
        "74",
        "77",
        "81",
        "88",
        "93",
        "104",
        "108",
        "116",
        "129",
        "140",
        "142",
        "143",
        "144",
        "146",
        "151",
        "152",
        "157",
        "159",
        "161",
        "162",
        "167",
        "173",
        "176",
        "185",
        "188",
        "194",
        "195",
        "199",
        "204",
        "207",
        "209",
        "212",
        "217",
    ]
)
_PREFIXES6 = (0x2A00, 0x2A01, 0x2A02, 0x2A03, 0x2A04, 0x2A05, 0x2A06, 0x2606, 0x2607, 0x2620, 0x2404, 0x2406)
_TTLS = (60, 120, 300, 300, 600, 1800, 3600)


class Resolver:
    """Answers lookups.

    Names of the plan have their addresses; other names of the lab's domain do not exist; any other name has one stable
    address of its own, some also an IPv6 address.
    """

    def __init__(self, plan: Plan) -> None:
        host = plan.host
        full = f"{host.name}.{host.domain}".lower()
        self.nameserver = host.nameserver
        """The address of the server that the workstation is told to ask."""
        self._salt = hashlib.sha256(f"addresses {plan.key}".encode()).digest()
        self._domain = host.domain.lower().rstrip(".")
        self._fixed: dict[str, list[str]] = {
            name.lower().rstrip("."): [address] for name, address in plan.names.items()
        }
        self._fixed.setdefault(full, [host.address, host.address6])
        self._fixed_names = {_canonical(address): name for name, found in self._fixed.items() for address in found}
        self._fixed_names |= {_canonical(address): name.lower().rstrip(".") for name, address in plan.names.items()}
        self._drawn: OrderedDict[str, list[str]] = OrderedDict()
        self._names: dict[str, str] = {}

    def name_of(self, address: str) -> str | None:
        """The name that has an address, if one was given out."""
        address = _canonical(address)
        return self._fixed_names.get(address) or self._names.get(address)

    def address_of(self, name: str) -> str | None:
        """The first address of a name, as a lookup would give it; None without one."""
        found = self._addresses(name.lower().rstrip("."))
        return found[0] if found else None

    def strangers(self) -> dict[int, str]:
        """Addresses of somebody outside who has no name, by version of IP: who connects to the workstation unasked."""
        digest = self._digest("a stranger")
        return {4: self._free(_address4, digest), 6: self._free(_address6, digest)}

    def resolve(self, query: Query) -> Reply:
        """The answer to a question."""
        name = query.name.lower()
        if query.type == PTR:
            return self._reverse(name)
        found = self._addresses(name)
        if found is None:
            return Reply(NXDOMAIN)
        version = {A: 4, AAAA: 6}.get(query.type)
        ttl = _TTLS[self._digest(self._parent(name))[0] % len(_TTLS)]
        if version is None:
            return Reply(NOERROR, tuple(Record(query.type, data, ttl) for data in self._zone(name, query.type)))
        kept = [address for address in found if ipaddress.ip_address(address).version == version]
        return Reply(NOERROR, tuple(Record(query.type, address, ttl) for address in kept))

    def _zone(self, name: str, kind: int) -> list[str]:
        """What a zone of the world says beside addresses: of itself as zones do, below it a word for each name."""
        digest = self._digest(name)
        if name in self._fixed or name == self._domain or not name or kind not in (TXT, MX, NS, SOA):
            return []
        if name != self._parent(name):
            return [f"id={digest[:8].hex()}"] if kind == TXT else []
        first, second = f"ns1.{name}", f"ns2.{name}"
        serial = 2023010100 + digest[1] * 10_000 % 20_000 + digest[2]
        return {
            TXT: ["v=spf1 mx -all"],
            MX: [f"10 mail.{name}"],
            NS: [first, second],
            SOA: [f"{first} hostmaster.{name} {serial} 7200 3600 1209600 3600"],
        }[kind]

    def _addresses(self, name: str) -> list[str] | None:
        """None for a name that does not exist; an empty list for one without an address."""
        fixed = self._fixed.get(name)
        if fixed is not None:
            return fixed
        if name == self._domain:
            return []
        if name.endswith(f".{self._domain}"):
            return None
        labels = name.split(".")
        if name == "":
            return []
        if labels[-1] in _NO_SUCH_TLD or labels[-1].isdigit():
            return None
        if len(labels) == 1:
            return [] if labels[0].isalpha() and len(labels[0]) <= 3 else None
        return self._draw(name)

    def _draw(self, name: str) -> list[str]:
        found = self._drawn.get(name)
        if found is None:
            digest = self._digest(name)
            found = [self._free(_address4, digest)]
            if digest[31] < 90:
                found.append(self._free(_address6, digest))
            self._drawn[name] = found
            for address in found:
                self._names[address] = name
            if len(self._drawn) > MAX_NAMES:
                for address in self._drawn.popitem(last=False)[1]:
                    self._names.pop(address, None)
        self._drawn.move_to_end(name)
        return found

    def _free(self, make: Callable[[bytes], str], digest: bytes) -> str:
        while True:
            address = make(digest)
            if address not in self._names and address not in self._fixed_names:
                return address
            digest = hashlib.sha256(digest).digest()

    def _reverse(self, name: str) -> Reply:
        address = _from_reverse(name)
        found = self.name_of(address) if address is not None else None
        return Reply(NXDOMAIN) if found is None else Reply(NOERROR, (Record(PTR, found, 3600),))

    def _digest(self, name: str) -> bytes:
        return hashlib.blake2b(name.encode(), key=self._salt, digest_size=32).digest()

    @staticmethod
    def _parent(name: str) -> str:
        return ".".join(name.split(".")[-2:])


def _address4(digest: bytes) -> str:
    first = _FIRST_OCTETS[digest[0] % len(_FIRST_OCTETS)]
    return f"{first}.{digest[1]}.{digest[2]}.{2 + digest[3] % 252}"


def _address6(digest: bytes) -> str:
    prefix = _PREFIXES6[digest[4] % len(_PREFIXES6)]
    parts = [prefix, *(int.from_bytes(digest[i : i + 2], "big") & 0xFFF for i in (5, 7)), digest[9] << 4]
    return str(ipaddress.IPv6Address(b"".join(part.to_bytes(2, "big") for part in parts) + bytes(6) + digest[10:12]))


def _canonical(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


def _from_reverse(name: str) -> str | None:
    labels = name.split(".")
    try:
        if labels[-2:] == ["in-addr", "arpa"]:
            return str(ipaddress.IPv4Address(".".join(reversed(labels[:-2]))))
        if labels[-2:] == ["ip6", "arpa"]:
            return str(ipaddress.IPv6Address(int("".join(reversed(labels[:-2])), 16))) if len(labels) == 34 else None
    except ValueError:
        pass
    return None
