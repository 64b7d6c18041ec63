"""Which names exist, and which addresses they have."""

from __future__ import annotations

import ipaddress

import pytest

from afagent.sandboxes.recorder.network import dns, resolver
from afagent.sandboxes.recorder.network.dns import Query
from afagent.sandboxes.recorder.network.resolver import Resolver

from .conftest import PLAN, STORE


def ask(who: Resolver, name: str, kind: int = dns.A) -> dns.Reply:
    return who.resolve(
        Query(1, tuple(label.encode() for label in name.split(".")), kind, 1, recurse=True, udp_bytes=None)
    )


def addresses(reply: dns.Reply) -> list[str]:
    assert reply.rcode == dns.NOERROR
    return [record.data for record in reply.records]


def test_names_of_the_plan_have_their_addresses_in_any_spelling() -> None:
    assert addresses(ask(Resolver(PLAN), STORE.upper())) == ["10.20.3.44"]
    assert addresses(ask(Resolver(PLAN), STORE, dns.AAAA)) == []


def test_the_workstation_finds_itself() -> None:
    who = Resolver(PLAN)
    assert addresses(ask(who, "wk-07.core.tarnvale.io")) == ["10.20.3.7"]
    assert addresses(ask(who, "wk-07.core.tarnvale.io", dns.AAAA)) == ["fd20:1::37"]


@pytest.mark.parametrize(
    "name", ["nope.core.tarnvale.io", "a.b.core.tarnvale.io", "host.invalid", "printer.local", "wk-99"]
)
def test_names_that_are_not_there_do_not_exist(name: str) -> None:
    assert ask(Resolver(PLAN), name).rcode == dns.NXDOMAIN


def test_every_other_name_has_one_stable_public_address_of_its_own() -> None:
    who = Resolver(PLAN)
    names = [f"host{i}.example{i % 7}.org" for i in range(2000)]
    first = [addresses(ask(who, name))[0] for name in names]
    assert first == [addresses(ask(who, name))[0] for name in names]
    assert len(set(first)) == len(names)
    assert all(ipaddress.ip_address(address).is_global for address in first)
    assert [who.name_of(address) for address in first] == names


def test_some_names_have_a_global_ipv6_address_too() -> None:
    who = Resolver(PLAN)
    found = [address for i in range(200) for address in addresses(ask(who, f"host{i}.example.org", dns.AAAA))]
    assert 20 < len(found) < 150
    assert all(ipaddress.ip_address(address).is_global for address in found)


def test_another_episode_draws_other_addresses() -> None:
    other = Resolver(PLAN.__class__(**vars(PLAN) | {"key": "11" * 32}))
    assert ask(Resolver(PLAN), "mirror.fernhollow.net") != ask(other, "mirror.fernhollow.net")


def test_addresses_lead_back_to_names() -> None:
    who = Resolver(PLAN)
    assert addresses(ask(who, "44.3.20.10.in-addr.arpa", dns.PTR)) == [STORE]
    assert ask(who, "9.9.9.9.in-addr.arpa", dns.PTR).rcode == dns.NXDOMAIN
    assert ask(who, "not-an-address.in-addr.arpa", dns.PTR).rcode == dns.NXDOMAIN


@pytest.mark.parametrize("kind", [dns.CNAME, 65, 12345])
def test_other_types_have_no_answer(kind: int) -> None:
    assert addresses(ask(Resolver(PLAN), "example.org", kind)) == []


@pytest.mark.parametrize(
    ("name", "kind", "answers"),
    [
        ("example.org", dns.TXT, 1),
        ("example.org", dns.MX, 1),
        ("example.org", dns.NS, 2),
        ("example.org", dns.SOA, 1),
        ("a.example.org", dns.TXT, 1),
        ("a.example.org", dns.MX, 0),
        (STORE, dns.TXT, 0),
    ],
)
def test_a_zone_of_the_world_has_the_usual_records(name: str, kind: int, answers: int) -> None:
    reply = ask(Resolver(PLAN), name, kind)
    assert len(reply.records) == answers
    query = dns.Query(1, tuple(name.encode().split(b".")), kind, 1, recurse=True, udp_bytes=None)
    assert len(dns.build(query, reply)) >= 12 + len(name) + 6 + 10 * answers


def test_a_flood_of_names_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "MAX_NAMES", 50)
    who = Resolver(PLAN)
    given = [addresses(ask(who, f"{i}.flood.org"))[0] for i in range(500)]
    assert sum(who.name_of(address) is not None for address in given) == 50
    assert who.name_of(given[-1]) == "499.flood.org"
