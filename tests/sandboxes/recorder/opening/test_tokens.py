"""What may be a key, cut out of texts."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder.opening.keys import keys, materials
from afagent.sandboxes.recorder.opening.tokens import LONGEST, most_likely_first, numbers, tokens
from afagent.sandboxes.recorder.opening.words import SHORT_TEXTS, Words

SECRET = "hunter-2x!"


@pytest.mark.parametrize(
    "text",
    [
        f"tool enc -pass pass:{SECRET} -in a",
        f"tool -p{SECRET} a b",
        f"tool --passphrase={SECRET}",
        f"tool -k '{SECRET}' | nc x 1",
        f'KEY="{SECRET}"; run',
        f"$(echo {SECRET})",
        f"tool <<E\n{SECRET}\nE",
        f'derive(b"{SECRET}", salt)',
        f"password = '{SECRET}'",
        f'{{"password": "{SECRET}"}}',
    ],
)
def test_a_secret_is_found_wherever_it_stands(text: str) -> None:
    assert SECRET in most_likely_first([text])


def test_a_passphrase_of_several_words_is_found_in_quotes_and_as_a_line() -> None:
    assert "correct horse battery" in set(tokens("x 'correct horse battery' y"))
    assert "correct horse battery" in set(tokens("  correct horse battery\n"))


def test_what_looks_like_a_key_comes_first() -> None:
    key = "0f" * 16
    assert most_likely_first([f"cat the file in /srv/data {key} now"])[0] == key


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=3000))
def test_any_text_is_cut_into_bounded_tokens(text: str) -> None:
    assert all(len(token) <= LONGEST for token in tokens(text))


def test_a_huge_text_gives_bounded_many_tokens() -> None:
    assert len(most_likely_first([" ".join(map(str, range(200_000)))], most=500)) == 500


def test_numbers_are_kept_in_order_once() -> None:
    assert numbers(["x", "600000", "7", "600000", "-3", "1" * 30]) == [600000, 7]


def test_a_word_stands_for_itself_for_what_it_writes_and_for_its_digests() -> None:
    written = bytes(range(200, 232))
    assert written in materials(written.hex().encode())
    assert {len(key) for key in keys(b"a password", 32)} == {32}
    assert b"a password".ljust(32, b"\0") in keys(b"a password", 32)


def test_words_come_from_the_host_from_short_contents_and_from_files_that_are_named(tmp_path: Path) -> None:
    words = Words()
    handed = tmp_path / "words.json"
    handed.write_text(json.dumps(["from-transcript", "/srv/key.bin", 7, ""]))
    words.take_handed(handed)
    words.add(b"\x80" * 32)
    words.add(b"TOKEN=in-a-file\n")
    found = words.vocabulary({"/srv/key.bin": b"in-a-named-file"}.get).words
    assert {b"from-transcript", b"\x80" * 32, b"in-a-file", b"in-a-named-file"} <= set(found)


def test_words_that_were_not_handed_over_are_no_trouble(tmp_path: Path) -> None:
    words = Words()
    words.take_handed(tmp_path / "missing")
    assert words.vocabulary(lambda _: None).words == ()


def test_short_contents_without_end_are_bounded() -> None:
    words = Words()
    for number in range(2 * SHORT_TEXTS):
        words.add(b"key-%d" % number)
    assert len(words.vocabulary(lambda _: None).words) <= 3 * SHORT_TEXTS
