"""Data sent in small pieces is put together, however it was cut and encoded."""

from __future__ import annotations

import base64
import gzip
import lzma
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.events import Content, Limit, Lookup
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network import dns
from afagent.sandboxes.recorder.network.flow import Flow, Flows
from afagent.sandboxes.recorder.network.http.exchange import words_of
from afagent.sandboxes.recorder.network.http.messages import Head
from afagent.sandboxes.recorder.network.lookups import Lookups
from afagent.sandboxes.recorder.network.pieces import Pieces, decode, words_in
from afagent.sandboxes.recorder.network.resolver import Resolver
from afagent.sandboxes.recorder.network.sight import Scribe

from .conftest import PLAN, Clock, Record, weights

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "hex": lambda data: data.hex().encode(),
    "base32": lambda data: base64.b32encode(data).rstrip(b"=").lower(),
    "base64url": lambda data: base64.urlsafe_b64encode(data).rstrip(b"="),
}


class Tunnel:
    """Lookups as an agent sends them."""

    def __init__(self, record: Record, marker: Marker, clock: Clock, server: str = PLAN.host.nameserver) -> None:
        self.scribe = Scribe(record.facts.append, lambda: Look(marker), clock)
        self.lookups = Lookups(self.scribe, Resolver(PLAN))
        self.flow: Flow = Flows(self.scribe).open("udp", server, 53, None, part="datagrams")
        self.number = 0

    def ask(self, labels: list[bytes], kind: int = dns.A) -> bytes | None:
        self.number += 1
        name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
        message = struct.pack("!6H", self.number & 0xFFFF, 0x0100, 1, 0, 0, 0) + name + struct.pack("!2H", kind, 1)
        return self.lookups.take(message, self.flow, udp=True)


@pytest.fixture
def tunnel(record: Record, marker: Marker, clock: Clock) -> Tunnel:
    return Tunnel(record, marker, clock)


def seen(record: Record) -> set[int]:
    found: set[int] = set()
    for content in record.of(Content):
        for ranges in content.blocks.values():
            for part in ranges.split(","):
                first, _, last = part.partition("-")
                found |= set(range(int(first), int(last or first) + 1))
    return found


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_text_cut_across_labels_and_queries_is_put_together(
    tunnel: Tunnel, record: Record, marker: Marker, encoding: str
) -> None:
    labels = cut(ENCODINGS[encoding](weights(marker, 8)), 60)
    for number, group in enumerate(cut_list(labels, 3)):
        tunnel.ask([str(number).encode(), *group, b"in", b"fernhollow", b"net"])
    tunnel.lookups.close()
    assert seen(record) == set(range(8))
    assert {content.target for content in record.of(Content)} == {"*.fernhollow.net"}
    assert {content.part for content in record.of(Content)} == {"labels"}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("size", [29, 30, 31])
def test_pieces_that_were_each_encoded_by_themselves_are_put_together(
    tunnel: Tunnel, record: Record, marker: Marker, encoding: str, size: int
) -> None:
    for piece in cut(weights(marker, 6), size):
        tunnel.ask([ENCODINGS[encoding](piece), b"fernhollow", b"net"])
    tunnel.lookups.close()
    assert seen(record) == set(range(6))


@pytest.mark.parametrize("form", ["/pixel.gif?s={}", "/t?v=2&id={}&n=1", "track: {};", "key={}\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
def test_a_stream_in_the_values_of_queries_and_forms_is_put_together(
    scribe: Scribe, record: Record, marker: Marker, form: str, pack: Callable[[bytes], bytes]
) -> None:
    pieces = Pieces(scribe)
    place = Flows(scribe).open("tcp", "85.7.9.11", 80, None, part="words").place("words")
    for piece in cut(base64.urlsafe_b64encode(pack(weights(marker, 6))), 1500):
        pieces.add("somewhere", words_in(form.format(piece.decode()).encode()), place)
    pieces.close()
    assert seen(record) == set(range(6))


@pytest.mark.parametrize("target", ["/pixel.gif?s={}", "/a={}/b", "/t?v=2&id={}&n=1", "/t?{}"])
def test_of_a_request_s_target_a_value_is_a_word_of_its_own(target: str) -> None:
    value = base64.urlsafe_b64encode(b"\xfb\xff" * 500)
    head = Head("GET", target.format(value.decode()), "box.example", (("host", "box.example"),))
    assert value in words_of(head)


def test_names_that_are_only_told_to_a_server_carry_as_much_as_names_that_are_looked_up(
    tunnel: Tunnel, record: Record, marker: Marker
) -> None:
    for piece in cut(weights(marker, 6), 105):
        labels = cut(ENCODINGS["base32"](piece), 56)
        tunnel.lookups.overhear(b".".join([*labels, b"fernhollow", b"net"]).decode(), tunnel.flow)
    tunnel.lookups.close()
    assert len(seen(record)) >= 4


def test_a_message_encoded_by_itself_and_cut_into_labels_is_put_together(
    tunnel: Tunnel, record: Record, marker: Marker
) -> None:
    for piece in cut(weights(marker, 6), 100):
        tunnel.ask([*cut(ENCODINGS["base64url"](piece), 63), b"fernhollow", b"net"])
    tunnel.lookups.close()
    # The last label of a message may be too short to be told from a fixed name, and its bytes are then missing.
    assert len(seen(record)) >= 4


def test_asking_for_both_address_types_or_again_counts_once(tunnel: Tunnel, record: Record, marker: Marker) -> None:
    for label in cut(ENCODINGS["hex"](weights(marker, 4)), 60):
        for kind in (dns.A, dns.AAAA, dns.A):
            tunnel.ask([label, b"fernhollow", b"net"], kind)
    tunnel.lookups.close()
    assert seen(record) == set(range(4))


def test_ordinary_names_are_not_content(tunnel: Tunnel, record: Record) -> None:
    for i in range(300):
        tunnel.ask([b"www", f"cdn-{i}-a1b2c3d4e5f60718".encode(), b"example", b"org"])
    tunnel.lookups.close()
    assert not record.of(Content)
    assert len(record.of(Lookup)) == 300


def test_a_whole_name_is_read_by_a_server_of_the_client_s_own_choice(
    record: Record, marker: Marker, clock: Clock
) -> None:
    tunnel = Tunnel(record, marker, clock, server="85.7.9.11")
    for piece in cut(weights(marker, 4)[:12288].hex().encode(), 60):
        tunnel.ask([piece, b"com"])
    tunnel.lookups.close()
    assert seen(record) == {0, 1, 2}
    assert {content.target for content in record.of(Content)} == {None}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_new_domain_for_each_query_hides_nothing(
    tunnel: Tunnel, record: Record, encoding: str, marker: Marker
) -> None:
    for piece in cut(ENCODINGS[encoding](weights(marker, 6)), 60):
        tunnel.ask([piece, b"com"])
    tunnel.lookups.close()
    assert seen(record) == set(range(6))


@pytest.mark.parametrize("count", ["{}", "{:04d}", "{:x}", "part{:03d}"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_pieces_that_are_counted_may_come_in_any_order(
    tunnel: Tunnel, record: Record, marker: Marker, encoding: str, count: str
) -> None:
    pieces = list(enumerate(cut(ENCODINGS[encoding](weights(marker, 6)), 60)))
    random.Random(3).shuffle(pieces)
    for number, piece in pieces:
        tunnel.ask([count.format(number).encode(), piece, b"fernhollow", b"net"])
    tunnel.lookups.close()
    assert seen(record) == set(range(6))


@pytest.mark.parametrize("shape", ["{}-{}", "{1}_{0}"])
def test_a_count_may_stand_in_the_same_label(tunnel: Tunnel, record: Record, marker: Marker, shape: str) -> None:
    pieces = list(enumerate(cut(ENCODINGS["base32"](weights(marker, 6)), 50)))
    random.Random(3).shuffle(pieces)
    for number, piece in pieces:
        tunnel.ask([shape.format(number, piece.decode()).encode(), b"fernhollow", b"net"])
    tunnel.lookups.close()
    assert seen(record) == set(range(6))


def test_what_is_no_query_is_looked_at_as_it_stands(tunnel: Tunnel, record: Record, marker: Marker) -> None:
    assert tunnel.lookups.take(bytes(12) + weights(marker, 4), tunnel.flow, udp=True) is not None
    tunnel.flow.close()
    assert [content.part for content in record.of(Content)] == ["datagrams"]


def test_data_behind_the_question_is_looked_at(tunnel: Tunnel, record: Record, marker: Marker) -> None:
    question = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 1) + b"\3foo\3org\0\0\1\0\1"
    tunnel.lookups.take(question + weights(marker, 3), tunnel.flow, udp=True)
    tunnel.flow.close()
    assert seen(record) == {0, 1, 2}


def test_a_flood_of_destinations_takes_bounded_memory(scribe: Scribe) -> None:
    pieces = Pieces(scribe, max_places=5)
    flow = Flows(scribe).open("udp", "10.20.3.5", 53, None)
    for i in range(100):
        pieces.add(f"{i}.net", [b"a" * 40], flow.place("labels"))
    assert len(pieces._assemblies) == 5


def test_a_flood_of_lookups_is_summed_up(
    record: Record, marker: Marker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("afagent.sandboxes.recorder.network.budget.FACTS", 5)
    tunnel = Tunnel(record, marker, clock)
    for i in range(2500):
        tunnel.ask([str(i).encode(), b"fernhollow", b"net"])
    tunnel.lookups.close()
    told = sum(int(limit.what.split()[0]) for limit in record.of(Limit) if limit.where == "network.lookups")
    assert len(record.of(Lookup)) + told == 2500


@pytest.mark.parametrize(
    ("word", "encoding", "plain"),
    [
        (b"48656c6c6f20776f726c6421", "hex", b"Hello world!"),
        (b"jbswy3dpeb3w64tmmqqq", "base32", b"Hello world!"),
        (b"SGVsbG8gd29ybGQh", "base64", b"Hello world!"),
        (b"_-_-SGVsbG8gd29y", "base64", b"\xff\xef\xfeHello wor"),
        (b"short", "", b""),
        (b"has spaces in it, so none", "", b""),
        (b"", "", b""),
    ],
)
def test_a_word_s_encoding_is_recognised(word: bytes, encoding: str, plain: bytes) -> None:
    assert decode(word) == (encoding, plain)


@given(st.binary(max_size=80))
def test_decoding_arbitrary_bytes_never_raises(word: bytes) -> None:
    decode(word)


def cut_list(items: list[bytes], size: int) -> list[list[bytes]]:
    return [items[at : at + size] for at in range(0, len(items), size)]
