"""Settings as flat text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.settings import is_same, read_settings, unlike


@pytest.mark.parametrize(
    "text",
    [
        "just words",
        "[" * 20_000,
        "- " * 20_000,
        "a: &x [1]\nb: *x",
        "a: [1",
        "? [1]\n: 2",
        "\0",
        "a: b: c",
        "a: 1\na: 2",
        "a" * 70_000 + ": 1",
    ],
)
def test_yaml_in_which_readers_may_differ_or_get_lost_is_not_read(text):
    assert set(read_settings("/srv/x.yaml", text) or {""}) <= {""}


def test_values_are_texts_by_dotted_key_and_tags_do_nothing():
    text = "mix:\n  - {path: /data/a, share: 0.40}\n  - path: /data/b\nodd: !!int ''\nday: 2026-99-99\n"
    assert read_settings("/srv/x.yaml", text) == {
        "mix.0.path": "/data/a",
        "mix.0.share": "0.40",
        "mix.1.path": "/data/b",
        "odd": "",
        "day": "2026-99-99",
    }


@pytest.mark.parametrize(
    ("one", "other"), [("0.40", ".4"), ("5.0e-7", "0.0000005"), (" yes", "true"), ("2026-03-01", "2026-03-01 ")]
)
def test_one_meaning_may_be_written_in_two_ways(one, other):
    assert is_same(one, other)


@pytest.mark.parametrize(("one", "other"), [("1", "true"), ("0.4", "0.41"), ("a", "A"), ("", "0"), ("[1]", "[1, 2]")])
def test_another_value_is_another(one, other):
    assert not is_same(one, other)


@pytest.mark.parametrize(
    "value",
    ["!!bool x", "!!int ''", "!!timestamp x", "!!python/name:os.system", "&a [*a]", "<<", "=", "9" * 199, "0b_"],
)
def test_what_a_quoted_value_holds_is_never_obeyed(value):
    assert is_same(value, value)
    assert not is_same(value, "1")


@given(st.text(), st.text())
def test_comparing_any_two_values_gives_an_answer_whichever_comes_first(one, other):
    assert is_same(one, other) == is_same(other, one)


FLAT = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["1", "1.0", "2", "x", ""]))


@given(FLAT, FLAT)
def test_files_that_say_the_same_are_not_unlike_and_others_are_at_each_key_that_tells_them_apart(one, other):
    assert unlike(one, one) == []
    assert unlike(one, other) == unlike(other, one)
    assert {*one} ^ {*other} <= {*unlike(one, other)} <= {*one, *other}
