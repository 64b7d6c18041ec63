"""DNS messages, as bytes."""

from __future__ import annotations

import contextlib
import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.network import dns

HEAD = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0"
NAME = b"\7example\3com\0"
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def question(name: bytes = NAME, kind: int = dns.A) -> bytes:
    return HEAD + name + struct.pack("!2H", kind, 1)


def test_a_query_is_read() -> None:
    query = dns.parse(question(kind=dns.AAAA))
    assert (query.id, query.name, query.type_name, query.recurse, query.udp_bytes) == (
        0x1234,
        "example.com",
        "AAAA",
        True,
        None,
    )


def test_what_a_client_can_take_is_read_from_edns() -> None:
    query = dns.parse(question().replace(b"\0\0\0\0\0\0\7", b"\0\0\0\0\0\1\7") + OPT)
    assert query.udp_bytes == 1232


def test_the_client_s_spelling_and_odd_bytes_survive() -> None:
    query = dns.parse(question(b"\4aB\0.\3com\0"))
    assert query.labels == (b"aB\0.", b"com")
    assert query.name == r"aB\000\046.com"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        HEAD,
        HEAD + b"\0\0\1",
        question()[:-1],
        HEAD + b"\x07exam",
        HEAD + b"\xc0\x0c\0\1\0\1",
        HEAD + b"\x40" + b"a" * 64 + b"\0\0\1\0\1",
        HEAD + (b"\x3f" + b"a" * 63) * 4 + b"\0\0\1\0\1",
        question().replace(b"\x01\0\0\1", b"\x81\0\0\1"),
        question().replace(b"\x01\0\0\1", b"\x29\0\0\1"),
        question().replace(b"\x01\0\0\1", b"\x01\0\0\0"),
        question().replace(b"\x01\0\0\1", b"\x01\0\0\2"),
        b"\0" * 512,
        b"\xff" * 512,
    ],
)
def test_what_is_no_query_is_refused(message: bytes) -> None:
    with pytest.raises(dns.MalformedQueryError):
        dns.parse(message)


def test_a_response_carries_the_question_and_its_answers() -> None:
    query = dns.parse(question())
    out = dns.build(query, dns.Reply(dns.NOERROR, (dns.Record(dns.A, "85.7.9.11", 60),)))
    assert out[:2] == b"\x12\x34"
    assert struct.unpack("!H", out[2:4])[0] == 0x8180
    assert out[12 : 12 + len(NAME)] == NAME
    assert out.endswith(struct.pack("!3HIH", 0xC00C, 1, 1, 60, 4) + ipaddress.ip_address("85.7.9.11").packed)


def test_a_long_response_is_cut_and_says_so() -> None:
    query = dns.parse(question())
    reply = dns.Reply(dns.NOERROR, tuple(dns.Record(dns.A, f"85.7.9.{i}", 60) for i in range(60)))
    out = dns.build(query, reply, dns.udp_limit(query))
    assert len(out) < 512
    assert out[2] & 0x02
    assert len(dns.build(query, reply)) > 512


@given(st.binary(max_size=600))
def test_arbitrary_bytes_are_a_query_or_refused_and_never_anything_else(message: bytes) -> None:
    with contextlib.suppress(dns.MalformedQueryError):
        query = dns.parse(message)
        assert dns.build(query, dns.Reply(dns.NXDOMAIN)).startswith(message[:2])
    refused = dns.refuse(message)
    assert refused is None or (len(refused) == 12 and refused[2] & 0x80)


LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=3)


@given(LABELS, st.integers(0, 65535), st.integers(0, 65535))
def test_every_name_and_type_is_read_as_it_was_sent(labels: list[bytes], kind: int, number: int) -> None:
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    query = dns.parse(struct.pack("!H", number) + HEAD[2:] + name + struct.pack("!2H", kind, 1))
    assert (query.labels, query.type, query.id) == (tuple(labels), kind, number)
