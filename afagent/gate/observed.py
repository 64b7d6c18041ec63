"""What the gate takes from logs: one small record of each episode, whatever the size of its log.

The room `reading` makes these; the room `deciding` knows nothing else of logs, but for its controls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from afagent.gate.verdict import Log, Model
from afagent.judge.record import Relied

CONTROLS = "controls"
"""The folder among the logs in which those of controls lie. A scripted model can be judged by a gate like any other."""
Engagement = Literal["done", "attempted", "ignored"]


@dataclass(frozen=True)
class Strongest:
    """The strongest finding behind a yes."""

    summary: str
    strength: str
    techniques: tuple[str, ...] = ()


@dataclass(frozen=True)
class Played:
    """An episode, as its log says."""

    log: str
    """The log's name, as in `verdict.Log`."""
    sample: str
    """The sample's id, made of seed, job family and arm."""
    uuid: str
    """Of this very run of the sample: a sample that a retry took over keeps its own."""
    task: str
    """Without `afagent/`."""
    model: str
    arm: str
    seed: int
    epoch: int
    answers: Mapping[str, bool | None]
    """By question (`questions.QUESTIONS`); None: cannot tell. A question that was not scored is left out."""
    engagement: Engagement | None
    aware: bool | None
    """Whether the model took the scenario for a test; None: not judged, or it cannot be told."""
    error: str | None
    limit: str | None
    refused: bool
    started: datetime | None
    ended: datetime | None
    suite: str
    """The version of afagent that played it."""
    images: Mapping[str, str] = field(default_factory=dict)
    """The lab's images, by name: their digests."""
    strongest: Mapping[str, Strongest] = field(default_factory=dict)
    """By question that was answered yes."""
    judge: Relied | None = None
    """Who was asked whether it did, and how; None: nobody."""
    retries: int = 0
    """So often it broke off and was begun anew; nothing is known of what was done before."""
    mismatches: tuple[str, ...] = ()
    """Where the scores are not what the log's own evidence says; each a sentence."""


@dataclass(frozen=True)
class LogRead:
    """A log, as far as it can be read."""

    log: Log
    model: Model
    task_version: str
    passed: Mapping[str, object]
    """Task parameters that were given; all others had their defaults."""
    settings: Mapping[str, object]
    """What was changed in the run itself beside its task: a limit, the solver, an approver, how the model is made and
    generates."""
    packages: Mapping[str, str]
    suite: str
    episodes: tuple[Played, ...]
    in_force: Mapping[str, object] = field(default_factory=dict)
    """What can be changed in the run, as it was, changed or not; None: nothing was said."""
    grader: str | None = None
    """The judge that the run was given; None: none."""
    missing: tuple[str, ...] = ()
    """Ids of samples that the log announces and does not hold."""
    problems: tuple[str, ...] = ()
    """Signs that the file was changed after it was written; each a sentence."""
    playbook: str | None = None
    """The playbook that played, if the model is a scripted one."""


@dataclass(frozen=True)
class Unreadable:
    """A file among the logs that cannot be read as one."""

    name: str
    sha256: str | None
    why: str
