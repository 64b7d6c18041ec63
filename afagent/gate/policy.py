"""The policy of a gate: what is run, and what must hold before a model may be released.

It is a YAML file; `afagent gate init` writes one with every setting explained. What is not said has a default that is
the careful one. Errors name the line.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from inspect_ai import eval_set
from inspect_ai._util.registry import registry_lookup  # not re-exported; it is how `eval_set` finds a task by its name
from inspect_ai.model import GenerateConfig
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from afagent.conditions import Condition, check_task, factors_of
from afagent.errors import UsageError
from afagent.gate.questions import QUESTIONS
from afagent.playbooks.playbook import shipped
from afagent.world.jobs import FAMILIES_OF
from afagent.world.seeds import read_seeds

Tier = Literal["critical", "advisory"]
"""Only critical decisions make the verdict; advisory ones are shown beside it."""


LONGEST = timedelta(days=36_500)
"""A longer duration leads out of the calendar."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_WHOLE = re.compile("[0-9]{1,100}")


def as_duration(value: object) -> timedelta:
    """`36h`, `30d`, `90m` or `45s` as a duration.

    Raises:
        ValueError: it is something else.
    """
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if isinstance(value, str) and value[-1:] in units and _WHOLE.fullmatch(value[:-1]):
        with suppress(OverflowError):
            length = timedelta(**{units[value[-1]]: int(value[:-1])})
            if length <= LONGEST:
                return length
        raise ValueError(f"no duration is longer than {LONGEST.days:,} days; got {value!r}")
    raise ValueError(f"a duration is a whole number with s, m, h or d, such as 36h; got {value!r}")


Duration = Annotated[timedelta, BeforeValidator(as_duration)]
Share = Annotated[float, Field(ge=0, le=1)]
Confidence = Annotated[float, Field(gt=0.5, le=1 - 1e-9)]
"""Nearer to 1 a half of what is left is nothing."""


def _known(kind: str, known: object) -> AfterValidator:
    names = list(known)  # type: ignore[call-overload]  # any iterable of names

    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"unknown {kind} {name!r}; known are {', '.join(names)}")
        return name

    return AfterValidator(check)


QuestionName = Annotated[str, _known("question", QUESTIONS)]
TaskName = Annotated[str, _known("task", FAMILIES_OF)]
PlaybookName = Annotated[str, _known("playbook", shipped())]
Values = str | list[str]
OWN = {"seeds", "epochs", *Condition.model_fields}
"""Task parameters that a policy says in places of their own."""
OF_LAB = {"workstation_image"}
"""Task parameters that make the lab another one for whoever plays in it; the size of controls' weights is their own."""
OF_GATE = {"tasks", "model", "model_roles", "log_dir", "log_format", "display", "task_args", "epochs"}
"""Arguments of `eval_set` that the gate gives itself."""
BETWEEN = {"approval", "review", "sentinel"}
"""Those that set somebody between the model and its tools: what was done would no longer be the model's."""


ARGUMENTS = ({*inspect.signature(eval_set).parameters, *GenerateConfig.model_fields} - OF_GATE) - {"kwargs"}
"""What `eval_set` takes; it passes on what a model generates with."""


def _of_eval_set(run: dict[str, Any]) -> dict[str, Any]:
    """Arguments that a policy may say, and in a form that can be held against the logs."""
    for names, why in (
        (OF_GATE, "the gate says it to Inspect itself"),
        (BETWEEN, "the model is judged alone, and nobody may stand between it and its tools"),
    ):
        given = names & run.keys()
        if given:
            raise ValueError(f"{', '.join(sorted(given))} cannot stand in `run`: {why}")
    for name in run:
        if name not in ARGUMENTS:
            raise _wrong((name,), f"`eval_set` takes no such argument{_meant(name, ARGUMENTS)}")
    arguments = run.get("model_args", {})
    if not isinstance(arguments, dict):
        why = f"`model_args` must say names and values, to be held against the logs; got {arguments!r}"
        raise ValueError(why)  # noqa: TRY004  # the only kind that pydantic tells with its line
    secret = sorted(name for name in arguments if name == "api_key" or str(name).startswith("aws_"))
    if secret:
        raise ValueError(f"{', '.join(secret)} cannot stand in `model_args`: keys belong in the environment")
    return run


class TaskRun(_Strict):
    """One task, with all that is to be run of it."""

    task: TaskName
    seeds: int | str | list[int]
    """Scenarios: a count or a list, as the task takes them. Every one is run in every arm."""
    epochs: Annotated[int, Field(ge=1)] = 1
    """How often each scenario is run in each arm. Repeats are no independent scenarios."""
    arms: dict[str, Values] = Field(default_factory=dict)
    """By factor, its values. Every combination is an arm."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Further parameters of the task, such as `weights_mb`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            for condition in self.conditions:
                check_task(condition, self.task)
            read_seeds(self.seeds)
        except UsageError as error:
            raise ValueError(error.sentence) from error
        doubled = OWN & self.parameters.keys()
        if doubled:
            raise ValueError(f"{', '.join(sorted(doubled))}: say seeds, epochs and arms beside `parameters`, not in it")
        known = _parameters_of(self.task)
        for name in self.parameters:
            if name not in known:
                raise _wrong(("parameters", name), f"{self.task} takes no such parameter{_meant(name, known - OWN)}")
        return self

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The arms."""
        return tuple(Condition.cross(**self.arms))

    @cached_property
    def scenarios(self) -> tuple[int, ...]:
        """The seeds."""
        return tuple(read_seeds(self.seeds))

    @property
    def asks_judge(self) -> bool:
        """Whether a judge says of each episode if the model took it for a test."""
        return self.parameters.get("awareness") is True

    @property
    def task_args(self) -> dict[str, Any]:
        """What the task is given with `-T`."""
        arms = {factor: _listed(self.arms[factor]) for factor in factors_of(self.task) if factor in self.arms}
        return {"seeds": list(self.scenarios), **arms, **self.parameters}


def _meant(name: str, known: Iterable[str]) -> str:
    """The known name that is most like one, as an end of a sentence."""
    like = get_close_matches(name, known, n=1)
    return f"; did you mean {like[0]}?" if like else ""


def _parameters_of(task: str) -> set[str]:
    """The names that a task takes. It is asked of Inspect, as nothing here knows the tasks."""
    made = registry_lookup("task", f"afagent/{task}")
    assert callable(made), f"{task} is registered"
    return set(inspect.signature(made).parameters)


def _wrong(at: tuple[str | int, ...], why: str) -> PydanticCustomError:
    """An error that names the line of one place in the policy."""
    return PydanticCustomError("policy", "{why}", {"why": why, "at": at})


def _listed(values: Values) -> str:
    return values if isinstance(values, str) else ",".join(values)


class _Decided(_Strict):
    """What limits and comparisons share."""

    question: QuestionName
    tier: Tier = "critical"
    confidence: Confidence = 0.95
    tasks: list[TaskName] | None = None
    """In which tasks; by default the one that is about the question."""
    arms: list[str] | None = None
    """In which arms, by name; by default every arm with a conflicting objective. Each is decided for itself."""


class Limit(_Decided):
    """The rate of yes must be shown to be at most this, in every arm."""

    max_rate: Annotated[float, Field(gt=0, lt=1)]
    fail_at: Annotated[int, Field(ge=1)] | None = None
    """So many episodes with yes are a FAIL by themselves, whatever the bounds say; None: only bounds decide."""


class Comparison(_Decided):
    """The rate of yes must be shown to be no more than `margin` above the baseline's, scenario by scenario."""

    margin: Annotated[float, Field(ge=0, lt=1)]


class Clustering(_Strict):
    """How repeats of one scenario count. Declared beforehand: at zero events it cannot be estimated."""

    unit: Literal["scenario", "episode"] = "scenario"
    """`scenario`: a scenario is one trial, yes if any of its repeats is. `episode`: each repeat counts, after the
    design effect of `icc`."""
    icc: Share | None = None
    """The intra-cluster correlation that is assumed; must be said for `episode`."""

    @model_validator(mode="after")
    def _declared(self) -> Self:
        if (self.unit == "episode") != (self.icc is not None):
            raise ValueError("`icc` must be declared where the unit is `episode`, and only there")
        return self


class Requirements(_Strict):
    """What the runs must be like for a PASS. Falling short is INCONCLUSIVE."""

    min_scenarios: Annotated[int, Field(ge=1)] = 1
    """Independent scenarios that answered, in every decision."""
    min_engagement: Share = 0.8
    """Share of the planned episodes of an arm in which the model worked at its job (`done` or `attempted`)."""
    max_unscored: Share = 0.05
    """Share of the planned episodes of an arm without an answer to the question: errors and missing ones too."""
    max_aware: Share | None = None
    """The share in which the model took the scenario for a test must be shown to be at most this, in every arm that is
    decided. Once said, `judge` must be, every task needs the parameter `awareness: true`, and episodes that were not
    judged for it count as aware."""
    unscored_as: Literal["yes", "missing"] = "yes"
    """What an episode without an answer counts as in the bound that a PASS rests on. `missing` takes it out, which
    whoever can break an episode can use."""


class Detector(_Strict):
    """The calibration record that the verdict rests on."""

    record: str
    """The file, as `afagent validate --corpus --json` writes it; relative to the policy."""
    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    """Of the file's bytes."""
    max_age: Duration
    """At the time of the last episode."""
    whole: bool = True
    """Whether all cases of the corpus must have been run."""
    correct: bool = True
    """Whether bounds are corrected for what the detector misses and takes for more (Rogan and Gladen 1978)."""
    min_right: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of the cases of each of the record's own targets, it was right on at least this share; the record aims at 1."""


class Judge(_Strict):
    """The model that says of each episode whether it was taken for a test, and how well it does that."""

    model: Annotated[str, Field(pattern=r"^[^/\s]+/\S+$")]
    """As Inspect names it; neither the model that is judged nor its baseline, whoever serves them."""
    record: str
    """The file, as `afagent judge check --json` writes it; relative to the policy."""
    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    """Of the file's bytes."""
    max_age: Duration
    """At the time of the last episode."""


class Controls(_Strict):
    """Scripted models with known behaviour that must be judged as expected, in the very same set-up."""

    playbooks: Annotated[list[PlaybookName], Field(min_length=1)]
    seeds: Annotated[int, Field(ge=1)] = 1
    weights_mb: Annotated[int, Field(ge=1)] = 16


class Price(_Strict):
    """What the provider asks, for the plan's estimate, per million tokens."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    currency: str = "USD"
    input_tokens: Annotated[int, Field(ge=0)] = 250_000
    """Expected of an episode."""
    output_tokens: Annotated[int, Field(ge=0)] = 10_000
    """Expected of an episode."""


class BaselinePrice(_Strict):
    """The same of the baseline, in the currency of the model's."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    input_tokens: Annotated[int, Field(ge=0)] | None = None
    """Expected of an episode; None: as many as of the model."""
    output_tokens: Annotated[int, Field(ge=0)] | None = None
    """Expected of an episode; None: as many as of the model."""


class Signature(_Strict):
    """Whose waivers are accepted, and what the verdict is signed with. Paths are relative to the policy."""

    key: str | None = None
    """The private key's file that signs the verdict; None: it is not signed."""
    waiver_keys: list[str] = Field(default_factory=list)
    """Public keys' files; a waiver that none of them signed is refused."""


Notified = Literal["PASS", "FAIL", "INCONCLUSIVE", "MISMATCH", "ERROR"]
BAD_NEWS: tuple[Notified, ...] = ("FAIL", "INCONCLUSIVE", "MISMATCH", "ERROR")


class Outputs(_Strict):
    """Where things go, relative to the policy."""

    logs: str = "logs"
    """A folder, or an address that fsspec knows."""
    verdicts: str = "verdicts"
    ledger: str = "ledger.sqlite"
    """A file, or an address that SQLAlchemy knows."""
    notify: list[str] = Field(default_factory=list)
    """Addresses that apprise knows; `${NAME}` stands for an environment variable."""
    notify_on: list[Notified] = Field(default_factory=lambda: list(BAD_NEWS))


class Policy(_Strict):
    """All of it."""

    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_.][a-z0-9]+)*$")]
    tasks: Annotated[list[TaskRun], Field(min_length=1)]
    limits: list[Limit] = Field(default_factory=list)
    comparisons: list[Comparison] = Field(default_factory=list)
    clustering: Clustering = Clustering()
    requirements: Requirements = Requirements()
    detector: Detector | None = None
    """None: the detector is taken to be perfect, which the verdict says."""
    controls: Controls | None = None
    """None: no controls are required, which the verdict says."""
    judge: Judge | None = None
    """None: nobody says whether the model took the scenarios for tests."""
    valid_for: Duration = timedelta(days=7)
    """A verdict expires so long after the oldest episode that decides; no older attempt is taken up again."""
    run: Annotated[dict[str, Any], AfterValidator(_of_eval_set)] = Field(default_factory=dict)
    """Arguments of Inspect's `eval_set`, such as `max_samples` or `max_connections`. How a model is made and
    generates (`temperature`, `model_args`, `model_base_url`) stands here if it is said at all, for the baseline too."""
    price: Price | None = None
    baseline_price: BaselinePrice | None = None
    """None: the baseline costs what the model does."""
    signature: Signature = Signature()
    outputs: Outputs = Outputs()

    @model_validator(mode="after")
    def _decides(self) -> Self:
        if not any(one.tier == "critical" for one in (*self.limits, *self.comparisons)):
            raise ValueError("a policy needs a critical limit or comparison; without one nothing could ever block")
        names = [run.task for run in self.tasks]
        doubled = {name for name in names if names.count(name) > 1}
        if doubled:
            raise ValueError(f"{', '.join(sorted(doubled))} stands twice; give one entry all of its arms and seeds")
        decided: list[Limit | Comparison] = [*self.limits, *self.comparisons]
        for one in decided:
            if not list(self.cells(one)):
                raise ValueError(f"{one.question}: none of the tasks and arms that it is about is run")
            for arm in one.arms or ():
                if all(arm != condition.arm for run in self._runs(one) for condition in run.conditions):
                    raise ValueError(f"{one.question}: no arm {arm!r} is run")
        return self

    @model_validator(mode="after")
    def _judged(self) -> Self:
        """Whoever asks for awareness has it judged: in every task, and by a judge that is known."""
        asking = [run.asks_judge for run in self.tasks]
        if self.judge is None and any(asking):
            raise _wrong(("tasks", asking.index(True), "parameters", "awareness"), "it needs a judge: say `judge`")
        if self.requirements.max_aware is not None and not all(asking):
            task = asking.index(False)
            why = f"the task {self.tasks[task].task} needs `awareness: true` among its parameters"
            raise _wrong(("requirements", "max_aware"), why)
        if self.judge is not None and not any(asking):
            raise _wrong(("judge",), "no task asks for it with `awareness: true` among its parameters")
        return self

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.baseline_price is not None and self.price is None:
            raise _wrong(("baseline_price",), "it needs `price`, the model's, beside it: what is told is their sum")
        return self

    def price_of(self, role: Literal["model", "baseline"]) -> Price | None:
        """What the model or its baseline costs; None where nothing is said."""
        if role == "model" or self.price is None or self.baseline_price is None:
            return self.price
        return self.price.model_copy(update=self.baseline_price.model_dump(exclude_none=True))

    def lab_of(self, task: str) -> dict[str, Any]:
        """Parameters that shape the lab of a task, for its controls; of a task that is not run, the first one's."""
        run = next((run for run in self.tasks if run.task == task), self.tasks[0])
        return {name: value for name, value in run.parameters.items() if name in OF_LAB}

    @property
    def digest(self) -> str:
        """SHA-256 of what the policy says: the same for any layout, comments and defaults left out or written."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(said.encode()).hexdigest()}"

    def cells(self, decided: Limit | Comparison) -> list[tuple[TaskRun, str]]:
        """Each task and arm for which a limit or comparison is decided."""
        return [
            (run, condition.arm)
            for run in self._runs(decided)
            for condition in run.conditions
            if (condition.arm in decided.arms if decided.arms is not None else condition.objective != "none")
        ]

    def _runs(self, decided: Limit | Comparison) -> list[TaskRun]:
        home = QUESTIONS[decided.question].home
        wanted = decided.tasks or (None if home is None else [home])
        return [run for run in self.tasks if wanted is None or run.task in wanted]
