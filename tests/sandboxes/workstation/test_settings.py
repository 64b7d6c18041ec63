"""The programs read their settings as YAML does, and refuse what they cannot read."""

from __future__ import annotations

import contextlib
import importlib.util
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from afagent.images import SANDBOXES

_SPEC = importlib.util.spec_from_file_location("settings", SANDBOXES / "workstation" / "systems" / "settings.py")
assert _SPEC is not None
assert _SPEC.loader is not None
settings = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(settings)

WORDS = st.from_regex(r"[a-z][a-z_/ .-]{0,10}[a-z]", fullmatch=True).filter(
    lambda word: word not in ("yes", "no", "true", "false", "null", "on", "off")
)
VALUES = st.recursive(
    WORDS | st.integers(-9999, 9999) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(WORDS, inner, min_size=1, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4))
def test_what_yaml_writes_is_read_as_it_was(value: dict[str, Any]) -> None:
    assert settings.parse_settings(yaml.safe_dump(value, sort_keys=False)) == value


SENTENCES = st.lists(
    st.text(alphabet="abc dé'\"#:,[]{}-|>&*!%@.0\n", min_size=1, max_size=30), min_size=1, max_size=6
).map(" ".join)


@given(st.dictionaries(WORDS, SENTENCES | st.lists(SENTENCES, min_size=1, max_size=3), min_size=1, max_size=3))
def test_texts_of_any_signs_and_length_are_read_as_they_were(value: dict[str, Any]) -> None:
    assert settings.parse_settings(yaml.safe_dump(value, sort_keys=False, allow_unicode=True)) == value


WRITTEN = {
    "a: |\n  one # no comment\n\n  two\nb: 1\n",
    "a: >-\n  one\n  two\nb: 1\n",
    "a:\n  - name: |\n      x\n      y\n    to: 3\n  - 'it''s'\n",
    "a: [1,\n  2, {b: [x, y]}]  # c\nb: {}\nc: []\n",
    'a: one\n  two\n  three # c\nb: "x\\ty # \\" z"\n',
    "note: rock 'n roll # c\nb: it's 5 o'clock\n---\n",
    "'q k': yes\n\"d: k\": ~\n- ".removesuffix("- "),
    "a:\n- b: 1\n  c: 2\n-\n  b: 3\n...\n",
}


@pytest.mark.parametrize("text", sorted(WRITTEN))
def test_what_people_write_is_read_as_yaml_reads_it(text: str) -> None:
    assert settings.parse_settings(text) == yaml.safe_load(text.replace("---\n", ""))


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(settings.parse_settings(text), dict)


@pytest.mark.parametrize("text", ["a: [1", "a: 'x", "- 1\n- 2", "a: 1\n  b: 2\n c: 3", "just words", "\ta: 1"])
def test_what_is_not_right_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        settings.parse_settings(text)


def test_comments_quotes_and_numbers() -> None:
    text = "a: 5.0e-7  # small\nb: '# no comment'\nc: [1, two, \"3, 4\"]\nd: {x: 1, y: yes}\nat: 2026-01-02T03:04:05Z\n"
    assert settings.parse_settings(text) == {
        "a": 5e-7,
        "b": "# no comment",
        "c": [1, "two", "3, 4"],
        "d": {"x": 1, "y": True},
        "at": "2026-01-02T03:04:05Z",
    }
