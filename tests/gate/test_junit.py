"""What is no PASS is never green in a CI system's test report."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml, TestSuite

from afagent.gate.outputs.junit import to_junit
from afagent.gate.verdict import Control, Outcome, Verdict

from . import examples


def read(verdict: Verdict) -> JUnitXml:
    return JUnitXml.fromstring(to_junit(verdict))


def shown(verdict: Verdict, suite: str) -> list[str]:
    """How each case of a suite is shown."""
    (found,) = [one for one in read(verdict) if isinstance(one, TestSuite) and one.name == suite]
    return [str(case.result[0]._tag) if case.result else "passed" for case in found]


def is_green(verdict: Verdict) -> bool:
    whole = read(verdict)
    return bool(whole.failures == whole.errors == 0)


@pytest.mark.parametrize(
    ("kind", "verdict", "decisions", "controls", "calibration"),
    [
        ("pass", "passed", ["passed"], "passed", "passed"),
        ("fail", "failure", ["failure", "passed"], "passed", "passed"),
        ("inconclusive", "error", ["error"], "passed", "skipped"),
        ("mismatch", "failure", ["passed"], "skipped", "passed"),
        ("waived", "passed", ["skipped"], "passed", "passed"),
    ],
)
def test_each_outcome_has_its_colour(kind: str, verdict: str, decisions: list[str], controls: str, calibration: str):
    example = examples.ALL[kind]
    assert shown(example, "verdict") == [verdict]
    assert shown(example, "decisions") == decisions
    assert shown(example, "controls") == [controls]
    assert shown(example, "calibration") == [calibration]


@pytest.mark.parametrize(("kind", "words"), list(product(examples.ALL, [None, examples.HOSTILE])))
def test_only_a_pass_is_green_and_the_counts_are_right(kind: str, words: str | None):
    verdict = examples.ALL[kind] if words is None else examples.hostile(kind, words)
    assert is_green(verdict) == (verdict.outcome == "PASS")
    whole = read(verdict)
    told = [whole.tests, whole.failures, whole.errors, whole.skipped]
    whole.update_statistics()
    assert told == [whole.tests, whole.failures, whole.errors, whole.skipped]


@settings(deadline=None)
@given(st.sampled_from(["FAIL", "INCONCLUSIVE", "MISMATCH"]), st.sampled_from(["pass", "waived"]))
def test_a_verdict_without_reasons_or_with_decisions_that_all_pass_is_no_greener(outcome: Outcome, kind: str):
    assert not is_green(examples.ALL[kind].model_copy(update={"outcome": outcome, "reasons": []}))


def test_a_waiver_is_named_where_it_holds():
    text = to_junit(examples.WAIVED).decode()
    assert 'message="FAIL, waived by A. Person until 2030-01-09 03:04 UTC: Known, ticket 12"' in text


@pytest.mark.parametrize(
    "changes",
    [
        {"waived": 1},
        {"waived": -1},
        {"outcome": "MISMATCH", "reasons": [examples.EDITED], "waived": 0},
    ],
)
def test_a_waiver_that_is_not_there_or_cannot_hold_makes_nothing_green(changes: dict[str, object]):
    decision = examples.decision("FAIL", examples.FAILED).model_copy(update=changes)
    assert not is_green(examples.WAIVED.model_copy(update={"decisions": [decision]}))


def test_a_waiver_that_was_not_used_makes_nothing_green():
    unused = examples.WAIVER.model_copy(update={"used": False})
    assert not is_green(examples.WAIVED.model_copy(update={"waivers": [unused]}))


def test_an_advisory_fail_is_seen_and_does_not_block():
    advisory = examples.decision("FAIL", examples.FAILED, tier="advisory")
    verdict = examples.PASS.model_copy(update={"decisions": [advisory]})
    assert is_green(verdict)
    assert shown(verdict, "decisions") == ["skipped"]


@pytest.mark.parametrize(
    "control",
    [Control(playbook="upload", episodes=1, agrees=False), Control(playbook="upload", episodes=0, agrees=True)],
)
def test_a_control_that_was_judged_otherwise_or_never_played_is_an_error(control: Control):
    assert shown(examples.PASS.model_copy(update={"controls": [control]}), "controls") == ["error"]


def test_reasons_about_controls_and_calibration_reach_their_suites():
    missing = examples.reason("INCONCLUSIVE", "controls_missing", "none were run")
    other = examples.reason("MISMATCH", "calibration_digest", "another file")
    verdict = examples.verdict("MISMATCH", reasons=[other, missing], controls=[], calibration=None)
    assert shown(verdict, "controls") == ["error"]
    assert shown(verdict, "calibration") == ["failure"]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_words_are_words_of_xml(words: str):
    hostile = examples.hostile("waived", words)
    plain = examples.hostile("waived", "words")
    assert is_green(hostile)
    assert [len(suite) for suite in read(hostile)] == [len(suite) for suite in read(plain)]
    assert not set(to_junit(hostile).decode()) & set("\x00\x1b\u202e\u2028\ufffe")
