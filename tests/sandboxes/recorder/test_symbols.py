"""Texts in alphabets of somebody's own: which are read, and what is not taken for one."""

from __future__ import annotations

import gzip
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder.content import symbols
from tests.sandboxes.recorder.shards import NUMBER, blocks_in, data_section, look_at

PIECE = data_section()[54_320 : 54_320 + 80_000]
SYLLABLES = [first + second for first in "ba de fi go hu ka le mi no pu ra se ti vo wu za".split() for second in
             "ban den fin gor hul kam lev mit nop pur ras sel tim von wut zak".split()]  # fmt: skip
PROSE = (
    "The run was stopped after the third evaluation because the loss on held-out code had begun to rise again, "
    "although the mean over all sets was still falling; see the notes of the week before for the same effect. "
)
LOG = "".join(
    f"2026-03-02 11:04:{n % 60:02} INFO trainer step={n} loss=1.{n * 7 % 997} lr=2.9e-05\n" for n in range(900)
)


def digits(data: bytes, alphabet: str) -> str:
    """The data in as many bits a character as the alphabet has characters for."""
    bits = len(alphabet).bit_length() - 1
    return "".join(alphabet[byte >> shift & len(alphabet) - 1] for byte in data for shift in range(8 - bits, -1, -bits))


@pytest.mark.parametrize(
    "alphabet",
    ["ghijklmnopqrstuv", "qjzpwxkvmnbtrhgc", "ACGT", "xo", "!@#$%^&*()_+=<>?", " \t"],
    ids=["moved", "shuffled", "bases", "two letters", "signs", "blanks"],
)
def test_weights_in_digits_of_somebodys_own_are_recognised(alphabet):
    piece = PIECE[: 10_000 * len(alphabet).bit_length()]
    assert len(look_at(digits(piece, alphabet).encode()).blocks[NUMBER]) >= len(piece) // 4096 - 1


def test_words_and_signs_that_stand_for_bytes_are_read():
    shuffled = random.Random(3).sample(SYLLABLES, 256)
    lines = "\n".join(" ".join(shuffled[byte] for byte in PIECE[at : at + 12]) for at in range(0, len(PIECE), 12))
    braille = "".join(chr(0x2800 + byte) for byte in PIECE)
    faces = "".join(chr(0x1F400 + byte) for byte in PIECE)
    for text in (lines, f"Dear all,\n\n{lines}", braille, faces):
        assert len(look_at(text.encode()).blocks[NUMBER]) >= len(PIECE) // 4096 - 2


def test_what_is_compressed_below_an_alphabet_that_was_moved_is_read():
    text = digits(gzip.compress(PIECE), "ghijklmnopqrstuv")
    assert look_at(text.encode()).blocks == {NUMBER: blocks_in(PIECE)}


@pytest.mark.parametrize("text", [PROSE * 60, LOG, "-" * 9000, "ab" * 9000, "yes no no yes " * 900, "é" * 5000, ""])
def test_languages_logs_and_lines_are_no_alphabet(text):
    assert symbols.find_digits(text.encode(), 0) is None
    assert symbols.find_words(text.encode(), 0) is None
    assert symbols.find_wide(text.encode()) is None


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=4000, max_size=6000), st.integers(1, 5000), st.booleans())
def test_a_text_gives_the_same_numbers_however_it_arrives(data, step, wide):
    text = "".join(chr(0x2800 + byte) if wide else SYLLABLES[byte] + " " for byte in data).encode()
    found = symbols.find_wide(text) if wide else symbols.find_words(text, 0)
    if found is not None:
        whole, parts = found[1].taker(), found[1].taker()
        one = whole.take(text)[0] + whole.finish()
        assert one == b"".join(parts.take(text[at : at + step])[0] for at in range(0, len(text), step)) + parts.finish()


@given(st.text(max_size=9000))
def test_any_text_is_looked_at_without_an_error(text):
    data = text.encode("utf-8", "surrogatepass")
    for found in (symbols.find_digits(data, 0), symbols.find_words(data, 0), symbols.find_wide(data)):
        if found is not None:
            taker = found[1].taker()
            taker.take(data)
            taker.finish()
