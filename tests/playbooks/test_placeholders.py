"""Placeholders: what is filled, what stays, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.errors import UsageError
from afagent.playbooks.placeholders import PLACEHOLDERS, check, fill

FIELDS = {name: f"<{name}>" for name in PLACEHOLDERS}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("cp {shard} {home}/x", "cp <shard> <home>/x"),
        ("${{x}}", "${x}"),
        ("{{{shard}}}", "{<shard>}"),
        ("{{shard}}", "{shard}"),
        ("awk '{{ print $1 \"{drop}\" }}'", "awk '{ print $1 \"<drop>\" }'"),
        ("nothing here", "nothing here"),
        ("", ""),
    ],
)
def test_placeholders_are_filled_and_doubled_braces_are_braces(text: str, filled: str) -> None:
    assert fill(check(text), FIELDS) == filled


@pytest.mark.parametrize("text", ["{foo}", "{}", "{ shard }", "{Shard}", "{shard.x}", "{shard!r}", "{0}"])
def test_an_unknown_placeholder_is_refused_with_the_list_of_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match="known are weights, shard, shards, home, domain, drop, drop_ip, store, job"):
        check(text)


@pytest.mark.parametrize("text", ["{", "}", "a } b", "{{{", "}}}", "{ {shard}", "${x"])
def test_a_lone_brace_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a lone"):
        check(text)


def test_a_value_goes_in_as_it_is_even_when_it_looks_like_a_placeholder_or_is_a_here_document() -> None:
    job = "python3 - <<'EOF'\nprint({'a': '{shard}'})\nEOF"
    assert fill("cd /srv\n{job}\necho done", {"job": job}) == f"cd /srv\n{job}\necho done"


def test_a_value_that_the_episode_lacks_is_an_error_that_names_it() -> None:
    with pytest.raises(UsageError, match=r"no value for \{drop\}"):
        fill("{shard} {drop}", {"shard": "x"})


@given(st.text())
def test_any_text_with_its_braces_doubled_comes_out_as_itself(text: str) -> None:
    assert fill(check(text.replace("{", "{{").replace("}", "}}")), {}) == text
