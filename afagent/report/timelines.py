"""What happened in one episode, read from its log: the acts, the events that prove them, and where to look further.

Only episodes that are asked for are read, one at a time and without their conversations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inspect_ai.log import EvalSample, read_eval_log_sample
from inspect_ai.scorer import Score

from afagent.evidence.chain import Chain, lines_in, read_chain
from afagent.evidence.events import Events
from afagent.logs import HEAVY
from afagent.sandboxes.recorder.events import Event, as_record

Wanted = tuple[str, str, int]
"""An episode: its log's name, the sample's id, the epoch."""
MOST_ACTS = 40
MOST_EVENTS = 60
"""Of one episode; how many there are is told beside those that are shown."""


@dataclass(frozen=True)
class Moment:
    """An event of the witness that an act rests on."""

    number: int
    when: float
    """Seconds since 1970."""
    kind: str
    what: str


@dataclass(frozen=True)
class Act:
    """A finding, as the log tells it."""

    question: str
    summary: str
    rung: str
    strength: str
    sanctioned: bool = False
    concealed: bool = False
    when: float | None = None
    """Seconds since 1970 of its first event; None where no event tells."""
    destination: str | None = None
    diff: str = ""
    events: tuple[int, ...] = ()
    messages: tuple[int, ...] = ()
    techniques: tuple[str, ...] = ()


@dataclass(frozen=True)
class Timeline:
    """An episode's evidence, in the order of time."""

    log: str
    sample: str
    epoch: int
    acts: tuple[Act, ...] = ()
    moments: tuple[Moment, ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()
    """Each scorer's explanation, by its name."""
    cites: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What a citation such as `E12` points to in the viewer: `event` or `message`, and its id."""
    problems: tuple[str, ...] = ()
    """What is wrong with the evidence, each a sentence; none where it is whole."""
    left_out: int = 0
    """Acts and events beyond those that are kept here."""


def read_timelines(folder: str, wanted: Iterable[Wanted]) -> list[Timeline]:
    """The timelines of some episodes, in the order in which they are asked for.

    An episode that cannot be read comes out as one with that as its problem, and is never left out.

    Args:
        folder: where the logs are: a path, or an address that fsspec knows.
        wanted: the episodes; logs are named by their address below the folder.
    """
    return [_read(folder, *each) for each in wanted]


def _read(folder: str, log: str, sample: str, epoch: int) -> Timeline:
    address = f"{folder.rstrip('/')}/{log}"
    try:
        return timeline_of(log, read_eval_log_sample(address, sample, epoch, exclude_fields=HEAVY))
    except Exception as problem:  # whatever Inspect's readers raise on bytes that the model may have had a hand in
        why = f"the episode cannot be read from its log ({type(problem).__name__})"
        return Timeline(log, sample, epoch, problems=(why,))


def timeline_of(log: str, sample: EvalSample) -> Timeline:
    """The timeline of a sample that was read, whatever of it is there."""
    chain = _chain(sample)
    by_number = {event.seq: event for event in chain.events}
    acts = _acts(sample.scores or {}, by_number)
    numbers = sorted({number for act in acts[:MOST_ACTS] for number in act.events if number in by_number})
    return Timeline(
        log=log,
        sample=str(sample.id),
        epoch=sample.epoch,
        acts=tuple(acts[:MOST_ACTS]),
        moments=tuple(_moment(by_number[number]) for number in numbers[:MOST_EVENTS]),
        accounts=tuple((name, score.explanation) for name, score in (sample.scores or {}).items() if score.explanation),
        cites=_cites(sample.scores or {}),
        problems=(*chain.problems, *(str(problem) for problem in _list(sample.store.get("Evidence:problems")))),
        left_out=max(0, len(acts) - MOST_ACTS) + max(0, len(numbers) - MOST_EVENTS),
    )


def _chain(sample: EvalSample) -> Chain:
    lines, head = sample.store.get("Evidence:log"), sample.store.get("Evidence:head")
    if not isinstance(lines, str):
        return Chain(Events(), ("the log holds no record of the witness",))
    return read_chain(lines_in(lines), head if isinstance(head, str) else None, str(sample.id))


def _moment(event: Event) -> Moment:
    record = as_record(event)
    told = (f"{name} {value}" for name, value in record["data"].items() if value not in (None, "", [], {}))
    return Moment(event.seq, event.time, record["kind"], ", ".join(text[:200] for text in told))


def _acts(scores: Mapping[str, Score], events: Mapping[int, Event]) -> list[Act]:
    """All findings of all scorers, each once: several scorers may tell the same."""
    found: dict[tuple[str, str, tuple[int, ...]], Act] = {}
    for name, score in scores.items():
        for data in _list((score.metadata or {}).get("findings")):
            if isinstance(data, dict):
                act = _act(name, data, events)
                found.setdefault((act.question, act.summary, act.events), act)
    return sorted(found.values(), key=lambda act: (act.when is None, act.when or 0, act.question, act.summary))


def _act(scorer: str, data: Mapping[str, Any], events: Mapping[int, Event]) -> Act:
    numbers = _numbers(data.get("events"))
    times = [events[number].time for number in numbers if number in events]
    return Act(
        question=str(data.get("question") or scorer),
        summary=str(data.get("summary", "")),
        rung=str(data.get("effect") or data.get("stage") or ""),
        strength=str(data.get("strength", "")),
        sanctioned=data.get("sanctioned") is True,
        concealed=data.get("concealed") is True,
        when=min(times, default=None),
        destination=None if data.get("destination") is None else str(data["destination"]),
        diff=str(data.get("diff") or ""),
        events=numbers,
        messages=_numbers(data.get("messages")),
        techniques=tuple(str(each) for key in ("attack", "atlas") for each in _list(data.get(key))),
    )


def _cites(scores: Mapping[str, Score]) -> dict[str, tuple[str, str]]:
    cites = {}
    for score in scores.values():
        for reference in _list((score.metadata or {}).get("scanner_references")):
            if isinstance(reference, dict) and reference.get("type") in ("event", "message"):
                cites[str(reference.get("cite", "")).strip("[]")] = (reference["type"], str(reference.get("id", "")))
    return cites


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(number for number in _list(value) if isinstance(number, int))
