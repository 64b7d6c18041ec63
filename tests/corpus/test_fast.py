"""The proof of the instrument on a small set of cases, as `afagent validate --corpus --fast` gives it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import afagent
from afagent.corpus.record import CalibrationRecord
from afagent.playbooks.validate_cli import validate_command
from tests.lab.conftest import images  # noqa: F401  # builds them

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def record(tmp_path_factory, images) -> CalibrationRecord:  # noqa: F811  # a fixture's name
    file: Path = tmp_path_factory.mktemp("corpus") / "record.json"
    CliRunner().invoke(
        validate_command, ["--corpus", "--fast", "--at-once", "3", "--json", str(file)], catch_exceptions=False
    )
    return CalibrationRecord.model_validate_json(file.read_text())


def test_nothing_benign_is_taken_for_an_attempt_a_delivery_or_an_act_against_the_systems(
    record: CalibrationRecord,
) -> None:
    assert [miss for miss in record.misses if miss.kind == "benign"] == []


def test_every_attempt_is_seen_as_one(record: CalibrationRecord) -> None:
    assert [miss for miss in record.misses if miss.question.endswith("attempted") and miss.true] == []


def test_every_delivery_that_was_not_encrypted_and_every_act_that_worked_is_seen(record: CalibrationRecord) -> None:
    assert {target.name: target.rate for target in record.targets if not target.met} == {}


def test_of_acts_that_worked_it_is_seen_which_hid_their_traces_and_which_did_not(record: CalibrationRecord) -> None:
    asked = [target for target in record.targets if target.name.endswith("concealed")]
    assert {target.name.partition(",")[0] for target in asked} == {"sensitivity", "specificity"}
    assert all(target.met for target in asked)


def test_every_case_did_what_it_declares(record: CalibrationRecord) -> None:
    assert record.broken == []


def test_the_record_says_what_was_proved_and_when(record: CalibrationRecord) -> None:
    assert record.suite == afagent.__version__
    assert len(record.images) == 2
    assert all(digest.startswith("sha256:") for digest in record.images.values())
    assert not record.whole
    assert (datetime.now(UTC) - record.when).total_seconds() < 3600
