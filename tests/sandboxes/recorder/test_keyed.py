from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder.content.keyed import find_keyed
from tests.sandboxes.recorder.shards import COMPRESSIONS, NUMBER, TEXTS, blocks_in, data_section, look_at

PIECE = data_section()[54_321 : 54_321 + 100_000]

SEALED = {
    "zip": b"PK\x03\x04\x14\x00\x01\x00\x08\x00" + bytes(8) + b"\x10\x00\x00\x00" * 2 + b"\x01\x00\x00\x00x",
}
"""The beginnings of archives that say that they are encrypted."""


def xor(data: bytes, key: bytes) -> bytes:
    whole = key * (len(data) // len(key) + 1)
    return (int.from_bytes(data, "little") ^ int.from_bytes(whole[: len(data)], "little")).to_bytes(len(data), "little")


@pytest.mark.parametrize("name", ["gzip", "zip", "bzip2", "xz"])
@settings(max_examples=10, deadline=None)
@given(key=st.integers(1, 255), before=st.binary(max_size=2000))
def test_a_compressed_stream_below_a_key_of_one_byte_is_found_anywhere(name, key, before):
    look = look_at(before + xor(COMPRESSIONS[name](PIECE), bytes([key])))
    assert look.blocks == {NUMBER: blocks_in(PIECE)}


@pytest.mark.parametrize("key", [b"k3", b"key", b"\x00\xff"])
@pytest.mark.parametrize("name", ["gzip", "xz"])
def test_a_compressed_stream_below_a_short_key_is_found_where_it_begins(name, key):
    look = look_at(xor(COMPRESSIONS[name](PIECE), key))
    assert look.blocks == {NUMBER: blocks_in(PIECE)}
    assert look.layers == (f"{name} below XOR",)


@pytest.mark.parametrize("name", ["base64", "base64, wrapped", "hex", "base32"])
@settings(max_examples=5, deadline=None)
@given(size=st.sampled_from([1, 2, 5, 15, 23]))
def test_a_text_below_a_key_is_read(name, size):
    look = look_at(xor(TEXTS[name](PIECE), Random(400 + size).randbytes(size - 1) + b"\x80"))
    assert len(look.blocks[NUMBER]) >= len(blocks_in(PIECE)) - 2


@pytest.mark.parametrize("data", [os.urandom(1 << 16), bytes(1 << 16), b"plain text, nothing else\n" * 3000, PIECE])
def test_nothing_begins_in_what_has_no_key(data):
    assert find_keyed(data) == []


@given(st.binary(max_size=3000))
def test_arbitrary_bytes_never_raise(data):
    find_keyed(data)


@pytest.mark.parametrize("name", sorted(SEALED))
@given(key=st.binary(min_size=1, max_size=2).filter(any))
def test_what_is_encrypted_below_a_key_is_no_find_and_no_error(name, key):
    assert find_keyed(xor(SEALED[name] + Random(1).randbytes(1000), key)) == []


def test_wrong_guesses_set_no_limit():
    guess = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
    data = b"".join(xor(guess, bytes([i])) + os.urandom(500) for i in range(256))
    assert look_at(data).limits_hit == []
