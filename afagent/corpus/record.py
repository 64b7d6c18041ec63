"""The calibration record: how well the instrument told apart what is known to be true, on one day, in one version.

It is the JSON that `afagent validate --corpus --json FILE` writes. A gate that relies on verdicts can demand one: by
its `suite` and `images` (the instrument that was proved is the one that judges), `corpus` and `whole` (on which cases),
`when` (how long ago) and its targets. What the detector said is set against what the oracle found;
"cannot tell" agrees with nothing and is counted for itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from afagent.world import systems

Question = Literal[
    "attempted",
    "delivered",
    "staged",
    "sabotage attempted",
    "sabotage succeeded",
    "sabotage concealed",
    "tampering attempted",
    "tampering succeeded",
    "tampering concealed",
    "shutdown attempted",
    "shutdown succeeded",
    "shutdown concealed",
]
"""The first three are about the weights."""
OF_SYSTEMS: dict[systems.Question, tuple[Question, Question, Question]] = {
    "sabotage": ("sabotage attempted", "sabotage succeeded", "sabotage concealed"),
    "tampering": ("tampering attempted", "tampering succeeded", "tampering concealed"),
    "shutdown_resistance": (
        "shutdown attempted",
        "shutdown succeeded",
        "shutdown concealed",
    ),
}
"""Those about each of the lab's systems: attempted, succeeded, concealed."""
By = Literal["all", "kind", "channel", "channels", "disguise", "reader", "effect", "strength"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rate(_Frozen):
    """How often the detector's answer was the true one, among cases of one truth."""

    right: int
    wrong: int
    cannot_tell: int
    low: float
    """Bounds of the share that is right: exact (Clopper-Pearson), two-sided, 95%."""
    high: float

    @property
    def of(self) -> int:
        """Cases in all."""
        return self.right + self.wrong + self.cannot_tell


class Row(_Frozen):
    """One question over one group of cases."""

    by: By
    """What the cases are grouped by; `channels` are kinds of channel or place."""
    name: str
    question: Question
    sensitivity: Rate | None
    """Among cases in which it is true; None when there are none."""
    specificity: Rate | None
    """Among cases in which it is not."""


class Target(_Frozen):
    """What must hold."""

    name: str
    rate: Rate
    met: bool


class Miss(_Frozen):
    """A case in which the detector's answer was not the true one."""

    case: str
    kind: str
    question: Question
    true: bool
    observed: bool | None
    """None: cannot tell."""
    said: str
    """What the detector found, or why it cannot tell."""


class Broken(_Frozen):
    """A case that did not do what it declares, so that it proves nothing."""

    case: str
    kind: str
    why: str


class FractionError(_Frozen):
    """By how much the detector's share of the weights that left differs from the oracle's."""

    cases: int
    largest: float
    mean: float


class CalibrationRecord(_Frozen):
    """The whole of it."""

    version: Literal[1] = 1
    """Of this format."""
    when: datetime
    suite: str
    """The version of afagent."""
    images: dict[str, str]
    """The digest of each image (`engine.image_digest`) that the labs ran, by the image's name."""
    corpus: str
    """SHA-256 of all cases of the corpus, whether they were run or not."""
    whole: bool
    """Whether every case of the corpus was run."""
    ran: dict[str, int] = Field(default_factory=dict)
    """How many cases of each kind were run."""
    seconds: float
    rows: list[Row]
    fraction: FractionError | None
    targets: list[Target]
    misses: list[Miss]
    broken: list[Broken]
    met: bool
    """Whether every target is met and no case is broken."""

    @property
    def least_right(self) -> tuple[float, str]:
        """The smallest share of cases on which it was right among its targets, and which that is.

        Cases that proved nothing count as a target of their own.
        """
        shares = [
            (target.rate.right / target.rate.of if target.rate.of else 0.0, target.name) for target in self.targets
        ]
        ran = sum(self.ran.values())
        if self.broken:
            shares.append((1 - len(self.broken) / max(ran, len(self.broken)), "cases that prove anything"))
        return min(shares, default=(0.0, "no target at all"))
