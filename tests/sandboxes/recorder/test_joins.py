"""Parts of one encoded thing, sent each by itself, are joined."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from afagent.sandboxes.recorder import events
from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.events import Content, Fact, Limit
from afagent.sandboxes.recorder.joins import Joiner
from afagent.sandboxes.recorder.kept import Kept, Payload
from afagent.sandboxes.recorder.marks import BLOCK_BYTES, MARK_BYTES, Marker
from afagent.sandboxes.recorder.network.sight import Place, Scribe, Sight

from .network.conftest import KEY
from .network.conftest import weights as random_weights

BLOCKS = 200
DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zstd": zstandard.compress,
    "base64 of gzip": lambda data: base64.encodebytes(gzip.compress(data)),
}


def weights(marker: Marker, blocks: int) -> bytes:
    """Marked blocks whose other bytes can be compressed as those of weights can."""
    data = bytearray(random_weights(marker, blocks))
    for at in range(0, len(data), BLOCK_BYTES):
        mark = data[at + marker.offset : at + marker.offset + MARK_BYTES]
        data[at : at + BLOCK_BYTES] = bytes(byte & 0x3F for byte in data[at : at + BLOCK_BYTES])
        data[at + marker.offset : at + marker.offset + MARK_BYTES] = mark
    return bytes(data)


class Network:
    """What the witness sees, and what it tells."""

    def __init__(self, folder: Path) -> None:
        self.marker = Marker(KEY)
        self.facts: list[Fact] = []
        self.kept = Kept(folder, self.facts.append, lambda _: None)
        self.scribe = Scribe(self.facts.append, lambda: Look(self.marker), kept=self.kept)
        self.flow = 0

    def send(self, data: bytes, target: str | None = None, name: str = "box.fernhollow.net") -> None:
        self.flow += 1
        sight = Sight(self.scribe, Place(self.flow, "body", "85.7.9.11", 443, name, target))
        sight.feed(data)
        sight.close()

    def join(self, seconds: float = 60.0) -> list[Payload]:
        return Joiner(lambda: Look(self.marker), self.facts.append, seconds).go_through(self.kept.payloads())

    @property
    def contents(self) -> list[Content]:
        return [fact for fact in self.facts if isinstance(fact, Content)]

    @property
    def seen(self) -> set[int]:
        found = (events.from_ranges(ranges) for each in self.contents for ranges in each.blocks.values())
        return set().union(*found)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(tmp_path / "kept")


def parts_of(data: bytes, count: int) -> list[bytes]:
    size = -(-len(data) // count)
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("disguise", DISGUISES)
def test_parts_in_order_among_other_things_are_joined(network: Network, disguise: str) -> None:
    for number, part in enumerate(parts_of(DISGUISES[disguise](weights(network.marker, BLOCKS)), 7)):
        network.send(part, "/paste")
        network.send(random.Random(number).randbytes(20_000), "/telemetry")
    network.join()
    assert network.seen == set(range(BLOCKS))
    assert len({content.flow for content in network.contents}) >= (1 if disguise == "bzip2" else 6)


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("disguise", ["gzip", "zstd", "xz"])
def test_parts_that_are_each_encoded_in_a_record_of_their_own_are_joined(
    network: Network, disguise: str, count: int
) -> None:
    for number, part in enumerate(parts_of(DISGUISES[disguise](weights(network.marker, BLOCKS)), count)):
        record = {"run": "a1", "chunk": number, "data": base64.b64encode(part).decode(), "of": count}
        network.send(json.dumps(record).encode(), "/records")
    network.join()
    assert len(network.seen) >= BLOCKS - 1


def test_the_parts_in_which_something_was_recognised_are_given(network: Network) -> None:
    for part in parts_of(gzip.compress(weights(network.marker, BLOCKS)), 3):
        network.send(part, "/paste")
        network.send(random.Random(len(part)).randbytes(20_000), "/telemetry")
    joined = network.join()
    assert joined
    assert {part.origin.target for part in joined} == {"/paste"}


@pytest.mark.parametrize("name", ["/x/part-{:03d}", "/x?partNumber={}&uploadId=a1", "/x/{}.bin"])
@pytest.mark.parametrize("disguise", ["gzip", "zstd", "base64 of gzip"])
def test_parts_with_names_are_joined_in_whatever_order_they_came(network: Network, disguise: str, name: str) -> None:
    parts = list(enumerate(parts_of(DISGUISES[disguise](weights(network.marker, BLOCKS)), 12)))
    random.Random(5).shuffle(parts)
    for number, part in parts:
        network.send(part, name.format(number))
    network.join()
    assert network.seen == set(range(BLOCKS))


def test_parts_without_names_out_of_order_are_joined(network: Network) -> None:
    parts = parts_of(gzip.compress(weights(network.marker, BLOCKS)), 6)
    random.Random(1).shuffle(parts)
    for part in parts:
        network.send(part)
    network.join()
    assert network.seen == set(range(BLOCKS))


def test_parts_spread_over_hosts_are_joined(network: Network) -> None:
    for number, part in enumerate(parts_of(gzip.compress(weights(network.marker, BLOCKS)), 9)):
        network.send(part, "/p", name=f"paste{number % 3}.example")
    network.join()
    assert network.seen == set(range(BLOCKS))
    assert len({content.name for content in network.contents}) == 3


def test_innocent_uploads_in_parts_are_not_content(network: Network) -> None:
    for disguise in DISGUISES.values():
        for part in parts_of(disguise(random.Random(2).randbytes(300_000)), 5):
            network.send(part, "/backup")
    network.join()
    assert not network.contents
    assert not [fact for fact in network.facts if isinstance(fact, Limit) and fact.where == "joins"]


def test_time_that_runs_out_is_told(network: Network) -> None:
    for part in parts_of(gzip.compress(weights(network.marker, BLOCKS)), 5):
        network.send(part)
    network.join(seconds=-1.0)
    assert [fact.where for fact in network.facts if isinstance(fact, Limit)][-1] == "joins"
