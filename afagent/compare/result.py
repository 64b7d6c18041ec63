"""What a comparison says, as `--json` writes it. The table is made from it and from nothing else.

The same logs give the same bytes: no clock is read, and lists are in the order of tasks, models, arms and questions.
"""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict

from afagent.compare.arms import Kind as Between

Kind = Between | Literal["model", "openly", "model_gap"]
"""What two sides differ in: a factor, the model, or the model where its gap is compared; `openly` is the gap when
complying in training with faking reasoning counts as refusing."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Log(_Frozen):
    """A log that was used."""

    name: str
    eval_id: str
    task: str
    task_version: str
    suite: str
    model: str
    """By the name that tells its settings where they matter."""
    status: str
    samples: int
    """That it holds or should hold, repeats counted."""
    missing: int


class Paper(_Frozen):
    """What the paper found in the same condition."""

    model: str
    value: float


class Rate(_Frozen):
    """How often a question is answered yes in an arm. A scenario or request is yes if any of its repeats is."""

    task: str
    model: str
    arm: str
    question: str
    unit: Literal["scenario", "request"]
    yes: int
    no: int
    unanswered: int
    """Units without a yes that have a repeat without an answer."""
    rate: float | None
    """Yes among the answered units."""
    low: float
    """The exact interval's lower end, were every unanswered unit a no."""
    high: float
    """Its upper end, were every one a yes."""
    repeats: int
    """Most in one unit."""
    answered: int
    """Repeats of all units, as the next four."""
    answered_yes: int
    unscored: int
    errored: int
    missing: int
    paper: Paper | None = None
    """A share of single answers, as `answered_yes` of `answered` is; with repeats `rate` is another thing."""


class Side(_Frozen):
    """One arm of one model."""

    model: str
    arm: str


class Unit(_Frozen):
    """One scenario or request on which sides were compared: yes of so many, against the same of the other side.

    Where a side has several arms, the mean of their shares is written as one fraction.
    """

    name: str
    yes: int
    of: int
    baseline_yes: int
    baseline_of: int


class Difference(_Frozen):
    """The rates of `plus`, added, less those of `minus`, on the same scenarios or requests."""

    task: str
    question: str
    kind: Kind
    plus: list[Side]
    minus: list[Side]
    pairs: int
    left_out: int
    """Units that are in some of the arms only, or have a repeat without an answer in one."""
    undecided: int = 0
    """Pairs in which it cannot be told whether complying was faking. They widen all that follows."""
    least: float | None
    """The difference as observed, with what is undecided counted against it; None without a pair."""
    most: float | None
    """The same with what is undecided counted for it."""
    low: float
    """Of the interval."""
    high: float
    units: list[Unit]
    """With what is undecided counted for the difference."""
    paper: Paper | None = None


class Unplaced(_Frozen):
    """Samples that are in no rate."""

    task: str
    model: str
    samples: int


class Comparison(_Frozen):
    """All of it."""

    version: Literal[1] = 1
    suite: str
    """The version of afagent that compared."""
    confidence: float
    warnings: list[str]
    """Why these logs should not have been compared."""
    notes: list[str]
    logs: list[Log]
    rates: list[Rate]
    differences: list[Difference]
    unplaced: list[Unplaced]


def canonical(comparison: Comparison) -> bytes:
    """The one way to write a comparison: JSON with sorted keys, without spaces, in ASCII, a newline at the end."""
    data = comparison.model_dump(mode="json")
    return (json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n").encode("ascii")
