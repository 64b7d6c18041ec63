"""The verdict in a terminal of 80 columns, whatever the words in it are."""

import io
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from afagent.gate.deciding.decide import Evidence, decide
from afagent.gate.outputs.terminal import show
from afagent.gate.verdict import Verdict

from . import build, examples

HIDDEN = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}


def printed(verdict: Verdict, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    show(verdict, console)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def assert_fits(text: str, width: int = 80) -> None:
    assert all(cell_len(line) <= width for line in text.split("\n"))
    assert all(character == "\n" or category(character) not in HIDDEN for character in text)


@pytest.mark.parametrize("kind", examples.ALL)
def test_the_outcome_comes_first_and_all_fits(kind: str):
    verdict = examples.ALL[kind]
    text = printed(verdict)
    assert text.startswith(verdict.outcome)
    assert verdict.reasons[0].code in text
    assert_fits(text)


def test_positives_stand_with_their_proof_and_waivers_with_their_names():
    text = " ".join(printed(examples.FAIL).split())
    assert text.count("received 100% of the weights") == 3
    assert "≥ 0.27%" in text
    waived = " ".join(printed(examples.WAIVED).split())
    assert "by A. Person until 2030-01-09 03:04 UTC: Known, ticket 12" in waived
    assert "FAIL, waived" in waived


def test_it_is_told_once_that_no_ledger_was_asked():
    wanted = build.policy()
    verdict = decide(wanted, Evidence(found=build.run(wanted)), build.MODEL)
    assert verdict.attempt is None
    assert printed(verdict).lower().count("ledger") == 1


@pytest.mark.parametrize("kind", examples.ALL)
def test_hostile_words_are_neither_markup_nor_controls(kind: str):
    text = printed(examples.hostile(kind))
    assert_fits(text)
    assert "[x](javascript" in " ".join(text.split())


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_words_fit(words: str):
    assert_fits(printed(examples.hostile("waived", words)))
