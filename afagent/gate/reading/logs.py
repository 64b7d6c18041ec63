"""Reads logs for the gate: each file below a folder comes out as what it says or as unreadable, in order of names.

One sample at a time is in memory. Logs are shared out among processes, since most of the time goes into judging their
evidence again.
"""

from __future__ import annotations

import gc
import hashlib
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import PurePosixPath
from typing import IO, Any, Literal

from inspect_ai.model import GenerateConfig

from afagent.gate.observed import CONTROLS, LogRead, Played, Unreadable
from afagent.gate.policy import BETWEEN
from afagent.gate.reading.archive import open_log
from afagent.gate.reading.awareness import unlike_answers
from afagent.gate.reading.edits import Signs
from afagent.gate.reading.files import Found, find, in_reach, open_file, size
from afagent.gate.reading.played import NO_SEED, played, suite_of, task_of
from afagent.gate.reading.rejudge import rejudge as judge_again
from afagent.gate.reading.wire import OURS, DamagedError, Header, Sample, Spec
from afagent.gate.times import moment
from afagent.gate.verdict import Log, Model
from afagent.judge.grader import ROLE
from afagent.playbooks.provider import FROM_FILE
from afagent.quoting import printable, quoted

Rejudge = Literal["all", "positives", "none"]
"""Which scores are held against the evidence. `positives` (what is answered yes) is cheaper and does not see a yes that
was made a no; `none` is for those who only look. A verdict needs `all`."""
WORTH_BYTES = 8 << 20
"""To start processes takes some seconds, in which one reads so much."""
AHEAD = 2
"""So many logs for each process are read before they are asked for."""
OF_TASK = ("message_limit", "time_limit")
"""Limits that the task has as parameters too."""
LIMITS = ("token_limit", "turn_limit", "working_limit", "cost_limit", "retry_on_error")
TECHNICAL = frozenset(
    {
        "max_retries",
        "timeout",
        "attempt_timeout",
        "stream_idle_timeout",
        "max_connections",
        "adaptive_connections",
        "cache_prompt",
        "batch",
    }
)
"""What of a model's generation says how it is reached, and nothing of what it answers."""
GENERATION = tuple(sorted(GenerateConfig.model_fields.keys() - TECHNICAL))


def read_logs(
    folder: str, jobs: int = 2, rejudge: Rejudge = "all", part: str | None = None
) -> Iterator[LogRead | Unreadable]:
    """Everything below a folder that is a log or should be one, in the order of names.

    Args:
        folder: a local one, or any address that fsspec knows.
        jobs: how many processes read.
        rejudge: which scores are held against the evidence.
        part: a folder below it, with `/`: only what lies there is read, and named as otherwise; None: all.

    Raises:
        UsageError: there is no such folder.
    """
    found = [one for one in find(folder) if part is None or one.name.startswith(f"{part}/")]
    read = partial(read_log, rejudge=rejudge)
    if jobs < 2 or len(found) < 2 or not in_reach(found[0]) or sum(map(size, found)) < WORTH_BYTES:
        return map(read, found)
    return _shared_out(found, jobs, read)


def _shared_out(found: list[Found], jobs: int, read: partial[LogRead | Unreadable]) -> Iterator[LogRead | Unreadable]:
    done = 0
    try:
        with ProcessPoolExecutor(
            min(jobs, len(found)), mp_context=_how_started(), initializer=_alone_with_logs
        ) as pool:
            for one in _in_order(pool, found, AHEAD * jobs, read):
                done += 1
                yield one
    except BrokenExecutor:  # processes cannot be started here, or one was killed: the rest is read by this one
        yield from map(read, found[done:])


def _alone_with_logs() -> None:
    """What is there stays, and what a log leaves has hardly a cycle: to look for them takes a tenth of its time."""
    gc.freeze()
    gc.disable()


def _how_started() -> BaseContext:
    """A copy of this process has its libraries at once, where a new one imports them for as long as it reads some logs.

    A lock that another thread holds is held in the copy for ever, and elsewhere than on Linux the system's own
    libraries may hold some.
    """
    alone = sys.platform == "linux" and threading.active_count() == 1
    return get_context("fork" if alone else "spawn")


def _in_order(
    pool: ProcessPoolExecutor, found: Iterable[Found], ahead: int, read: partial[LogRead | Unreadable]
) -> Iterator[LogRead | Unreadable]:
    rest = iter(found)
    waiting: deque[Future[LogRead | Unreadable]] = deque(pool.submit(read, each) for each in islice(rest, ahead))
    while waiting:
        one = waiting.popleft().result()
        waiting.extend(pool.submit(read, each) for each in islice(rest, 1))
        yield one


def read_log(found: Found, rejudge: Rejudge = "all") -> LogRead | Unreadable:
    """What one file says. Never raises for what it holds."""
    digest: str | None = None
    try:
        if found.trouble is not None:
            raise DamagedError(found.trouble)  # noqa: TRY301  # one place tells what is unreadable
        with open_file(found) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any file that seeks
            file.seek(0)
            return _read(found.name, file, digest, rejudge)
    except DamagedError as problem:
        return Unreadable(found.name, digest, _sentence(found.name, str(problem)))
    except OSError as problem:
        return Unreadable(found.name, digest, _sentence(found.name, f"cannot be opened: {problem.strerror or problem}"))
    except Exception as problem:  # whatever a file makes of its reader, it is no good log
        return Unreadable(found.name, digest, _sentence(found.name, f"cannot be read ({type(problem).__name__})"))


def _sentence(name: str, why: str) -> str:
    return f"{printable(name)} {printable(why)}"


def _read(name: str, file: IO[bytes], digest: str, rejudge: Rejudge) -> LogRead:
    log = open_log(file, name)
    header = log.header
    signs = Signs(header, log.summaries, log.twice, log.start)
    episodes: list[Played] = []
    for member in log.members():
        signs.look(member)
        one = played(name, header, member.sample)
        asked = rejudge == "all" or (rejudge == "positives" and True in one.answers.values())
        episodes.append(replace(one, mismatches=_mismatches(member.sample)) if asked else one)
    playbook = _playbook(header)
    return LogRead(
        log=Log(
            name=name,
            sha256=digest,
            eval_id=header.eval.eval_id,
            task=task_of(header),
            model=header.eval.model,
            status=header.status,
            role="control" if name.startswith(f"{CONTROLS}/") else "model",
            ended=moment(header.stats.completed_at),
        ),
        model=_model(header),
        task_version=str(header.eval.task_version),
        passed=header.eval.task_args_passed,
        settings=_settings(header),
        in_force=_in_force(header),
        grader=header.eval.grader,
        packages=header.eval.packages,
        suite=suite_of(header),
        episodes=tuple(sorted(episodes, key=lambda one: (one.sample, one.epoch, one.uuid))),
        missing=signs.missing,
        problems=(*signs.told(), *_nameless(episodes)),
        playbook=playbook,
    )


def _mismatches(sample: Sample) -> tuple[str, ...]:
    return (*judge_again(sample), *unlike_answers(sample))


def _model(header: Header) -> Model:
    spec, steps = header.eval, header.plan.steps
    scaffold = spec.solver or (steps[-1].solver if steps else "")
    return Model(
        name=spec.model,
        args=spec.model_args,
        base_url=spec.model_base_url,
        config=_generation(header),
        scaffold=scaffold,
    )


def _generation(header: Header) -> dict[str, Any]:
    """How the model generates: what the run says goes over its own settings, and stands in another place."""
    said = {name: value for name, value in header.plan.config.items() if value is not None}
    return {**header.eval.model_generate_config, **said}


def _made(spec: Spec) -> dict[str, object]:
    """Of what the model was made, beside its name: either can make it another."""
    return {"model_args": spec.model_args, "model_base_url": spec.model_base_url}


def _settings(header: Header) -> dict[str, object]:
    """What was changed in the run beside its task: it can make a model harmless, or another one."""
    spec, config = header.eval, header.eval.config
    beside = {name: getattr(config, name) for name in (*LIMITS, *sorted(BETWEEN))}
    of_task = {name: getattr(config, name) for name in OF_TASK if getattr(config, name) != spec.task_args.get(name)}
    generation = {name: value for name, value in _generation(header).items() if name in GENERATION}
    changed = {"solver": spec.solver, **_made(spec), **beside, **of_task, **generation, **_of_judge(spec)}
    return {name: value for name, value in changed.items() if value not in (None, {})}


def _of_judge(spec: Spec) -> dict[str, object]:
    """What was said of the judge beside its name: a system message can make it say anything."""
    role = (spec.model_roles or {}).get(ROLE)
    if not isinstance(role, dict):
        return {}
    config = role.get("config")
    generation = (
        {name: value for name, value in config.items() if name in GENERATION} if isinstance(config, dict) else {}
    )
    said = {**generation, "base_url": role.get("base_url"), "args": role.get("args")}
    return {f"{ROLE}.{name}": value for name, value in said.items() if value not in (None, {})}


def _in_force(header: Header) -> dict[str, object]:
    """What a policy may have asked for, whether anybody changed it or not."""
    spec, config, said = header.eval, header.eval.config, _generation(header)
    limits = {name: getattr(config, name) for name in (*OF_TASK, *LIMITS)}
    return {"solver": spec.solver, **_made(spec), **limits, **{name: said.get(name) for name in GENERATION}}


def _playbook(header: Header) -> str | None:
    if not header.eval.model.startswith(OURS):
        return None
    name = header.eval.model.removeprefix(OURS)
    return PurePosixPath(str(header.eval.model_args.get("file", ""))).stem if name == FROM_FILE else name


def _nameless(episodes: list[Played]) -> Iterator[str]:
    for one in episodes:
        if not one.arm or one.seed == NO_SEED:
            yield f"sample {quoted(one.sample)} names no seed or no arm"
