"""Numbers that stand in records with something else: what a record's bytes are is told by how often each repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.content.records import Record, are_all_numbers, find_records

COUNTED = 20_000
"""Pairs of records: enough that chance plays no part."""
NUMBER = {1: (0.012,), 2: (0.004, 0.09), 4: (0.004, 0.004, 0.01, 0.4)}
"""How often the bytes of a number repeat, by its size."""
SCALE = (0.03, 0.25)


def rates(head: tuple[float, ...], number: int, many: int, at: int = 0) -> np.ndarray:
    return np.roll(np.array([*head, *(NUMBER[number] * many)]), at)


@given(st.sampled_from([1, 2, 4]), st.sampled_from([2, 3, 8, 16, 32, 100]), st.data())
def test_a_head_is_found_wherever_it_begins(number, many, draw):
    if number * many > 130:
        many = 16
    size = 2 + number * many
    at = draw.draw(st.integers(0, size - 1))
    record, found = next(find_records(rates(SCALE, number, many, at), COUNTED))
    assert (record, found) == (Record(size, 2, at), number)


def test_a_head_of_which_a_byte_is_as_random_as_numbers_is_found_by_the_size_of_the_group():
    found = list(find_records(rates((0.012, 0.25), 1, 32), COUNTED))
    assert (Record(34, 1, 1), 1) in found
    assert (Record(34, 2, 0), 1) in found


@pytest.mark.parametrize("number", [1, 2, 4])
@pytest.mark.parametrize("many", [4, 8, 16])
def test_a_key_that_repeats_makes_no_records(number, many):
    assert are_all_numbers(rates((), number, many), COUNTED)
    assert list(find_records(rates((), number, many), COUNTED)) == []


@given(st.integers(2, 40), st.integers(1, 8), st.integers(0, 47), st.integers(0, 47))
def test_the_numbers_of_whole_records_are_taken_in_their_order(many, head, at, beyond):
    size = head + many
    record = Record(size, head, at % size)
    places = np.arange(5 * size) - record.at
    data = np.where(places % size < head, 255, places % 251 % 250).astype(np.uint8)
    expected = data[places % size >= head]
    assert record.numbers(np.append(data, np.zeros(beyond % size, np.uint8))).tolist() == expected.tolist()


@given(st.integers(0, 17), st.integers(0, 1000))
def test_counted_from_elsewhere_a_record_is_the_same(at, by):
    data = np.random.default_rng(1).integers(0, 256, 18 * 100).astype(np.uint8)
    record = Record(18, 2, at)
    before = sum((place - at) % 18 >= 2 for place in range(by % 18))
    assert record.moved(-by).numbers(data[by % 18 :])[:500].tolist() == record.numbers(data)[before:][:500].tolist()


def test_halves_are_turned_over_by_the_sign_of_their_scale():
    record = Record(4, 2, 0)
    data = np.array([0, 0x00, 0x21, 0x43, 0, 0x80, 0x21, 0x43], np.uint8)
    assert record.halves(data, apart=False).tolist() == [1, 2, 3, 4, 14, 13, 12, 11]
    assert record.halves(data, apart=True).tolist() == [1, 3, 2, 4, 14, 12, 13, 11]
