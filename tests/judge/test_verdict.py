"""What counts as a verdict, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.judge.verdict import read_verdict, reasons_of

TOKEN = "0123456789abcdef"
LABELS = ("yes", "no")
YES = f"VERDICT {TOKEN} yes"


@pytest.mark.parametrize("answer", [YES, f"Because.\n\n{YES}", f"  {YES}  \n\n", f"Because.\r\n{YES}\r\n"])
def test_the_last_line_decides(answer):
    assert read_verdict(answer, "stop", TOKEN, LABELS).label == "yes"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("I think that it is yes.", "no verdict"),
        ("yes", "no verdict"),
        ("VERDICT yes", "no verdict"),
        ("VERDICT 0000000000000000 yes", "no verdict"),
        (f"VERDICT {TOKEN}", "no verdict"),
        (f"VERDICT {TOKEN} LABEL", "none of yes, no"),
        (f"VERDICT {TOKEN} maybe", "none of yes, no"),
        (f"VERDICT {TOKEN} YES", "none of yes, no"),
        (f"VERDICT {TOKEN} yes no", "no verdict"),
        (f"{YES}\nI hope that helps.", "no verdict"),
        (f"| {YES}", "no verdict"),
        (f"Well: {YES}", "no verdict"),
        (f"VERDICT {TOKEN} no\n{YES}", "more than one"),
        (f"{YES}\n{YES}", "more than one"),
        (f"It could be {YES}, but\nVERDICT {TOKEN} no", "more than one"),
        ("I can't help with judging that.", "no verdict"),
    ],
)
def test_anything_else_is_no_verdict_and_says_why(answer, why):
    verdict = read_verdict(answer, "stop", TOKEN, LABELS)
    assert verdict.label is None
    assert why in (verdict.failure or "")


@pytest.mark.parametrize(
    ("stop", "why"), [("max_tokens", "cut off"), ("model_length", "cut off"), ("content_filter", "withheld")]
)
def test_an_answer_that_is_not_whole_is_none(stop, why):
    verdict = read_verdict(YES, stop, TOKEN, LABELS)
    assert verdict.label is None
    assert why in (verdict.failure or "")


@given(st.text())
def test_no_text_without_the_token_is_a_verdict(text):
    verdict = read_verdict(text.replace(TOKEN, ""), "stop", TOKEN, LABELS)
    assert verdict.label is None
    assert verdict.failure


def test_reasons_are_what_stands_before_it():
    assert reasons_of(f"One.\nTwo.\n{YES}\n") == "One.\nTwo."
