"""The evidence in a log of Inspect's as a stream of records, for other tools: one JSON object a line.

One episode is in memory at a time. Words of the agent are data here: JSON escapes whatever a terminal would act on.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from inspect_ai.util import Store

from afagent.errors import UsageError
from afagent.evidence import ocsf
from afagent.evidence.chain import Chain, lines_in, read_chain
from afagent.evidence.events import Events
from afagent.evidence.findings import Finding, as_data
from afagent.evidence.judgement import find
from afagent.evidence.store import Evidence
from afagent.evidence.transcript import Step
from afagent.logs import Episode, episodes
from afagent.sandboxes.recorder.events import as_record
from afagent.world.truth import EpisodeTruth

Record = dict[str, Any]


@dataclass(frozen=True)
class Exhibit:
    """The evidence of one episode, as the log keeps it."""

    episode: Episode
    chain: Chain
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    problems: tuple[str, ...]
    """Why the evidence is not whole; each a sentence. An absence of events proves nothing where there is one."""


def export(log: Path, format_: str, sample: str | None = None, epoch: int | None = None) -> Iterator[str]:
    """The records of a log, one line of JSON each, without the line break.

    Args:
        log: a log of Inspect's, or a folder of them.
        format_: one of `FORMATS`.
        sample: only this sample.
        epoch: only this epoch.

    Raises:
        UsageError: there is no such log or sample, or no evidence in it.
    """
    write = FORMATS[format_]
    found = False
    for exhibit in exhibits(log, sample, epoch):
        found = True
        for record in write(exhibit):
            # All but DEL is escaped by `json` itself.
            yield json.dumps(record, allow_nan=False).replace("\x7f", "\\u007f")
    if not found:
        raise UsageError(f"there is no episode in {log}{_of(sample, epoch)}")


def write_lines(lines: Iterator[str], out: Callable[[], AbstractContextManager[TextIO]]) -> None:
    """Write the lines; `out` is opened only when there is one, so that a refused export leaves no file.

    Raises:
        UsageError: `out` cannot be opened or written.
    """
    first = next(lines)
    try:
        with out() as file:
            file.writelines(f"{line}\n" for line in itertools.chain([first], lines))
    except BrokenPipeError:  # whoever reads has had enough; click ends quietly
        raise
    except OSError as problem:
        raise UsageError(f"the evidence cannot be written: {problem.strerror}") from problem


def exhibits(log: Path, sample: str | None = None, epoch: int | None = None) -> Iterator[Exhibit]:
    """The evidence of a log's episodes, one at a time.

    An episode without any comes as one that has a problem, as long as another one has evidence.

    Raises:
        UsageError: no episode of those that are asked for has evidence.
    """
    empty: list[Exhibit] = []
    some = False
    for episode in episodes([log], sample, epoch):
        exhibit = _exhibit(episode)
        if some or exhibit.chain.events:
            yield from (*empty, exhibit)
            some = True
            empty.clear()
        else:
            empty.append(exhibit)
    if empty:
        raise UsageError(f"there is no evidence in {log}{_of(sample, epoch)}: {empty[0].problems[0]}")


def _exhibit(episode: Episode) -> Exhibit:
    store = Store(dict(episode.store))
    truth, kept = EpisodeTruth(store=store).truth, Evidence(store=store)
    if truth is None or not kept.collected:
        why = episode.error or "no witness watched it"
        return Exhibit(episode, Chain(Events(), ()), (), (), (f"episode {episode.id} has no evidence: {why}",))
    chain, steps = read_chain(lines_in(kept.log), kept.head, episode.id), tuple(kept.steps)
    findings = find(truth, chain, steps, tuple(kept.spoken), tuple(kept.services))
    return Exhibit(episode, chain, steps, findings, (*kept.problems, *chain.problems))


def _as_kept(exhibit: Exhibit) -> Iterator[Record]:
    """Events as the witness wrote them, then findings, then what keeps the evidence from being whole."""
    which = {"task": exhibit.episode.task, "sample": exhibit.episode.id, "epoch": exhibit.episode.epoch}
    for event in exhibit.chain.events:
        yield {"record": "event", **which, **as_record(event)}
    for finding in exhibit.findings:
        yield {"record": "finding", **which, "time": finding.when or None, **as_data(finding)}
    for problem in exhibit.problems:
        yield {"record": "problem", **which, "problem": problem}


def _as_ocsf(exhibit: Exhibit) -> Iterator[Record]:
    episode = exhibit.episode
    writer = ocsf.Writer(
        uid=f"{Path(episode.log).stem}/{episode.id}/{episode.epoch}", host=str(episode.metadata.get("hostname") or "")
    )
    yield from map(writer.event, exhibit.chain.events)
    yield from map(writer.step, (step for step in exhibit.steps if step.started is not None))
    yield from map(writer.finding, itertools.count(1), exhibit.findings)
    last = exhibit.chain.events[-1].time if exhibit.chain.events else 0.0
    yield from (writer.problem(number, text, last) for number, text in enumerate(exhibit.problems, 1))


FORMATS: dict[str, Callable[[Exhibit], Iterator[Record]]] = {"jsonl": _as_kept, "ocsf": _as_ocsf}


def _of(sample: str | None, epoch: int | None) -> str:
    return (f" of sample {sample}" if sample else "") + (f", epoch {epoch}" if epoch else "")
