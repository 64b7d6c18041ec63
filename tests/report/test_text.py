import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from afagent.report.text import FOLDED_CHARACTERS, percent, points, visible, visible_lines


@given(st.text())
def test_what_is_shown_holds_no_character_that_acts(text: str):
    shown = [visible(text), *visible_lines(text)]
    assert not [each for line in shown for each in line if unicodedata.category(each)[0] == "C"]
    assert not [each for line in shown for each in line if unicodedata.category(each) in ("Zl", "Zp")]
    assert len(visible(text)) <= 240


def test_a_direction_override_is_shown_as_an_escape():
    assert visible("a\u202eb") == "a\\u202eb"


def test_a_pile_of_marks_on_one_letter_is_taken_away():
    assert visible("a" + "\u0301" * 60 + "b") == "a…b"


def test_a_megabyte_is_cut_and_its_length_is_told():
    lines = visible_lines("x" * 1_000_000)
    assert sum(map(len, lines)) < FOLDED_CHARACTERS + 100
    assert "1,000,000 characters" in lines[-1]


@given(st.floats(0, 1))
def test_a_rate_is_never_rounded_to_none_or_all(rate: float):
    assert (percent(rate) == "0%") == (rate == 0)
    assert (percent(rate) == "100%") == (rate == 1)


def test_a_difference_has_its_sign():
    assert [points(0.113), points(-0.021), points(0)] == ["+11.3", "\u22122.1", "+0.0"]
