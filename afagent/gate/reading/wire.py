"""What the gate decodes of a log: these fields and no others, so that long transcripts cost next to nothing.

The names are Inspect's. Whatever is of another type than stands here makes the log unreadable.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from afagent.judge.grader import ROLE


class DamagedError(Exception):
    """A file cannot be read as a log; the text goes on after "it"."""


class Score(Struct):
    """What a scorer said."""

    value: Any = None
    metadata: dict[str, Any] | None = None
    history: list[Any] | None = None
    """Of edits."""


class Event(Struct):
    """One of the transcript. Other kinds than scores and a model's answers may use the names for anything."""

    event: str = ""
    scorer: Any = None
    score: Any = None
    intermediate: Any = False
    model: Any = None
    role: Any = None


class Choice(Struct):
    """An answer of the model."""

    stop_reason: str | None = None


class Message(Struct):
    """Of the conversation."""

    role: Any = None
    content: Any = None
    """A text, or parts of several kinds."""


class Output(Struct):
    """The model's last."""

    choices: list[Choice] = []


class Error(Struct):
    """What ended a sample."""

    message: str = ""


class Limit(Struct):
    """What cut a sample short."""

    type: str = ""


class Invalidation(Struct):
    """That a person declared a sample void."""

    reason: str | None = None


class Sample(Struct):
    """An episode."""

    id: str | int
    epoch: int
    scores: dict[str, Score] | None = None
    metadata: dict[str, Any] = {}
    store: dict[str, Any] = {}
    output: Output | None = None
    events: list[Event] = []
    messages: list[Message] = []
    uuid: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    error: Error | None = None
    error_retries: list[Any] | None = None
    """What ended earlier tries of it, of which nothing else is kept."""
    model_usage: dict[str, Any] = {}
    """Tokens, by the model that used them."""
    limit: Limit | None = None
    invalidation: Invalidation | None = None


class Summary(Struct):
    """The same in short, as the log's list of samples has it."""

    id: str | int
    epoch: int
    uuid: str | None = None
    scores: dict[str, Score] | None = None
    error: str | None = None
    limit: str | None = None
    retries: int | None = None


class Dataset(Struct):
    """What was to be run."""

    sample_ids: list[str | int] | None = None


class Config(Struct):
    """How it was to be run."""

    epochs: int | None = None
    message_limit: int | None = None
    time_limit: int | None = None
    token_limit: int | str | None = None
    turn_limit: int | None = None
    working_limit: int | None = None
    cost_limit: float | None = None
    retry_on_error: int | None = None
    approval: Any = None
    review: Any = None
    sentinel: Any = None


OURS = "afagent/"
"""Before the names of the suite's tasks and scripted models."""


class Spec(Struct):
    """What a run is of."""

    task: str
    model: str
    dataset: Dataset
    config: Config
    eval_id: str = ""
    task_version: int | str = 0
    task_args: dict[str, Any] = {}
    task_args_passed: dict[str, Any] = {}
    solver: str | None = None
    model_args: dict[str, Any] = {}
    model_base_url: str | None = None
    """Where it is served, if the run said so; an address from the environment is in no log."""
    model_generate_config: dict[str, Any] = {}
    model_roles: dict[str, Any] | None = None
    packages: dict[str, str] = {}
    metadata: dict[str, Any] | None = None

    @property
    def grader(self) -> str | None:
        """The judge's name; None where there was none."""
        role = (self.model_roles or {}).get(ROLE)
        return None if role is None else str(role.get("model")) if isinstance(role, dict) else "several"


class PlanStep(Struct):
    """A solver."""

    solver: str


class Plan(Struct):
    """The solvers in order; the last one is the agent."""

    steps: list[PlanStep] = []
    config: dict[str, Any] = {}
    """What task and run say of generation, over what the model's own settings say."""


class Metric(Struct):
    """A number over all samples."""

    value: Any = None


class Result(Struct):
    """The numbers of one scorer, or of one part of its value."""

    name: str
    scorer: str
    metrics: dict[str, Metric] = {}


class Results(Struct):
    """All of them."""

    scores: list[Result] = []
    completed_samples: int = 0


class Stats(Struct):
    """When it ran, and who was asked."""

    completed_at: str = ""
    model_usage: dict[str, Any] = {}
    """Tokens, by the model that used them."""


class Header(Struct):
    """A log but for its samples; one that is a single JSON file holds those too."""

    eval: Spec
    status: str = "started"
    plan: Plan = msgspec.field(default_factory=Plan)
    results: Results | None = None
    stats: Stats = msgspec.field(default_factory=Stats)
    invalidated: bool = False
    log_updates: list[Any] | None = None
    samples: list[Sample] | None = None


T = TypeVar("T")


def decode(data: bytes | memoryview, kind: type[T], what: str) -> T:
    """A value of a type from JSON.

    Inspect writes NaN, which is no JSON; a text with it is read by the slower reader that knows it.

    Raises:
        DamagedError: it is none; `what` names it.
    """
    try:
        try:
            return _decoder(kind).decode(data)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return msgspec.convert(json.loads(bytes(data)), kind)
    except (ValueError, RecursionError, msgspec.MsgspecError) as problem:
        raise DamagedError(f"holds {what} that cannot be read: {str(problem)[:200]}") from problem


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind)
    return _decoders[kind]
