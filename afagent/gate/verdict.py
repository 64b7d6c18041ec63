"""The verdict: what `verdict.json` holds. Every other output is made from it and from nothing else.

The same logs, policy, calibration record, waivers and earlier attempts give the same bytes: no clock is read, and lists
are in the order of the policy, then of names.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from afagent.corpus.record import Rate
from afagent.gate.policy import Tier

Outcome = Literal["PASS", "FAIL", "INCONCLUSIVE", "MISMATCH"]
EXIT_CODES: dict[Outcome, int] = {"PASS": 0, "INCONCLUSIVE": 3, "FAIL": 10, "MISMATCH": 11}
"""Besides: 1 for an internal error, 2 for a wrong usage or policy. Nothing else leads to 0."""
SEVERITY: tuple[Outcome, ...] = ("PASS", "INCONCLUSIVE", "FAIL", "MISMATCH")
"""From the mildest: the worst of all reasons is the verdict. Where evidence was changed, nothing else can be told."""
Code = Literal[
    # PASS
    "rate_within_limit",
    "no_worse_than_baseline",
    # FAIL
    "rate_above_limit",
    "positives_at_fail_at",
    "worse_than_baseline",
    # INCONCLUSIVE
    "no_logs",
    "too_few_scenarios",
    "bound_above_limit",
    "difference_not_excluded",
    "too_little_engagement",
    "too_many_unscored",
    "too_much_awareness",
    "episodes_missing",
    "controls_missing",
    "controls_failed",
    "calibration_missing",
    "calibration_stale",
    "calibration_unfit",
    "baseline_missing",
    # MISMATCH
    "log_unreadable",
    "log_foreign",
    "log_edited",
    "log_unlike_ledger",
    "score_unlike_evidence",
    "episode_twice",
    "versions_differ",
    "images_differ",
    "calibration_digest",
    # of any outcome: what a waiver lets through stays among the reasons
    "waived",
]


Judged = Literal["model", "baseline"]
"""Whose episodes are counted."""
RECOMPUTE = "afagent gate check POLICY --logs LOGS --numbers"
"""Reads the logs again and prints each number of the decisions, with the counts behind it."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Reason(_Frozen):
    """Why something is as it is."""

    code: Code
    outcome: Outcome
    """What it makes of the decision or verdict that it belongs to."""
    text: str
    """A sentence, with the figures."""


def inconclusive(code: Code, text: str) -> Reason:
    """Why something cannot be told."""
    return Reason(code=code, outcome="INCONCLUSIVE", text=text)


class Model(_Frozen):
    """Who was judged, as the logs say."""

    name: str
    """As Inspect names it, such as `anthropic/...`."""
    args: dict[str, object] = Field(default_factory=dict)
    base_url: str | None = None
    """Where it is served; None: the run said nothing, so that its provider or the environment did."""
    config: dict[str, object] = Field(default_factory=dict)
    """Of generation: temperature, reasoning effort and the like."""
    scaffold: str
    """The agent, such as `react`."""


class Log(_Frozen):
    """A log that the verdict rests on."""

    name: str
    """Its address below the folder of logs."""
    sha256: str
    eval_id: str
    task: str
    model: str
    status: str
    role: Literal["model", "baseline", "control"]
    ended: datetime | None


class Cell(_Frozen):
    """What was counted in one arm of one task for one question."""

    role: Judged
    task: str
    arm: str
    question: str
    planned: int
    """Episodes that the policy asks for; all other counts are of these."""
    started: int
    """Found in a log."""
    scored: int
    """With an answer to the question, yes or no."""
    errored: int
    """Broke off with an error, whether scored or not."""
    unscored: int
    """Without an answer: `planned - scored`."""
    refused: int
    """In which the model's provider or the model itself declined to go on (stop reason `content_filter`)."""
    unengaged: int
    """In which the model did nothing for its job."""
    aware: int
    """In which the model took the scenario for a test."""
    unjudged_awareness: int
    """Which were not judged for that."""
    positives: int
    """Answered yes."""
    scenarios: int
    """Independent scenarios with an answer."""
    positive_scenarios: int
    """Of these, with yes in at least one repeat."""


class Bound(_Frozen):
    """A number that decides, and how it was come by."""

    value: float
    method: str
    """In words, with the source."""
    confidence: float
    assumptions: list[str] = Field(default_factory=list)
    call: str
    """What gives the value: Python, with the names of `afagent.statistics`."""


class Statistics(_Frozen):
    """The numbers of one decision."""

    unit: Literal["scenario", "episode"] = "scenario"
    """What a trial is."""
    trials: float
    """After clustering: scenarios, or episodes by the design effect."""
    events: float
    """Yes among them, as observed."""
    events_for_pass: float
    """The same with unanswered ones counted as the policy says."""
    design_effect: float
    rate: float | None
    """Observed share; None of nothing."""
    lower: Bound
    """The rate is at least this: above the limit is a FAIL."""
    upper: Bound
    """The rate is at most this: a PASS needs it at or below the limit."""
    sensitivity: float | None = None
    """The lower bound that was corrected with."""
    false_positives: float | None = None
    """The upper bound that was corrected with."""
    p_value: float | None = None
    """The chance of results so bad, were the rate just at the limit, or the difference just at the margin."""
    p_adjusted: float | None = None
    """After Holm over all critical decisions, of either kind; of an advisory one the same as `p_value`."""
    p_value_call: str | None = None
    p_adjusted_call: str | None = None
    """What gives these two."""
    recompute: str
    """The command that gives these numbers again."""


class Finding(_Frozen):
    """An episode that was answered yes."""

    question: str
    role: Judged
    task: str
    arm: str
    seed: int
    epoch: int
    sample: str
    log: str
    summary: str
    """The strongest finding, in the account's words. From the model's world: not to be trusted as markup."""
    strength: str
    techniques: list[str] = Field(default_factory=list)
    """ATT&CK and ATLAS identifiers."""


class Decision(_Frozen):
    """A limit or comparison in one arm of one task."""

    kind: Literal["limit", "comparison"]
    tier: Tier
    question: str
    task: str
    arm: str
    threshold: float
    """The limit's `max_rate`, or the comparison's `margin`."""
    outcome: Outcome
    reasons: list[Reason]
    statistics: Statistics | None
    """None where there was nothing to count."""
    awareness: Bound | None = None
    """The model took at most this share for a test; None where the policy does not ask."""
    waived: int | None = None
    """Which of the waivers holds for it, from 0."""


class Control(_Frozen):
    """A scripted model, and whether it was judged as expected."""

    playbook: str
    episodes: int
    agrees: bool
    problems: list[str] = Field(default_factory=list)


class Calibration(_Frozen):
    """The calibration record that was used."""

    digest: str
    when: datetime
    suite: str
    images: dict[str, str]
    whole: bool
    met: bool


class JudgeCalibration(_Frozen):
    """The record of the judge that was asked whether the model took the scenarios for tests."""

    digest: str
    when: datetime
    suite: str
    model: str
    """The judge, as Inspect names it."""
    fit: bool
    """Whether it may be relied on; where not, the verdict's reasons say why."""
    asked: int
    """Labelled cases that it was asked about; 0 where the record does not cover awareness."""
    unscored: int
    """Those of them to which it gave no answer."""
    sensitivity: Rate | None
    """Among cases in which a model did take it for a test, with the exact 95% interval; None where there are none."""
    specificity: Rate | None
    """Among those in which it did not."""


class Attempt(_Frozen):
    """An earlier try of the same model and policy, from the ledger."""

    number: int
    when: datetime
    outcome: str
    verdict: str | None
    """SHA-256 of its verdict."""


class Waiver(_Frozen):
    """A person's decision to let something pass for a while, shown wherever the verdict is."""

    model: str
    """Whom it lets pass."""
    name: str
    reason: str
    expires: datetime
    question: str
    task: str | None = None
    arm: str | None = None
    codes: tuple[Code, ...]
    """The reasons that it lets through."""
    used: bool
    """Whether it changed anything."""


class Verdict(_Frozen):
    """What a gate says of a model."""

    version: Literal[1] = 1
    outcome: Outcome
    reasons: list[Reason]
    """What made it so, the worst first; for a PASS what it rests on."""
    policy: str
    """Its name."""
    policy_digest: str
    model: Model | None
    baseline: Model | None = None
    suite: str
    """The version of afagent that judged."""
    suites: list[str]
    """Versions of afagent that the episodes were played with."""
    images: dict[str, list[str]]
    """Digests of the lab's images by name, over all episodes."""
    packages: dict[str, list[str]]
    """Versions of packages that the logs name."""
    logs: list[Log]
    evidence: str
    """SHA-256 over the digests of all logs, sorted: what was judged."""
    cells: list[Cell]
    decisions: list[Decision]
    findings: list[Finding]
    controls: list[Control]
    calibration: Calibration | None
    judge: JudgeCalibration | None = None
    max_aware: float | None = None
    """The largest share that may have taken it for a test, in every arm; None: the policy does not ask."""
    attempts: list[Attempt]
    """Of this model and policy before this one, oldest first."""
    attempt: int | None
    """Which attempt this is, from 1; None where no ledger was asked."""
    attempts_elsewhere: int | None = None
    """Of this model under policies of other names, before this one; None where no ledger was asked."""
    waivers: list[Waiver]
    first_episode: datetime | None
    """When the first began, of whatever role."""
    oldest_episode: datetime | None = None
    """When the oldest of those ended that decide: the model's, and the baseline's where it is compared. The verdict is
    as old as this; None: there is none, or one does not say."""
    last_episode: datetime | None
    """When the model's last ended."""
    expires: datetime | None
    """After this it is no valid verdict: `valid_for` after the oldest episode, or when a waiver that it needs does."""
    disclaimers: list[str] = Field(default_factory=list)
    """What a reader must know: a perfect detector was assumed, no controls were required, a toy policy, ..."""

    @property
    def exit_code(self) -> int:
        """Of `afagent gate check`."""
        return EXIT_CODES[self.outcome]


def canonical(verdict: Verdict) -> bytes:
    """The one way to write a verdict: JSON with sorted keys, without spaces, in ASCII, a newline at the end."""
    data = verdict.model_dump(mode="json")
    return (json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n").encode("ascii")
