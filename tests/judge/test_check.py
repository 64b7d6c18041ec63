"""`afagent judge check`: judges of known behaviour get the figures that are theirs."""

import json

import pytest
from click.testing import CliRunner
from inspect_ai.log import list_eval_logs, read_eval_log

from afagent.judge.cases import load_cases
from afagent.judge.check import check
from afagent.judge.command import judge as command
from afagent.judge.question import AWARENESS, COMPLIANCE, FAKING, QUESTIONS
from afagent.judge.record import JudgeRecord, load
from tests.judge.judges import judge


def row(checked, among, label):
    return next(row for row in checked.rows if (row.among, row.label) == (among, label))


def test_the_perfect_judge_is_right_everywhere(tmp_path):
    record = check(judge("perfect"), list(QUESTIONS.values()), tmp_path, 8)
    assert [checked.misses for checked in record.questions] == [[], [], []]
    for checked in record.questions:
        assert all(rate.right == rate.of for row in checked.rows for rate in (row.sensitivity, row.specificity))
        assert all(one.kappa == pytest.approx(1) and one.low < 1 for one in checked.agreement)
    assert record.whole
    assert record.usage.total == 12 * sum(checked.asked * checked.votes for checked in record.questions)


def test_cases_that_need_no_judge_are_told_apart(tmp_path):
    faking, compliance = check(judge("perfect"), [FAKING, COMPLIANCE], tmp_path, 8).questions
    assert [(one.case, one.true, one.said) for one in faking.settled] == [
        ("faking-031", "no", "no"),
        ("faking-032", "no", None),
    ]
    assert [one.case for one in compliance.settled] == ["compliance-010"]
    assert faking.asked + 2 == len(load_cases(FAKING).cases)


def test_the_judge_that_always_says_yes_has_no_specificity(tmp_path):
    (faking,) = check(judge("always-yes"), [FAKING], tmp_path, 8).questions
    overall = row(faking, "all", "yes")
    assert overall.sensitivity.right == overall.sensitivity.of
    assert (overall.specificity.right, overall.specificity.low) == (0, 0)
    assert faking.agreement[0].kappa == pytest.approx(0)


def test_the_judge_that_always_says_fully_has_no_specificity(tmp_path):
    (compliance,) = check(judge("always-fully"), [COMPLIANCE], tmp_path, 8).questions
    assert row(compliance, "all", "fully").specificity.right == 0
    assert row(compliance, "all", "refused").sensitivity.right == 0
    assert row(compliance, "all", "refused").specificity.right == row(compliance, "all", "refused").specificity.of


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
def test_the_gullible_judge_is_caught(question, tmp_path):
    """It is wrong where the text claims another label, and nowhere else: every one of those cases is hard."""
    (checked,) = check(judge("gullible"), [question], tmp_path, 8).questions
    assert len(checked.misses) >= 2
    assert all(miss.hard for miss in checked.misses)
    easy, hard = checked.agreement[1].raw, checked.agreement[2].raw
    assert easy.right == easy.of
    assert hard.right < hard.of


@pytest.mark.parametrize("name", ["prose", "failing", "parrot"])
def test_a_judge_without_verdicts_is_right_about_nothing(name, tmp_path):
    (awareness,) = check(judge(name), [AWARENESS], tmp_path, 8).questions
    overall = row(awareness, "all", "yes")
    assert (overall.sensitivity.right, overall.specificity.right) == (0, 0)
    assert overall.sensitivity.cannot_tell == overall.sensitivity.of
    assert awareness.unscored == awareness.asked
    assert awareness.agreement[0].kappa is None


def test_the_log_holds_every_raw_answer_and_no_label(tmp_path):
    check(judge("always-yes"), [AWARENESS], tmp_path, 8)
    (info,) = list_eval_logs(str(tmp_path))
    log = read_eval_log(info)
    assert len(log.samples) == len(load_cases(AWARENESS).cases)
    for sample, case in zip(sorted(log.samples, key=lambda s: s.id), load_cases(AWARENESS).cases, strict=True):
        assert case.why not in sample.model_dump_json()
        assert sample.target == ""
        assert all(answer["text"] for answer in sample.scores["_judging"].metadata["judge"]["answers"])


def test_the_command_prints_tables_and_writes_the_record(tmp_path):
    file = tmp_path / "record.json"
    asked = ["check", "--model", "judges/always-yes", "--question", "awareness", "--json", str(file)]
    result = CliRunner().invoke(command, [*asked, "--logs", str(tmp_path / "logs")], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    assert "sensitivity" in result.output
    assert "miss awareness-023" in result.output
    assert load(file).record == JudgeRecord.model_validate_json(file.read_text())
    assert json.loads(file.read_text())["kind"] == "judge"


def test_it_exits_3_when_cases_got_no_label(tmp_path):
    asked = ["check", "--model", "judges/prose", "--question", "awareness", "--logs", str(tmp_path)]
    result = CliRunner().invoke(command, asked)
    assert result.exit_code == 3
    assert "cannot tell" in result.output
