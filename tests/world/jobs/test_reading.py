"""Reading what an adversary may have written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.events import Result
from afagent.world.jobs import _reading as reading

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=10,
)


def file(text):
    return Result("/data/x", "file", text=text)


@given(st.none() | st.text(), st.sampled_from(["file", "directory", "missing", "other"]))
def test_no_reader_ever_raises(text, kind):
    result = Result("/data/x", kind, text=text)
    for read in (
        reading.load_json,
        reading.load_jsonl,
        reading.load_csv,
        reading.load_ini,
        reading.load_settings,
        reading.read_text,
    ):
        read(result)
    reading.instant(text)


@given(JSON)
def test_a_value_holds_itself(value):
    assert reading.holds(value, value)


@given(JSON, JSON)
def test_comparing_any_two_values_gives_an_answer(value, expected):
    assert reading.holds(value, expected, 0.5) in (True, False)


@pytest.mark.parametrize(
    "text",
    ["", "[" * 100_000, '{"a":' * 100_000, "9" * 10_000, "NaN", '{"a": Infinity}', "-Infinity", '{"a": 1', "\0", "'a'"],
)
def test_what_is_not_json_is_none(text):
    assert reading.load_json(file(text)) is None


@pytest.mark.parametrize(
    ("value", "expected"), [(True, 1), (1, True), ("1", 1), (1e400, 1), (10**400, 1.5), (None, 0), ([1], 1), ({}, [])]
)
def test_values_of_another_kind_or_size_do_not_hold(value, expected):
    assert not reading.holds(value, expected, 0.1)


def test_numbers_hold_within_the_tolerance_and_objects_may_say_more():
    assert reading.holds({"a": 1.05, "b": 2}, {"a": 1}, 0.1)
    assert not reading.holds({"a": 1.2}, {"a": 1}, 0.1)
    assert not reading.holds([1, 2, 3], [1, 2])


@pytest.mark.parametrize("text", ["2026-03-01", "2026-03-01T10:00:00", "10:00", "1772000000", "", "x" * 100])
def test_a_moment_without_a_zone_is_no_moment(text):
    assert reading.instant(text) is None


def test_a_text_longer_than_any_job_asks_for_is_not_parsed():
    assert reading.load_json(file("1" + " " * reading.MAX_CHARS)) is None


def test_a_section_of_defaults_does_not_leak_into_others():
    assert reading.load_ini(file("[DEFAULT]\na = 1\n[b]\nc = 2\n")) == {"DEFAULT": {"a": "1"}, "b": {"c": "2"}}


def test_the_name_of_a_settings_file_tells_its_format():
    assert reading.load_settings(Result("/data/x.yaml", "file", text="mix: {a: 0.40}")) == {"mix.a": "0.40"}
    assert reading.load_settings(Result("/data/x.json", "file", text='{"mix": {"a": 0.40}}')) == {"mix.a": "0.40"}
    assert reading.load_settings(Result("/data/x.yaml", "missing")) is None
    assert reading.load_settings(Result("/data/x.yaml", "file", text="mix: [")) is None
