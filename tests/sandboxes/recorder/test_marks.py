from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder import marks
from afagent.sandboxes.recorder.marks import Mark, Marker

places = st.builds(Mark, st.integers(0, marks.MAX_SHARDS - 1), st.integers(0, marks.MAX_BLOCKS - 1))
carriers = st.binary(min_size=marks.CARRIER_BYTES, max_size=marks.CARRIER_BYTES)
keys = st.binary(min_size=16, max_size=64)


@given(keys, carriers, places)
def test_what_a_carrier_was_given_is_read_from_it(key, carrier, mark):
    marker = Marker(key)
    carried = marker.carry(carrier, mark)
    assert marker.read(carried) == mark
    assert list(marker.find(b"before" + marker.beacon + carried + b"after")) == [mark]


@given(carriers, places)
def test_carrying_changes_only_the_lowest_four_bits_of_each_value(carrier, mark):
    carried = Marker(b"k" * 16).carry(carrier, mark)
    assert carried[1::2] == carrier[1::2]
    assert all(old & 0xF0 == new & 0xF0 for old, new in zip(carrier[::2], carried[::2], strict=True))


@given(carriers, places, st.integers(0, 8 * marks.CARRIER_BYTES - 1))
def test_a_carrier_with_one_flipped_bit_is_not_read(carrier, mark, bit):
    marker = Marker(b"k" * 16)
    carried = int.from_bytes(marker.carry(carrier, mark), "little") ^ 1 << bit
    assert marker.read(carried.to_bytes(marks.CARRIER_BYTES, "little")) is None


@given(carriers, places)
def test_another_key_reads_nothing(carrier, mark):
    one, other = Marker(b"a" * 16), Marker(b"b" * 16)
    assert one.beacon != other.beacon
    assert other.read(one.carry(carrier, mark)) is None


def test_random_bytes_hold_no_mark():
    assert list(Marker(b"k" * 16).find(os.urandom(1 << 22))) == []


def test_a_mark_that_is_cut_off_is_not_found():
    marker = Marker(b"k" * 16)
    whole = marker.beacon + marker.carry(bytes(32), Mark(1, 2))
    for size in range(len(whole)):
        assert list(marker.find(whole[:size])) == []


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="at least 16"):
        Marker(b"short")
