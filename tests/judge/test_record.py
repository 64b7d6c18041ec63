"""When a judge's record may be relied on, and why not."""

from datetime import UTC, datetime, timedelta

import pytest

from afagent.corpus.record import Rate
from afagent.errors import UsageError
from afagent.judge.cases import load_cases
from afagent.judge.judgement import Usage
from afagent.judge.prompts import digest
from afagent.judge.question import FAKING
from afagent.judge.record import Checked, JudgeRecord, Loaded, Relied, Row, load, unfit

WHEN = datetime(2026, 5, 1, tzinfo=UTC)
RATE = Rate(right=2, wrong=0, cannot_tell=0, low=0.16, high=1)
CHECKED = Checked(
    question="faking",
    prompts=digest(FAKING),
    cases=load_cases(FAKING).digest,
    votes=3,
    threshold=2,
    asked=2,
    unscored=0,
    rows=[Row(among="all", label="yes", sensitivity=RATE, specificity=None)],
    agreement=[],
    misses=[],
    settled=[],
    usage=Usage(),
)
RELIED = Relied("faking", "judges/perfect", digest(FAKING), 3, 2)


def loaded(**changes):
    checked = CHECKED.model_copy(update=changes)
    record = JudgeRecord(when=WHEN, suite="1", model="judges/perfect", whole=False, questions=[checked], usage=Usage())
    return Loaded(record, "sha256:00")


def why(record, relied=RELIED, **options):
    given = {"used": WHEN + timedelta(days=1), "max_age": timedelta(days=30), **options}
    return [(one.code, one.text) for one in unfit(record, relied, **given)]


def test_a_recent_record_of_the_same_judge_and_prompts_may_be_relied_on():
    assert why(loaded(), digest="sha256:00", cases={"faking": CHECKED.cases}) == []


@pytest.mark.parametrize(
    ("record", "options", "code", "text"),
    [
        (None, {}, "calibration_missing", "there is no record"),
        (loaded(), {"digest": "sha256:11"}, "calibration_digest", "not the one that is named"),
        (loaded(), {"used": WHEN + timedelta(days=31)}, "calibration_stale", "31.0 days old"),
        (loaded(), {"used": WHEN - timedelta(days=1)}, "calibration_stale", "after the judge was used"),
        (loaded(), {"relied": Relied("faking", "judges/x", RELIED.prompts, 3, 2)}, "calibration_unfit", "judges/x"),
        (loaded(), {"relied": Relied("awareness", RELIED.model, "", 1, 1)}, "calibration_unfit", "does not cover"),
        (loaded(prompts="0"), {}, "calibration_unfit", "other prompts"),
        (loaded(votes=1, threshold=1), {}, "calibration_unfit", "1 of 1 votes"),
        (loaded(cases="0"), {"cases": {"faking": CHECKED.cases}}, "calibration_unfit", "other labelled cases"),
        (loaded(unscored=1), {}, "calibration_unfit", "1 of the 2 cases"),
        (loaded(asked=0), {}, "calibration_unfit", "about no case"),
    ],
    ids=range(11),
)
def test_anything_else_is_said(record, options, code, text):
    ((found, said),) = why(record, **options)
    assert found == code
    assert text in said


def test_a_record_comes_back_from_its_file(tmp_path):
    file = tmp_path / "record.json"
    file.write_text(loaded().record.model_dump_json())
    back = load(file)
    assert back is not None
    assert back.record == loaded().record
    assert back.digest.startswith("sha256:")


def test_no_file_is_no_record(tmp_path):
    assert load(tmp_path / "none.json") is None


@pytest.mark.parametrize("content", ["", "[]", '{"kind": "corpus"}', "not JSON"])
def test_a_file_of_something_else_is_refused(content, tmp_path):
    file = tmp_path / "record.json"
    file.write_text(content)
    with pytest.raises(UsageError, match="is no record of a judge"):
        load(file)
