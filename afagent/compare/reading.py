"""Reads logs for a comparison: of each sample where it stands and what it answers, and nothing else of it.

Samples are decoded one at a time, from an archive that is opened once. What a log announces and does not hold comes out
as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from inspect_ai.log import EvalLog

from afagent.compare.arms import Factors, episode_factors
from afagent.compare.questions import TALK, Told, told
from afagent.conversation.condition import Conversation
from afagent.errors import UsageError
from afagent.gate.reading.archive import open_log
from afagent.gate.reading.files import NOT_LOGS
from afagent.gate.reading.logs import GENERATION
from afagent.gate.reading.wire import OURS, DamagedError, Sample
from afagent.logs import LogError, find_logs, read_header
from afagent.quoting import printable

FACTORS = tuple(Conversation.model_fields)
"""Of a conversation; they stand in the metadata of its samples."""


@dataclass(frozen=True)
class Arm:
    """A condition, as samples name it."""

    name: str
    group: str | None
    """The name without the tier; None where there are no tiers."""
    tier: str | None
    factors: Factors | None
    """None where the name stands for no condition."""


@dataclass(frozen=True)
class Said:
    """What became of one sample."""

    sample: str
    epoch: int
    uuid: str | None
    state: Literal["ran", "errored", "missing"]
    unit: str | None
    """The scenario's seed or the request's id; None where the sample names neither, or is missing."""
    arm: Arm | None
    told: Told
    judges: frozenset[str] = frozenset()
    """The models that judged it."""


@dataclass(frozen=True)
class LogSaid:
    """What one log says."""

    path: Path
    eval_id: str
    task: str
    """Without `afagent/`."""
    model: str
    settings: Mapping[str, str]
    """How the model was asked to generate, its arguments and the scaffold, where anything was said of them."""
    grader: str | None
    """The models that judged, as the judgements say: a log that was judged again still announces the first. Where no
    judgement names one, what is announced; None where none was named."""
    status: str
    version: str
    """Of the task."""
    suite: str
    prompts: str | None
    requests: str | None
    """Digests, where the log has them."""
    arms: tuple[str, ...]
    """As the log announces them."""
    said: tuple[Said, ...]

    @property
    def name(self) -> str:
        """Safe to print."""
        return printable(str(self.path), 200)


def read_all(paths: Sequence[Path]) -> list[LogSaid]:
    """Every log that is named or lies below a named folder, in the order of their paths.

    Raises:
        UsageError: a path does not exist, or there is no log.
        LogError: a file is no log, or damaged.
    """
    found = [path for path in find_logs(paths) if path.name not in NOT_LOGS]
    if not found:
        raise UsageError(f"there is no log in {', '.join(map(str, paths))}")
    return [read(path) for path in found]


def read(path: Path) -> LogSaid:
    """One log.

    Raises:
        LogError: it is none, or damaged.
    """
    header = read_header(path)
    spec, metadata = header.eval, header.eval.metadata or {}
    task = spec.task.removeprefix(OURS)
    held = tuple(_without_retried(_held(path, task)))
    arms = metadata.get("arms")
    return LogSaid(
        path=path,
        eval_id=spec.eval_id,
        task=task,
        model=spec.model,
        settings=_settings(header),
        grader=", ".join(sorted(frozenset().union(*(said.judges for said in held)))) or _grader(header),
        status=header.status,
        version=str(spec.task_version),
        suite=str(metadata.get("afagent") or spec.packages.get("afagent") or ""),
        prompts=_word(metadata.get("prompts")),
        requests=_word(metadata.get("requests")),
        arms=tuple(map(str, arms)) if isinstance(arms, list) else (),
        said=(*held, *_missing(header, held)),
    )


def _held(path: Path, task: str) -> Iterator[Said]:
    try:
        with path.open("rb") as file:
            for member in open_log(file, path.name).members():
                yield _said(member.sample, task)
    except (DamagedError, OSError) as problem:
        raise LogError(f"{path} {printable(str(problem))}") from problem


def _without_retried(held: Iterable[Said]) -> Iterator[Said]:
    """Of a sample that broke off, a retry leaves what there was and puts its own behind it: the last one counts.

    A yes of the one that broke off counts too: it was done.
    """
    last: dict[tuple[str, int], Said] = {}
    for said in held:
        key = (said.sample, said.epoch)
        earlier = last.pop(key, None)
        if earlier is not None and earlier.state != "errored":
            yield earlier
        last[key] = said if earlier is None or earlier.state != "errored" else _with_every_yes(earlier, said)
    yield from last.values()


def _with_every_yes(broken: Said, said: Said) -> Said:
    done = {question: True for question, answer in broken.told.items() if answer and question in said.told}
    return replace(said, told={**said.told, **done})


def _said(sample: Sample, task: str) -> Said:
    unit, arm = _place(sample.metadata, task)
    training = arm is not None and arm.tier == "training"
    broken = sample.error is not None or sample.invalidation is not None
    return Said(
        str(sample.id),
        sample.epoch,
        sample.uuid,
        "errored" if broken else "ran",
        unit,
        arm,
        told(sample, training=training),
        frozenset(_judges(sample)),
    )


def _judges(sample: Sample) -> Iterator[str]:
    for score in (sample.scores or {}).values():
        judgement = (score.metadata or {}).get("judge")
        judge = judgement.get("model") if isinstance(judgement, Mapping) else None
        if isinstance(judge, str):
            yield judge


def _place(metadata: Mapping[str, object], task: str) -> tuple[str | None, Arm | None]:
    """A seed is written with leading zeros, so that names are in the order of numbers."""
    unit, arm = _word(metadata.get("request")), _word(metadata.get("arm"))
    seed = metadata.get("seed")
    if task != TALK:
        unit = f"{seed:06d}" if type(seed) is int else None
    return (unit, _arm(arm, metadata, task)) if unit is not None and arm is not None else (None, None)


def _arm(name: str, metadata: Mapping[str, object], task: str) -> Arm:
    if task != TALK:
        return Arm(name, None, None, episode_factors(name))
    factors = {factor: str(metadata[factor]) for factor in FACTORS if factor in metadata}
    return Arm(name, _word(metadata.get("group")), factors.get("tier"), factors)


def _missing(header: EvalLog, held: Sequence[Said]) -> Iterator[Said]:
    there = {(said.sample, said.epoch) for said in held}
    for sample in header.eval.dataset.sample_ids or []:
        for epoch in range(1, (header.eval.config.epochs or 1) + 1):
            if (str(sample), epoch) not in there:
                yield Said(str(sample), epoch, None, "missing", None, None, {})


def _settings(header: EvalLog) -> dict[str, str]:
    spec = header.eval
    generation = spec.model_generate_config.model_dump(exclude_none=True)
    said = {
        **{name: value for name, value in generation.items() if name in GENERATION},
        **spec.model_args,
        "base_url": spec.model_base_url,
        "solver": spec.solver,
    }
    return {name: str(value) for name, value in said.items() if value is not None}


def _grader(header: EvalLog) -> str | None:
    grader = (header.eval.model_roles or {}).get("grader")
    models = grader if isinstance(grader, list) else [grader] if grader is not None else []
    return ", ".join(model.model for model in models) or None


def _word(value: object) -> str | None:
    """A seed's or request's name; numbers are names too."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None
