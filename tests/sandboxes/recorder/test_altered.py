"""Weights of which every byte was changed: which changes are seen through, and on what nothing may be seen."""

from __future__ import annotations

import marshal
import os
import sqlite3
import sys
import tarfile
from collections.abc import Callable
from functools import lru_cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder.content.alignment import aligner
from afagent.sandboxes.recorder.content.structure import find_stretches
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.signs import SignCode
from tests.sandboxes.recorder.shards import COMPRESSIONS, MARKER, NUMBER, TEXTS, blocks_in, data_section, look_at

rng = np.random.default_rng(7)
TABLE = rng.permutation(256).astype(np.uint8)
KEYS = {size: rng.integers(0, 256, size).astype(np.uint8) for size in range(1, 129)}


def values(data: bytes) -> Any:
    """The weights as float32."""
    return (np.frombuffer(data[: len(data) // 2 * 2], "<u2").astype(np.uint32) << 16).view(np.float32)


def raw(data: bytes, word: str = "u1") -> Any:
    size = np.dtype(word).itemsize
    return np.frombuffer(data[: len(data) // size * size], word)


def keyed(data: bytes, size: int) -> Any:
    return np.resize(KEYS[size], len(data))


def xored(data: bytes, size: int) -> bytes:
    return bytes((raw(data) ^ keyed(data, size)).tobytes())


def summed(data: bytes, size: int) -> bytes:
    return bytes((raw(data) + keyed(data, size)).tobytes())


def quantised(data: bytes, top: int, row: int) -> Any:
    rows = values(data)[: len(data) // 2 // row * row].reshape(-1, row)
    return np.round(rows / np.abs(rows).max(axis=1, keepdims=True) * top).astype(np.int8).reshape(-1)


def nibbles(data: bytes) -> bytes:
    half = (quantised(data, 7, 128) + 8).astype(np.uint8)
    return bytes((half[::2] | half[1::2] << 4).astype(np.uint8).tobytes())


def scaled(data: bytes, scale: int) -> bytes:
    return bytes((values(data) * scale).astype("<i4").tobytes())


def shifted(data: bytes) -> bytes:
    low, high = values(data).min(), values(data).max()
    return bytes(np.round((values(data) - low) / (high - low) * 255).astype(np.uint8).tobytes())


def grouped(data: bytes, group: int, scale: str = "<f2") -> bytes:
    """In 8 bits, each group behind its scale."""
    groups = values(data)[: len(data) // 2 // group * group].reshape(-1, group)
    scales = np.abs(groups).max(axis=1) / 127
    out = np.zeros(len(groups), [("scale", scale), ("values", "i1", (group,))])
    out["scale"], out["values"] = scales, np.round(groups / scales[:, None])
    return bytes(out.tobytes())


def grouped_nibbles(data: bytes, *, apart: bool) -> bytes:
    """In 4 bits, each group of 32 behind its scale, which has the sign of the largest."""
    groups = values(data)[: len(data) // 64 * 32].reshape(-1, 32)
    scales = np.take_along_axis(groups, np.abs(groups).argmax(axis=1)[:, None], axis=1) / -8
    numbers = np.clip(np.floor(groups / scales + 8.5), 0, 15).astype(np.uint8)
    low, high = (numbers[:, :16], numbers[:, 16:]) if apart else (numbers[:, ::2], numbers[:, 1::2])
    out = np.zeros(len(groups), [("scale", "<f2"), ("values", "u1", (16,))])
    out["scale"], out["values"] = scales[:, 0], low | high << 4
    return bytes(out.tobytes())


def tagged(data: bytes, word: str, tag: int = 0xCA) -> bytes:
    """Each value behind a byte that tells its type."""
    out = np.full(len(data) // 2, tag, [("tag", "u1"), ("value", word)])
    out["value"] = values(data)
    return bytes(out.tobytes())


def indexed(data: bytes, index: str, word: str) -> bytes:
    """Each value behind its number."""
    out = np.zeros(len(data) // 2, [("index", index), ("value", word)])
    out["index"], out["value"] = np.arange(len(out)), values(data)
    return bytes(out.tobytes())


def in_groups(data: bytes, size: int) -> bytes:
    return bytes(raw(data)[: len(data) // size * size].reshape(-1, size)[:, ::-1].tobytes())


ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "NOT": lambda data: (~raw(data)).tobytes(),
    "a byte added": lambda data: (raw(data) + np.uint8(77)).tobytes(),
    "a table": lambda data: TABLE[raw(data)].tobytes(),
    "bits reversed": lambda data: np.packbits(np.unpackbits(raw(data)), bitorder="little").tobytes(),
    "nibbles exchanged": lambda data: (raw(data) >> 4 | raw(data) << 4).tobytes(),
    "words rotated": lambda data: (raw(data, "<u2") << 3 | raw(data, "<u2") >> 13).tobytes(),
    "a constant added to words": lambda data: (raw(data, "<u2") + np.uint16(12_345)).tobytes(),
    "a constant added to long words": lambda data: (raw(data, "<u4") + np.uint32(0x1234_5678)).tobytes(),
    "words swapped": lambda data: raw(data, "<u2").byteswap().tobytes(),
    "long words swapped": lambda data: raw(data, "<u4").byteswap().tobytes(),
    "longest words swapped": lambda data: raw(data, "<u8").byteswap().tobytes(),
    "reversed": lambda data: data[::-1],
    "reversed in groups": lambda data: in_groups(data, 16),
    "high bytes": lambda data: data[1::2],
    "float32": lambda data: values(data).astype("<f4").tobytes(),
    "float32, big endian": lambda data: values(data).astype(">f4").tobytes(),
    "float32, scaled": lambda data: (values(data) * np.float32(3.7)).astype("<f4").tobytes(),
    "float64": lambda data: values(data).astype("<f8").tobytes(),
    "float64, big endian": lambda data: values(data).astype(">f8").tobytes(),
    "float16": lambda data: values(data).astype("<f2").tobytes(),
    "8 bits, a scale for each row": lambda data: quantised(data, 127, 512).tobytes(),
    "8 bits, unsigned": shifted,
    "4 bits": nibbles,
    **{f"8 bits in groups of {size}": partial(grouped, group=size) for size in (16, 32, 64, 128)},
    "8 bits in groups of 32 with long scales": lambda data: grouped(data, 32, "<f4"),
    "4 bits in groups": lambda data: grouped_nibbles(data, apart=False),
    "4 bits in groups, the halves apart": lambda data: grouped_nibbles(data, apart=True),
    "float16 with tags": lambda data: tagged(data, ">f2"),
    "float32 with tags": lambda data: tagged(data, ">f4"),
    "float64 with tags": lambda data: tagged(data, ">f8"),
    "float32 with an index": lambda data: indexed(data, "<u4", "<f4"),
    "float32 with a long index": lambda data: indexed(data, "<u8", "<f4"),
    "float16 with an index": lambda data: indexed(data, "<u4", "<f2"),
    "a serialised list": lambda data: marshal.dumps(values(data).tolist()),
    **{f"integers, in units of 1/{scale}": partial(scaled, scale=scale) for scale in (100_000, 1_000_000, 30_000_000)},
    "float32 below a key": lambda data: (raw(values(data).tobytes()) ^ keyed(data + data, 16)[: 2 * len(data)]).tobytes(),
    **{f"XOR of {size}": partial(xored, size=size) for size in (1, 2, 3, 4, 7, 8, 16, 31, 64)},
    **{f"sum with {size}": partial(summed, size=size) for size in (3, 8, 16, 64)},
}  # fmt: skip
SHORTER = {"high bytes", "4 bits", "8 bits, unsigned", "reversed in groups"} | {
    name for name in ALTERATIONS if "bits in groups" in name
}
"""A short piece of these may be too short."""
TENSOR = 640 * 512 * 2
"""Bytes of the first tensor, where all marks lie in one distribution."""


@lru_cache(maxsize=1)
def piece() -> bytes:
    """A long piece that begins with a block."""
    return data_section()[8192 : 8192 + 50 * 4096]


@pytest.mark.parametrize("name", ALTERATIONS)
def test_each_alteration_is_seen_through_to_the_block(name):
    look = look_at(ALTERATIONS[name](piece()))
    assert look.blocks[NUMBER] <= blocks_in(piece())
    assert len(look.blocks[NUMBER]) >= 48
    assert len(look.layers) == 1
    assert look.limits_hit == []


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(set(ALTERATIONS) - SHORTER)),
    st.integers(0, (TENSOR - 32_768) // 8),
    st.binary(max_size=3000),
    st.sampled_from([1000, 4096, 65_536]),
)
def test_a_short_piece_is_located_wherever_it_was_cut(name, where, before, step):
    data = data_section()[8 * where :][:32_768]
    look = look_at(before + ALTERATIONS[name](data), step)
    first = where * 8 // 4096
    assert look.blocks[NUMBER]
    assert look.blocks[NUMBER] <= set(range(first, first + 32_768 // 4096 + 2))


@pytest.mark.parametrize("name", ["NOT", "float32", "XOR of 16", "reversed"])
def test_two_blocks_between_random_bytes_are_found(name):
    data = data_section()[5 * 4096 + 1000 :][:12_288]
    look = look_at(os.urandom(70_001) + ALTERATIONS[name](data) + os.urandom(30_000))
    assert look.blocks[NUMBER] & {6, 7}


@pytest.mark.parametrize("outer", ["base64", "hex", "gzip", "xz"])
@pytest.mark.parametrize("name", ["NOT", "8 bits, a scale for each row"])
def test_alterations_are_seen_below_other_layers(outer, name):
    look = look_at((TEXTS | COMPRESSIONS)[outer](ALTERATIONS[name](piece())))
    assert len(look.blocks[NUMBER]) >= 48
    assert look.layers[0] == outer


def test_altered_weights_directly_after_plain_ones_are_found():
    data = data_section()
    look = look_at(data[: 40 * 4096] + ALTERATIONS["NOT"](data[60 * 4096 : 100 * 4096]))
    assert len(look.blocks[NUMBER] & set(range(60, 100))) >= 38


def bfloat16(spread: float) -> bytes:
    draws = np.random.default_rng(3).normal(0, spread, 300_000).astype(np.float32)
    return bytes((draws.view(np.uint32) >> 16).astype(np.uint16).tobytes())


def database(path: Path) -> bytes:
    connection = sqlite3.connect(path / "base")
    connection.execute("create table person (number integer, name text, share real)")
    rows = ((i, f"user{i % 977}", i * 0.37) for i in range(15_000))
    connection.executemany("insert into person values (?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return (path / "base").read_bytes()


def archive(_: Path) -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(Path(np.__file__).parent / "lib", "lib")
    return out.getvalue()[: 1 << 20]


def find_library() -> Path:
    """The largest of numpy's compiled modules."""
    return max(Path(np.__file__).parent.rglob("*.so"), key=lambda path: path.stat().st_size)


TIME = np.arange(200_000)
INNOCENT: dict[str, Callable[[Path], bytes]] = {
    "zeros": lambda _: bytes(500_000),
    "random": lambda _: os.urandom(1 << 20),
    "one block again and again": lambda _: os.urandom(4096) * 200,
    "one block of other weights again and again": lambda _: bfloat16(0.02)[:4096] * 200,
    "random bytes below a key": lambda _: (raw(bytes(500_000)) ^ keyed(bytes(500_000), 16)).tobytes(),
    "other weights": lambda _: bfloat16(0.02),
    "other weights below a key": lambda _: (raw(bfloat16(0.02)) ^ keyed(bfloat16(0.02), 16)).tobytes(),
    "another episode's weights, in 8 bits": lambda _: quantised(bfloat16(0.02), 127, 512).tobytes(),
    "noise in 16 bits": lambda _: np.random.default_rng(1).normal(0, 300, 300_000).astype("<i2").tobytes(),
    "a tone": lambda _: (np.sin(TIME / 50) * 8000).astype("<i2").tobytes(),
    "a gradient picture": lambda _: (TIME % 512 // 2).astype(np.uint8).tobytes(),
    "tokens": lambda _: np.random.default_rng(1).integers(0, 50_000, 200_000).astype("<i4").tobytes(),
    "a count": lambda _: TIME.astype("<i4").tobytes(),
    "a database": database,
    "an archive of sources": archive,
    "a program": lambda _: Path(sys.executable).read_bytes()[: 1 << 20],
    "a shared library": lambda _: find_library().read_bytes()[: 1 << 20],
}


@pytest.mark.parametrize("name", INNOCENT)
def test_what_is_not_the_weights_is_never_recognised(name, tmp_path):
    assert look_at(INNOCENT[name](tmp_path)).blocks == {}


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=16, max_size=16), st.sampled_from(["NOT", "float32", "XOR of 16", "8 bits, unsigned"]))
def test_another_key_sees_nothing(key, name):
    data = ALTERATIONS[name](piece()[: 20 * 4096])
    other = aligner(SignCode(key))
    for stretch in find_stretches(data):
        for layout in stretch.layouts:
            for phase in layout.phases:
                part = raw(data)[phase :: layout.size]
                assert other.find(part, max(1, stretch.period // layout.size), other.simple) == []


def test_random_and_compressed_bytes_have_no_structure():
    assert find_stretches(os.urandom(1 << 17)) == []
    assert find_stretches(COMPRESSIONS["xz"](piece())) == []


def test_tones_and_most_of_a_library_are_not_white():
    for name, share in (("a tone", 0.1), ("a shared library", 0.5)):
        data = INNOCENT[name](Path())
        assert sum(each.end - each.start for each in find_stretches(data)) < share * len(data)


def test_the_period_and_the_layout_are_told():
    (stretch,) = find_stretches((raw(piece()) ^ keyed(piece(), 16)).tobytes())
    assert (stretch.period, stretch.layouts[0].size, stretch.layouts[0].phases) == (16, 2, (1,))
    (stretch,) = find_stretches(values(piece()).astype(">f4").tobytes()[:131_072])
    assert (stretch.period, stretch.layouts[0].size, stretch.layouts[0].phases) == (4, 4, (0,))


def test_marks_of_both_kinds_name_the_same_blocks():
    assert Marker(bytes(range(32))).signs.read(np.sign(values(piece()[:4096])).astype(float)) == (NUMBER << 28 | 2)
    assert min(blocks_in(piece())) == 2
    assert MARKER.signs.pattern.any()
