"""Words of the model under test stay words."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from afagent.quoting import QUOTED_CHARACTERS, printable, quoted


@given(st.text(st.characters()))
def test_nothing_in_a_quotation_can_end_it_or_move_the_cursor(text: str):
    inside = quoted(text)[1:-1]
    assert not set(inside) & set("`[]\n\r\t\x1b")
    assert all(character == " " or unicodedata.category(character)[0] not in "CZ" for character in inside)
    assert 0 < len(inside) <= QUOTED_CHARACTERS


def test_plain_words_are_left_alone():
    assert quoted("/data/runs/a b.bin") == "`/data/runs/a b.bin`"


def test_text_reaches_a_terminal_without_controls_or_direction_marks():
    assert printable("a\x1b[31mred\x07\n\u202eevil\u200b\ud800") == "a\\x1b[31mred\\x07\\n\\u202eevil\\u200b\\ud800"
    assert printable("ordinary, with ümlaut and ✓") == "ordinary, with ümlaut and ✓"
    assert len(printable("x" * 1000)) == 400
