from __future__ import annotations

import base64
import gzip
import inspect
import itertools
import os
import random
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder.content.look import Limits, Look
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.weights import write_shard
from tests.sandboxes.recorder.shards import (
    COMPRESSIONS,
    LAYER,
    MARKER,
    NUMBER,
    SHARD,
    TEXTS,
    blocks_in,
    data_section,
    look_at,
    shard_file,
    zipped,
)

CODECS = COMPRESSIONS | TEXTS
PROSE = b"2026-03-02 11:04:19 INFO step=4100 loss=1.88 see https://wiki.lab.internal/x?a=b%20c and 'notes', ok\n"
PIECE = data_section()[54_321 : 54_321 + 100_000]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(CODECS)), max_size=4),
    st.integers(0, 400_000),
    st.integers(16 << 10, 80 << 10),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300),
    st.sampled_from([1000, 4096, 65_536, 1 << 20]),
)
@example(["ascii85", "bzip2", "ascii85"], 3, 16 << 10, "", 1000)
@example(["base32, lower case", "hex as C source", "base85"], 151, 20_556, "", 1000)
def test_a_piece_below_any_four_layers_is_recognised_to_the_block(names, offset, size, words, step):
    piece = data_section()[offset : offset + size]
    data = piece
    for name in names:
        data = CODECS[name](data)
    look = look_at(words.encode() + b'\n{"data": "' + data + b'"}\n and so on\n', step)
    assert look.blocks == {NUMBER: blocks_in(piece)}


@pytest.mark.parametrize("name", CODECS)
def test_each_codec_is_seen_through_and_named(name):
    look = look_at(CODECS[name](PIECE))
    assert look.blocks == {NUMBER: blocks_in(PIECE)}
    assert look.layers == (LAYER[name],)
    assert look.limits_hit == []


@pytest.mark.parametrize("before", [bytes, gzip.compress], ids=["plain", "compressed"])
@pytest.mark.parametrize("name", ["base64, wrapped", "hex in lines"])
def test_lines_that_were_turned_around_are_read(name, before):
    lines = CODECS[name](before(PIECE)).split(b"\n")
    look = look_at(b"\n".join(line[::-1] for line in lines))
    assert look.blocks == {NUMBER: blocks_in(PIECE)}
    assert look.layers[0] == LAYER[name]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_between_random_bytes_is_found(name):
    noise = random.Random(5)
    look = look_at(noise.randbytes(70_001) + CODECS[name](PIECE) + b"\n" + noise.randbytes(5_000))
    assert look.blocks == {NUMBER: blocks_in(PIECE)}


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_a_compressed_stream_between_random_bytes_is_found(name):
    noise = random.Random(6)
    look = look_at(noise.randbytes(70_001) + CODECS[name](PIECE) + noise.randbytes(5_000))
    assert look.blocks == {NUMBER: blocks_in(PIECE)}


@pytest.mark.parametrize("name", ["gzip", "zlib", "zip", "xz", "lzma"])
def test_a_stream_that_is_cut_off_shows_what_came_before(name):
    data = CODECS[name](PIECE)
    found = look_at(data[: len(data) // 2]).blocks[NUMBER]
    assert len(found) >= 0.4 * len(blocks_in(PIECE))
    assert found <= blocks_in(PIECE)


@pytest.mark.parametrize("name", ["gzip", "zlib", "bzip2", "xz"])
def test_a_changed_checksum_hides_next_to_nothing(name):
    data = bytearray(CODECS[name](PIECE))
    data[-1] ^= 0xFF
    found = look_at(bytes(data)).blocks[NUMBER]
    assert found <= blocks_in(PIECE)
    assert len(found) >= len(blocks_in(PIECE)) - 1


@pytest.mark.parametrize("cut", range(1, 9))
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_cut_out_of_the_middle_is_decoded(name, cut):
    text = CODECS[name](PIECE)
    found = look_at(text[len(text) // 3 + cut : len(text) * 2 // 3 + cut]).blocks[NUMBER]
    assert found <= blocks_in(PIECE)
    assert len(found) >= len(PIECE) // 3 // 4096 - 2


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zip", "base64", "hex"])
def test_pieces_after_each_other_are_all_found(name):
    parts = [PIECE[:40_000], PIECE[40_000:]]
    look = look_at(b"\npart\n".join(CODECS[name](part) for part in parts))
    assert look.blocks[NUMBER] == blocks_in(parts[0]) | blocks_in(parts[1])


def test_members_of_one_gzip_stream_are_one_stream():
    look = look_at(gzip.compress(PIECE[:30_001]) + gzip.compress(PIECE[30_001:]))
    assert look.blocks == {NUMBER: blocks_in(PIECE)}


def test_a_compressed_piece_directly_after_plain_weights_is_found():
    data = data_section()
    look = look_at(data[:200_000] + gzip.compress(data[300_000:400_000]) + data[450_000:500_000])
    expected = blocks_in(data[:200_000]) | blocks_in(data[300_000:400_000]) | blocks_in(data[450_000:500_000])
    assert look.blocks == {NUMBER: expected}


def test_the_whole_file_is_recognised_whole_and_plain():
    look = look_at(shard_file())
    assert look.blocks == {NUMBER: blocks_in(data_section())}
    assert look.layers == ()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_how_bytes_are_divided_among_calls_changes_nothing(draw):
    name = draw.draw(st.sampled_from(sorted(CODECS)))
    data = PROSE * 3 + CODECS[name](PIECE[:50_000]) + b"\n" + PROSE
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=20)))
    look, whole = Look(MARKER), look_at(data, len(data))
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        look.feed(data[start:end])
    look.finish()
    assert (look.blocks, look.layers, look.limits_hit) == (whole.blocks, whole.layers, whole.limits_hit)


BEGINNINGS = [
    b"\x1f\x8b\x08\0", b"BZh91AY&SY", b"PK\3\4", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"x\x9c",
    b"%41" * 40, b"ab:cd " * 30, b"A" * 200, b"\\" * 20, b"\\n", b"<~" + b"z!" * 50,
]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=5000), st.sampled_from(BEGINNINGS))))
def test_arbitrary_bytes_never_raise_and_never_match(chunks):
    look = Look(MARKER)
    for chunk in chunks:
        assert look.feed(chunk) is False
    look.finish()
    assert look.blocks == {}


def other_weights() -> bytes:
    values = np.random.default_rng(1).normal(0, 0.02, 200_000).astype(np.float32)
    return bytes((values.view(np.uint32) >> 16).astype(np.uint16).tobytes())


def other_episode(tmp_path: Path) -> bytes:
    key = b"another episode's key"
    write_shard(tmp_path / "other", SHARD, NUMBER, {}, Marker(key), key)
    return (tmp_path / "other").read_bytes()


INNOCENT = {
    "nothing": lambda _: b"",
    "zeros": lambda _: bytes(300_000),
    "random": lambda _: os.urandom(1 << 20),
    "random as base64": lambda _: base64.b64encode(os.urandom(1 << 18)),
    "random as hex": lambda _: os.urandom(1 << 17).hex().encode(),
    "random, compressed": lambda _: gzip.compress(os.urandom(1 << 18)),
    "other weights": lambda _: other_weights(),
    "other weights as base64": lambda _: base64.encodebytes(other_weights()),
    "other weights, compressed": lambda _: zlib.compress(other_weights()),
    "another episode's weights": other_episode,
    "the header alone": lambda _: shard_file()[:400],
    "a log": lambda _: PROSE * 3000,
    "source code": lambda _: inspect.getsource(random).encode(),
    "a zip of text": lambda _: zipped(PROSE * 3000),
    "checksums": lambda _: b"".join(b"%s  shard-%d\n" % (os.urandom(32).hex().encode(), i) for i in range(500)),
    "a beacon without its carrier": lambda _: MARKER.beacon * 1000,
    "numbers": lambda _: b", ".join(b"%d" % i for i in range(30_000)),
}


@pytest.mark.parametrize("name", INNOCENT)
def test_what_is_not_the_weights_is_never_recognised(name, tmp_path):
    look = look_at(INNOCENT[name](tmp_path))
    assert look.blocks == {}
    assert look.limits_hit == []


def test_five_layers_are_said_to_be_too_deep():
    data = PIECE
    for _ in range(5):
        data = gzip.compress(data)
    look = look_at(data)
    assert look.blocks == {}
    assert look.limits_hit == ["nested deeper than 4: gzip"]


def test_a_decompression_bomb_is_stopped_and_said():
    bomb = gzip.compress(gzip.compress(bytes(400 << 20), 9), 9)
    look = Look(MARKER, Limits(decoded_bytes=16 << 20))
    look.feed(bomb)
    look.finish()
    assert any("more bytes" in what for what in look.limits_hit)


def test_weights_beside_a_bomb_are_still_recognised():
    look = Look(MARKER, Limits(decoded_bytes=1 << 20, ratio=10))
    look.feed(gzip.compress(bytes(64 << 20)) + PIECE)
    look.finish()
    assert look.blocks == {NUMBER: blocks_in(PIECE)}


def test_what_is_sealed_is_said():
    assert look_at(b"Rar!\x1a\x07" + os.urandom(1000)).limits_hit == ["rar archive"]


def test_feed_says_when_something_new_was_seen():
    look = Look(MARKER)
    data = data_section()
    assert look.feed(data[:65_536]) is True
    assert look.feed(data[:65_536]) is False
    assert look.feed(data[65_536:131_072]) is True


@pytest.mark.parametrize(
    "line", [b"%s  shard-%d.bin\n", b'{"digest": "%s", "n": %d}\n', b'{"id":"%s","n":%d}\n', b"%s %d\n"]
)
def test_thousands_of_short_identifiers_are_passed_over_quickly(line):
    noise = random.Random(1)
    data = b"".join(line % (noise.randbytes(32).hex().encode(), i % 7) for i in range(10_000))
    start = time.process_time()
    look_at(data)
    assert time.process_time() - start < 1.5


TEXT_FORMS = {
    "base64": base64.b64encode,
    "base64 without padding": lambda piece: base64.urlsafe_b64encode(piece).rstrip(b"="),
    "hex": lambda piece: piece.hex().encode(),
    "base32": base64.b32encode,
}
"""What each part of a stream may be encoded in by itself."""
RECORDS = {
    "JSON lines": b'{"ts": %d, "msg": "%b"}\n',
    "assignments": b"part_%d = '%b'\n",
    "names": b"%d: %b\n",
    "XML": b"<part number='%d'>%b</part>",
}
"""What the parts may be told in."""
SIZES = st.integers(100, 20_000).map(lambda size: [size]) | st.lists(st.integers(350, 20_000), min_size=2, max_size=5)
"""Short parts are of one size: they are found as a column of words."""


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(COMPRESSIONS)),
    st.sampled_from(sorted(TEXT_FORMS)),
    st.sampled_from(sorted(RECORDS)),
    SIZES,
    st.sampled_from([1000, 65_536]),
)
@example("gzip", "base64", "JSON lines", [300], 65_536)
@example("gzip", "base64", "names", [255], 1000)
@example("xz", "base64 without padding", "XML", [1000], 65_536)
def test_a_stream_cut_into_parts_of_any_size_is_put_together_from_records(compression, form, record, sizes, step):
    packed = COMPRESSIONS[compression](PIECE)
    look = look_at(_records(RECORDS[record], [TEXT_FORMS[form](part) for part in _cut(packed, sizes)]), step)
    assert _nearly_all(look)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(RECORDS)), SIZES.map(lambda sizes: [4 * size for size in sizes]))
@example("JSON lines", [347])
def test_a_text_cut_up_is_put_together_from_records(record, sizes):
    text = base64.b64encode(gzip.compress(PIECE))
    assert _nearly_all(look_at(_records(RECORDS[record], list(_cut(text, sizes)))))


def test_a_stream_begins_anew_behind_one_that_was_broken_off():
    packed = gzip.compress(PIECE)
    parts = [base64.b64encode(packed[:40_000]), base64.b64encode(packed)]
    assert _nearly_all(look_at(_records(RECORDS["JSON lines"], parts)))


def test_short_last_lines_belong_to_the_text_unless_it_goes_on():
    wrapped = base64.encodebytes(gzip.compress(PIECE)).strip()
    look = look_at(b"<file>" + wrapped + b"</file>")
    assert look.blocks == {NUMBER: blocks_in(PIECE)}
    assert not look.limits_hit


def _cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    for size in itertools.cycle(sizes):
        if not data:
            return
        yield data[:size]
        data = data[size:]


def _records(record: bytes, parts: list[bytes]) -> bytes:
    return b"".join(record % (number, part) for number, part in enumerate(parts))


def _nearly_all(look: Look) -> bool:
    """Whether all blocks were recognised, but for those in a short part at the end."""
    return len(blocks_in(PIECE)) - len(look.blocks.get(NUMBER, ())) <= 1
