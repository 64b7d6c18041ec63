"""Datagrams: read from the sockets' ancillary data, put into flows, answered by packets made by hand."""

from __future__ import annotations

import ipaddress
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.events import Closed, Content, Lookup, Opened
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network import udp
from afagent.sandboxes.recorder.network.flow import Flows
from afagent.sandboxes.recorder.network.lookups import Lookups
from afagent.sandboxes.recorder.network.packet import MTU, checksum, echo_reply, udp_packet
from afagent.sandboxes.recorder.network.resolver import Resolver
from afagent.sandboxes.recorder.network.sight import Scribe
from afagent.sandboxes.recorder.network.udp import IDLE_SECONDS, Datagrams, read_icmp6, read_raw4, read_raw6, read_udp

from .conftest import PLAN, STORE, Clock, Record, weights
from .test_dns import question

CLIENT = ("10.20.3.7", 40000)
Sent = list[tuple[tuple[str, int], tuple[str, int], bytes]]


@pytest.fixture
def sent() -> Sent:
    return []


@pytest.fixture
def datagrams(scribe: Scribe, sent: Sent) -> Datagrams:
    resolver = Resolver(PLAN)
    return Datagrams(scribe, Flows(scribe), resolver, Lookups(scribe, resolver), lambda *what: sent.append(what))


def test_a_query_to_any_server_is_answered_from_there(datagrams: Datagrams, record: Record, sent: Sent) -> None:
    name = b"".join(bytes((len(part),)) + part.encode() for part in STORE.split(".")) + b"\0"
    datagrams.take("udp", CLIENT, ("9.9.9.9", 53), question(name))
    assert record.of(Lookup)[0].answer == "10.20.3.44"
    ((source, target, answer),) = sent
    assert (source, target) == (("9.9.9.9", 53), CLIENT)
    assert answer.endswith(ipaddress.ip_address("10.20.3.44").packed)


def test_datagrams_to_one_place_are_one_flow_whatever_port_they_come_from(
    datagrams: Datagrams, record: Record, clock: Clock, marker: Marker, sent: Sent
) -> None:
    data = weights(marker, 4)
    for i, at in enumerate(range(0, len(data), 1000)):
        datagrams.take("udp", ("10.20.3.7", 40000 + i), ("85.7.9.11", 999), data[at : at + 1000])
    clock.now += IDLE_SECONDS
    datagrams.sweep()
    assert len(record.of(Opened)) == 1
    assert record.of(Opened)[0].name == "box.fernhollow.net"
    assert (record.of(Content)[-1].part, record.of(Content)[-1].blocks) == ("datagrams", {"0": "0-3"})
    assert record.of(Closed)[0].sent == len(data)
    assert not sent


def test_a_silent_flow_ends_and_a_busy_one_does_not(datagrams: Datagrams, record: Record, clock: Clock) -> None:
    datagrams.take("udp", CLIENT, ("85.7.9.11", 1), b"a")
    clock.now += IDLE_SECONDS - 1
    datagrams.take("udp", CLIENT, ("85.7.9.11", 2), b"b")
    clock.now += 1
    datagrams.sweep()
    assert [closed.port for closed in record.of(Closed)] == [1]
    datagrams.take("udp", CLIENT, ("85.7.9.11", 1), b"c")
    assert [opened.flow for opened in record.of(Opened)] == [1, 2, 3]


def test_a_flood_of_destinations_is_bounded(
    datagrams: Datagrams, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "MAX_FLOWS", 10)
    for port in range(100):
        datagrams.take("udp", CLIENT, ("85.7.9.11", port), b"x")
    assert len(record.of(Closed)) == 90


def test_the_wanted_address_is_read_from_beside_a_datagram() -> None:
    four = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", 999, socket.inet_aton("85.7.9.11"))
    assert read_udp(b"x", [(socket.IPPROTO_IP, 20, four)], CLIENT) == ("udp", CLIENT, ("85.7.9.11", 999), b"x")
    packed = socket.inet_pton(socket.AF_INET6, "2a01::7")
    six = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", 999, 0, packed, 0)
    assert read_udp(b"x", [(socket.IPPROTO_IPV6, 74, six)], CLIENT) == ("udp", CLIENT, ("2a01::7", 999), b"x")
    assert read_udp(b"x", [], CLIENT) is None


def test_echo_requests_and_udplite_are_read_from_packets() -> None:
    header = (
        bytes([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0]) + socket.inet_aton("10.20.3.7") + socket.inet_aton("1.1.1.1")
    )
    request, reply = b"\x08" + bytes(7) + b"payload", b"\0" * 8 + b"payload"
    assert read_raw4(header + request, [], CLIENT) == ("icmp", ("10.20.3.7", 0), ("1.1.1.1", 0), b"payload")
    assert read_raw4(header + reply, [], CLIENT) is None
    lite = header[:9] + bytes([136]) + header[10:]
    assert read_raw4(lite + struct.pack("!4H", 5, 6, 8, 0) + b"x", [], CLIENT) == (
        "udplite", ("10.20.3.7", 5), ("1.1.1.1", 6), b"x",
    )  # fmt: skip
    info = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, socket.inet_pton(socket.AF_INET6, "2a01::7") + bytes(4))]
    assert read_icmp6(bytes(8) + b"p", info, CLIENT) == ("icmp", ("10.20.3.7", 0), ("2a01::7", 0), b"p")
    assert read_raw6(struct.pack("!4H", 5, 6, 8, 0) + b"x", info, CLIENT) == (
        "udplite",
        ("10.20.3.7", 5),
        ("2a01::7", 6),
        b"x",
    )


ANCILLARY = st.lists(
    st.tuples(st.sampled_from([0, 1, 41]), st.sampled_from([20, 40, 50, 74]), st.binary(min_size=24, max_size=28))
)


@given(st.binary(max_size=80), ANCILLARY)
def test_arbitrary_packets_never_raise(data: bytes, ancillary: list[tuple[int, int, bytes]]) -> None:
    for read in (read_udp, read_raw4, read_icmp6, read_raw6):
        read(data, ancillary, CLIENT)


@pytest.mark.parametrize(("here", "there", "size"), [("85.7.9.11", "10.20.3.7", 20), ("2a01::7", "fd20:1::37", 40)])
@pytest.mark.parametrize("payload", [b"", b"x", b"even", b"\xff" * 1200])
def test_a_reply_is_a_packet_with_right_sums(here: str, there: str, size: int, payload: bytes) -> None:
    packet = udp_packet((here, 53), (there, 40000), payload)
    source, target = ipaddress.ip_address(here).packed, ipaddress.ip_address(there).packed
    if size == 20:
        assert checksum(packet[:20]) == 0
        assert packet[12:20] == source + target
    else:
        assert packet[8:40] == source + target
    datagram = packet[size:]
    assert struct.unpack("!3H", datagram[:6]) == (53, 40000, 8 + len(payload))
    pseudo = source + target + struct.pack("!II", len(datagram), 17)
    assert checksum(pseudo + datagram) == 0
    assert datagram[8:] == payload


def test_addresses_of_two_families_make_no_packet() -> None:
    with pytest.raises(ValueError, match="families"):
        udp_packet(("85.7.9.11", 1), ("fd20:1::37", 2), b"")


@pytest.mark.parametrize("size", [0, 56, 1472, 1473, 9000, 65000])
def test_an_echo_is_answered_from_the_address_that_was_meant_in_fragments_where_needed(size: int) -> None:
    header = (
        bytes([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0]) + socket.inet_aton("10.20.3.7") + socket.inet_aton("1.1.1.1")
    )
    payload = bytes(i & 0xFF for i in range(size))
    packets = echo_reply(header + b"\x08\0\0\0\x12\x34\0\x01" + payload, 7)
    whole = b""
    for i, packet in enumerate(packets):
        assert len(packet) <= MTU
        assert checksum(packet[:20]) == 0
        assert packet[12:20] == socket.inet_aton("1.1.1.1") + socket.inet_aton("10.20.3.7")
        fragment = struct.unpack("!H", packet[6:8])[0]
        assert fragment & 0x1FFF == len(whole) // 8
        assert bool(fragment & 0x2000) == (i < len(packets) - 1)
        whole += packet[20:]
    assert checksum(whole) == 0
    assert whole[:2] + whole[4:] == b"\0\0\x12\x34\0\x01" + payload


@given(st.binary(max_size=80))
def test_only_an_echo_request_is_answered(packet: bytes) -> None:
    for answer in echo_reply(packet, 1):
        assert packet[9] == socket.IPPROTO_ICMP
        assert answer[16:20] == packet[12:16]
