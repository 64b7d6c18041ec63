"""The oracle finds whole blocks of the weights wherever they stand, and nothing else."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from afagent.corpus.blocks import BLOCK_BYTES, TrueWeights

BLOCKS = 40


def shard(seed: int) -> bytes:
    """A file in the format of safetensors, of bfloat16 values."""
    values = np.random.default_rng(seed).normal(0, 0.02, BLOCKS * BLOCK_BYTES // 2).astype("<f4")
    data = (values.view("<u4") >> 16).astype("<u2").tobytes()
    head = json.dumps({"w": {"dtype": "BF16", "shape": [len(data) // 2], "data_offsets": [0, len(data)]}}).encode()
    return len(head).to_bytes(8, "little") + head + data


SHARDS = [shard(1), shard(2)]
TRUE = TrueWeights(SHARDS)
START = len(SHARDS[0]) - BLOCKS * BLOCK_BYTES


@given(st.integers(0, 1), st.integers(0, BLOCKS * BLOCK_BYTES), st.integers(0, 60_000), st.binary(max_size=50))
def test_a_piece_is_found_by_exactly_its_whole_blocks(number: int, at: int, size: int, around: bytes) -> None:
    piece = SHARDS[number][START + at : START + at + size]
    first, last = -(-at // BLOCK_BYTES), (at + len(piece)) // BLOCK_BYTES
    assert TRUE.found_in(around + piece + around) == {(number, block) for block in range(first, last)}


@given(st.integers(0, BLOCKS * BLOCK_BYTES - 8192))
def test_any_8_kib_are_found(at: int) -> None:
    assert TRUE.found_in(SHARDS[1][START + at : START + at + 8192])


@given(st.integers(0, BLOCK_BYTES - 1), st.integers(1, 255))
def test_a_block_with_one_wrong_byte_is_not_found(at: int, change: int) -> None:
    block = bytearray(SHARDS[0][START : START + BLOCK_BYTES])
    block[at] ^= change
    assert TRUE.found_in(bytes(block)) == set()


def test_nothing_is_found_in_what_is_too_short_or_other(tmp_path) -> None:
    others = (b"", b"x", SHARDS[0][:START], shard(3)[START:], bytes(100_000))
    assert all(TRUE.found_in(other) == TRUE.near_in(other) == set() for other in others)


def test_all_of_the_weights_are_all_of_the_blocks() -> None:
    assert len(TRUE.found_in(b"".join(SHARDS))) == TRUE.total == 2 * BLOCKS


def test_values_that_are_near_are_found_as_such() -> None:
    data = np.frombuffer(SHARDS[0][START:], "<u2")
    coarse = (data & 0xFFE0).tobytes()
    assert TRUE.found_in(coarse) == set()
    assert TRUE.near_in(coarse) == {(0, block) for block in range(BLOCKS)}
