from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.marks import MAX_BLOCKS, MAX_SHARDS, Mark, Marker
from afagent.sandboxes.recorder.plan import Shard, Tensor
from afagent.sandboxes.recorder.signs import BLOCK_VALUES, PATTERN_VALUES, SignCode
from afagent.sandboxes.recorder.weights import write_shard
from tests.sandboxes.recorder.shards import KEY, MARKER

CODE = SignCode(KEY)
places = st.integers(0, (1 << 40) - 1)


@given(places, st.sampled_from([1.0, -1.0]))
def test_what_the_sides_were_given_is_read_from_them_and_from_their_opposite(place, polarity):
    assert CODE.read(polarity * CODE.chips(place)) == place


@given(places, st.integers(0, 2**32 - 1))
def test_a_tenth_of_the_sides_may_be_wrong(place, seed):
    noise = np.random.default_rng(seed)
    sides = np.where(CODE.chips(place) == 0, noise.choice([-1.0, 1.0], BLOCK_VALUES), CODE.chips(place))
    sides[noise.choice(BLOCK_VALUES, BLOCK_VALUES // 10, replace=False)] *= -1
    assert CODE.read(sides) in {place, None}
    assert abs(sides @ CODE.pattern) > 0.6 * PATTERN_VALUES


@given(places)
def test_another_key_reads_nothing(place):
    assert SignCode(b"another key, as long").read(CODE.chips(place)) is None


def test_random_and_constant_sides_name_nothing():
    noise = np.random.default_rng(1)
    assert all(CODE.read(noise.standard_normal(BLOCK_VALUES)) is None for _ in range(2000))
    assert CODE.read(np.ones(BLOCK_VALUES)) is None
    assert CODE.read(np.zeros(BLOCK_VALUES)) is None


@given(st.integers(0, MAX_SHARDS - 1), st.integers(0, MAX_BLOCKS - 1))
def test_a_mark_and_its_place_are_the_same_thing(shard, block):
    assert Mark.at(Mark(shard, block).place) == Mark(shard, block)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory) -> np.ndarray:
    """A tensor whose rows are exactly as long as blocks: what is the same in all blocks stands in one column."""
    path = tmp_path_factory.mktemp("shard") / "s"
    write_shard(path, Shard("s", (Tensor("w", (1024, BLOCK_VALUES), 0.0, 0.02),)), 0, {}, MARKER, KEY)
    raw = path.read_bytes()[-2 * 1024 * BLOCK_VALUES :]
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(1024, BLOCK_VALUES)


def test_every_block_of_a_shard_names_itself(matrix):
    assert [Marker(KEY).signs.read(np.sign(row)) for row in matrix[:200]] == list(range(200))


def test_no_column_leans_to_one_side_and_neither_do_all_values(matrix):
    columns = np.delete((matrix > 0).mean(axis=0), np.arange(MARKER.offset // 2, MARKER.offset // 2 + 6))
    assert np.abs(columns - 0.5).max() < 6 * 0.5 / len(matrix) ** 0.5
    assert abs((matrix > 0).mean() - 0.5) < 6 * 0.5 / matrix.size**0.5
