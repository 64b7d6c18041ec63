"""The calibration record of a judge: how often it was right about what is known, on one day, with one set of prompts.

It is the JSON that `afagent judge check --json FILE` writes. Who relies on a judge's verdicts can demand one:
`unfit` says why it may not be relied on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from afagent.corpus.record import Rate
from afagent.judge.judgement import Usage
from afagent.records import read_record
from afagent.statistics import Detector

Among = Literal["all", "easy", "hard"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Frozen):
    """One label against the rest, over the cases that the judge was asked about."""

    among: Among
    label: str
    sensitivity: Rate | None
    """Among cases that have the label; None when there are none."""
    specificity: Rate | None
    """Among cases that have another."""


class Agreement(_Frozen):
    """How often the judge's label is the true one, and by how much more often than by chance."""

    among: Among
    raw: Rate
    kappa: float | None
    """Cohen's (1960), over cases that got a label; None where chance alone would agree on all, or there are none."""
    low: float | None
    """Bounds of it: the exact ones of raw agreement over the same cases, taken from the same agreement by chance."""
    high: float | None


class Miss(_Frozen):
    """A case in which the judge's label was not the true one."""

    case: str
    hard: bool
    true: str
    said: str | None
    """None: cannot tell."""
    why: str
    """The judge's reasons, or why it has no label."""


class Settled(_Frozen):
    """A case that was settled without the judge, and says nothing of it."""

    case: str
    true: str
    said: str | None
    why: str


class Checked(_Frozen):
    """One question."""

    question: str
    prompts: str
    """SHA-256 of the question's prompt files."""
    cases: str
    """SHA-256 of the file of its cases."""
    votes: int
    threshold: int
    asked: int
    """Cases that the judge was asked about."""
    unscored: int
    """Those of them that got no label."""
    rows: list[Row]
    agreement: list[Agreement]
    misses: list[Miss]
    settled: list[Settled]
    usage: Usage


class JudgeRecord(_Frozen):
    """The whole of it."""

    kind: Literal["judge"] = "judge"
    version: Literal[1] = 1
    """Of this format."""
    when: AwareDatetime
    suite: str
    """The version of afagent."""
    model: str
    """The judge, as `provider/name`."""
    whole: bool
    """Whether every question was checked on all its cases, and every case that was asked got a label."""
    questions: list[Checked]
    usage: Usage

    def of(self, question: str) -> Checked | None:
        """What it holds of a question; None if that was not checked."""
        return next((one for one in self.questions if one.question == question), None)


@dataclass(frozen=True)
class Loaded:
    """A record, and the digest of the file that it was read from."""

    record: JudgeRecord
    digest: str


@dataclass(frozen=True)
class Unfit:
    """Why a record may not be relied on."""

    code: Literal["calibration_missing", "calibration_digest", "calibration_stale", "calibration_unfit"]
    text: str


@dataclass(frozen=True)
class Relied:
    """What is relied on: verdicts of one judge on one question, as their scores tell of it."""

    question: str
    model: str
    prompts: str
    votes: int
    threshold: int


def load(path: Path) -> Loaded | None:
    """The record of a file; None if there is no such file.

    Raises:
        UsageError: the file is no record of a judge.
    """
    found = read_record(path, JudgeRecord, "record of a judge", "the judge's record")
    return None if found is None else Loaded(*found)


def row_of(record: JudgeRecord | None, question: str) -> Row | None:
    """How the judge told yes from the rest, over all cases of a question that it was asked about; None: not known."""
    checked = record.of(question) if record else None
    rows = checked.rows if checked else []
    return next((row for row in rows if (row.among, row.label) == ("all", "yes")), None)


def detector_of(record: JudgeRecord | None, question: str) -> Detector:
    """The same as a detector: what the judge could not tell is no hit. Of one that is not known, anything may be so."""
    row = row_of(record, question)
    if row is None or row.sensitivity is None or row.specificity is None:
        return Detector(hits=0, positives=0, alarms=0, negatives=0)
    return Detector(
        hits=row.sensitivity.right,
        positives=row.sensitivity.of,
        alarms=row.specificity.wrong,
        negatives=row.specificity.of,
    )


def unfit(
    loaded: Loaded | None,
    relied: Relied,
    *,
    used: datetime,
    max_age: timedelta,
    digest: str | None = None,
    cases: Mapping[str, str] | None = None,
) -> list[Unfit]:
    """Why a record may not be relied on; nothing if it may.

    Args:
        loaded: the record that was found.
        relied: what is relied on.
        used: when the judge was last used.
        max_age: how old the record may then be.
        digest: the record that is named, as `sha256:...`; None for any.
        cases: the digests of the labelled cases by question that are demanded; None for any.
    """
    if loaded is None:
        return [Unfit("calibration_missing", "there is no record of the judge")]
    if digest is not None and loaded.digest != digest:
        return [Unfit("calibration_digest", f"the judge's record is not the one that is named: {loaded.digest}")]
    record, found = loaded.record, []
    age = used - record.when
    if age > max_age:
        found.append(Unfit("calibration_stale", f"the judge's record was {age.total_seconds() / 86400:.1f} days old"))
    if age < timedelta(0):
        found.append(Unfit("calibration_stale", "the judge's record was made after the judge was used"))
    if record.model != relied.model:
        found.append(Unfit("calibration_unfit", f"the judge was {relied.model}, the record is of {record.model}"))
    checked = record.of(relied.question)
    if checked is None:
        return [*found, Unfit("calibration_unfit", f"the judge's record does not cover {relied.question}")]
    return [*found, *(Unfit("calibration_unfit", text) for text in _differences(checked, relied, cases))]


def _differences(checked: Checked, relied: Relied, cases: Mapping[str, str] | None) -> list[str]:
    """How what was checked differs from what is relied on."""
    found = []
    if checked.prompts != relied.prompts:
        found.append(f"the judge's record is of other prompts for {relied.question}")
    if (checked.votes, checked.threshold) != (relied.votes, relied.threshold):
        found.append(f"the judge's record is of {checked.threshold} of {checked.votes} votes for {relied.question}")
    if cases is not None and cases.get(relied.question) != checked.cases:
        found.append(f"the judge's record is of other labelled cases of {relied.question}")
    if checked.unscored:
        found.append(f"{checked.unscored} of the {checked.asked} cases of {relied.question} got no label")
    if not checked.asked:
        found.append(f"the judge was asked about no case of {relied.question}")
    return found
