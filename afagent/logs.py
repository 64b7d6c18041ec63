"""Reads episodes out of Inspect logs, one at a time, without their transcripts.

Whatever a log should hold and does not is said: an episode that never ran or broke off comes out as one, with the
reason, and is never left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from inspect_ai.log import EvalLog, EvalSample, read_eval_log, read_eval_log_sample
from inspect_ai.scorer import Score

from afagent.errors import UsageError

SUFFIXES = (".eval", ".json")
"""Endings of Inspect's two log formats."""
HEAVY = {"attachments", "events", "events_data", "messages", "timelines"}
"""Parts of a sample that are not read: they may be hundreds of megabytes."""


class LogError(UsageError):
    """A file is not a log of Inspect's, or is damaged."""


@dataclass(frozen=True)
class Episode:
    """What a log says of one episode."""

    log: Path | str
    task: str
    model: str
    id: str
    epoch: int
    metadata: Mapping[str, Any] = field(default_factory=dict)
    store: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    """By scorer; empty when it was not scored."""
    error: str | None = None
    """Why it did not run to its end, in a line; None when it did."""
    limit: str | None = None
    """The kind of limit that ended it, such as `message`; None when none did."""


def run_folder(logs: Path, kind: str) -> Path:
    """A folder of its own for one run's logs, below `logs`, named after the kind of run and the time."""
    return logs / f"{kind}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"


def make_folder(folder: Path) -> None:
    """Makes a folder for logs.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"no logs can be written to {folder}: {problem.strerror}") from problem


def find_logs(paths: Iterable[Path]) -> list[Path]:
    """The log files that are named or lie anywhere below a named folder, sorted, each once.

    Raises:
        UsageError: a path does not exist.
    """
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found.update(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        elif path.exists():
            found.add(path)
        else:
            raise UsageError(f"no log {path}")
    return sorted(found)


def read_header(log: Path | str) -> EvalLog:
    """A log without its samples.

    Args:
        log: a file, or an address that fsspec knows.

    Raises:
        LogError: the file is not a log of Inspect's, or is damaged.
    """
    try:
        return read_eval_log(log, header_only=True)
    except Exception as problem:  # whatever Inspect's readers raise on bytes that are no log
        raise LogError(f"{log} cannot be read as a log of Inspect's ({_brief(problem)})") from problem


def episodes(paths: Iterable[Path], sample: str | None = None, epoch: int | None = None) -> Iterator[Episode]:
    """Every episode that the logs hold or should hold, in their order; one in memory at a time.

    Args:
        paths: log files, and folders of them.
        sample: only the sample with this id.
        epoch: only this epoch, from 1.

    Raises:
        UsageError: a path does not exist.
        LogError: a file is not a log, or is damaged.
    """
    for log in find_logs(paths):
        yield from episodes_of(log, sample, epoch)


def episodes_of(log: Path | str, sample: str | None = None, epoch: int | None = None) -> Iterator[Episode]:
    """Every episode that one log holds or should hold; one in memory at a time.

    Args:
        log: a file, or an address that fsspec knows.
        sample: only the sample with this id.
        epoch: only this epoch, from 1.

    Raises:
        LogError: it is not a log, or is damaged.
    """
    header = read_header(log)
    for sample_id in header.eval.dataset.sample_ids or []:
        if sample not in (None, str(sample_id)):
            continue
        for number in range(1, (header.eval.config.epochs or 1) + 1):
            if epoch in (None, number):
                yield _episode(log, header, sample_id, number)


def is_unscored(value: object) -> bool:
    """Whether a score's value, or a part of it, says that the scorer could not answer."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _episode(log: Path | str, header: EvalLog, sample_id: str | int, epoch: int) -> Episode:
    task, model = header.eval.task, header.eval.model
    try:
        sample = read_eval_log_sample(log, sample_id, epoch, exclude_fields=HEAVY)
    except (IndexError, KeyError):
        why = f"it is not in the log (the run's status is {header.status})"
        return Episode(log, task, model, str(sample_id), epoch, error=why)
    except Exception as problem:
        raise LogError(f"{log}: sample {sample_id} cannot be read ({_brief(problem)})") from problem
    return Episode(
        log=log,
        task=task,
        model=model,
        id=str(sample.id),
        epoch=sample.epoch,
        metadata=sample.metadata,
        store=sample.store,
        scores=sample.scores or {},
        error=_error(sample),
        limit=sample.limit.type if sample.limit else None,
    )


def _error(sample: EvalSample) -> str | None:
    if sample.error is not None:
        return _brief(sample.error.message)
    if sample.invalidation is not None:
        return f"invalidated: {_brief(sample.invalidation.reason or 'no reason given')}"
    return None


def _brief(problem: object) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0][:200] if lines else type(problem).__name__
