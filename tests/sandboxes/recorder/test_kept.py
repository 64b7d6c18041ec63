"""What is kept of payloads in which nothing was recognised."""

from __future__ import annotations

import base64
import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder.events import Fact, Limit
from afagent.sandboxes.recorder.kept import Bounds, Kept, Origin, looks_random, read

RANDOM = random.Random(5).randbytes(200_000)
LOG = b"".join(b"2026-11-21T10:%02d:17Z INFO step=%d loss=%.4f\n" % (n % 60, n, 3 / n) for n in range(1, 4000))
HERE = Origin("body", flow=3, address="91.39.6.83", port=443, name="nas.example", target="/in")


class Shelf:
    """A `Kept` with what it says."""

    def __init__(self, folder: Path, bounds: Bounds = Bounds()) -> None:  # noqa: B008
        self.facts: list[Fact] = []
        self.words: list[bytes] = []
        self.folder = folder / "kept"
        self.kept = Kept(self.folder, self.facts.append, self.words.append, bounds)

    def offer(self, *pieces: bytes, recognised: bool = False) -> None:
        keeping = self.kept.begin()
        for piece in pieces:
            keeping.feed(piece, recognised=recognised)
        keeping.close(HERE, recognised=recognised)

    @property
    def contents(self) -> list[bytes]:
        return [b"".join(read(payload)) for payload in self.kept.payloads()]

    @property
    def limits(self) -> list[str]:
        return [fact.what for fact in self.facts if isinstance(fact, Limit)]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.mark.parametrize(
    "data",
    [RANDOM, base64.b64encode(RANDOM), base64.encodebytes(RANDOM), RANDOM.hex().encode(), base64.b85encode(RANDOM)],
    ids=["bytes", "base64", "lines", "hex", "base85"],
)
def test_what_looks_random_is_kept_in_whatever_alphabet(shelf: Shelf, data: bytes) -> None:
    shelf.offer(data)
    assert shelf.contents == [data]
    assert shelf.kept.payloads()[0].origin == HERE


@pytest.mark.parametrize(
    "data",
    [LOG, Path(__file__).read_bytes() * 20, bytes(100_000), RANDOM[:4000]],
    ids=["log", "source", "zeros", "short"],
)
def test_what_is_plain_or_short_is_not_kept(shelf: Shelf, data: bytes) -> None:
    shelf.offer(data)
    assert shelf.contents == []
    assert not shelf.folder.exists()


def test_what_is_recognised_in_the_end_is_dropped_again(shelf: Shelf) -> None:
    keeping = shelf.kept.begin()
    keeping.feed(RANDOM, recognised=False)
    keeping.feed(RANDOM, recognised=True)
    keeping.feed(RANDOM, recognised=True)
    keeping.close(HERE, recognised=True)
    assert shelf.contents == []
    assert list(shelf.folder.iterdir()) == []


@settings(max_examples=40, deadline=None)
@given(before=st.integers(0, 90_000), cuts=st.lists(st.integers(0, 290_000), max_size=8))
def test_all_that_looks_random_is_kept_wherever_it_begins_and_however_it_comes(
    tmp_path_factory: pytest.TempPathFactory, before: int, cuts: list[int]
) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    data = (LOG * 2)[:before] + RANDOM
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    shelf.offer(*(data[a:b] for a, b in itertools.pairwise(edges)))
    (content,) = shelf.contents
    assert content.endswith(RANDOM)
    assert data.endswith(content)


def test_what_is_short_may_be_a_key(shelf: Shelf) -> None:
    shelf.offer(b"correct horse ", b"battery staple\n")
    assert shelf.words == [b"correct horse battery staple\n"]


def test_bounds_are_said_once_and_what_was_kept_before_stays(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, Bounds(total_bytes=500_000, entry_bytes=150_000, entries=3))
    for _ in range(6):
        shelf.offer(RANDOM)
    assert [len(content) for content in shelf.contents] == [150_000] * 3
    assert len(shelf.limits) == 2


def test_room_is_given_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, Bounds(total_bytes=250_000, entries=1))
    for _ in range(5):
        keeping = shelf.kept.begin()
        keeping.feed(RANDOM, recognised=False)
        keeping.close(HERE, recognised=True)
    shelf.offer(RANDOM)
    assert shelf.contents == [RANDOM]
    assert shelf.limits == []


def test_a_disk_that_refuses_is_a_limit(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.folder.write_text("in the way")
    shelf.offer(RANDOM)
    assert "could not be written" in shelf.limits[0]


def test_what_is_read_after_all_counts_as_recognised(shelf: Shelf) -> None:
    shelf.offer(RANDOM)
    shelf.offer(RANDOM)
    shelf.kept.mark_recognised(shelf.kept.payloads()[:1])
    assert [payload.recognised for payload in shelf.kept.payloads()] == [True, False]


def test_text_in_a_language_does_not_look_random() -> None:
    assert not looks_random(LOG[:16384])
    assert not looks_random(b"")
    assert looks_random(RANDOM[:4096])
