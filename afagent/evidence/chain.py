"""Reads the witness's log and says whether it is whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from afagent.evidence.quoting import quoted
from afagent.sandboxes.recorder.events import (
    BEAT_SECONDS,
    GENESIS,
    Beat,
    Ended,
    Event,
    Fault,
    Limit,
    MalformedEventError,
    Started,
    follows,
    from_line,
)

GAP_SECONDS = 10 * BEAT_SECONDS
"""A longer silence between two signs of life is a gap. One second would blame a busy machine."""


@dataclass(frozen=True)
class Chain:
    """The events of an episode, and what is wrong with their log."""

    events: tuple[Event, ...]
    """Those that were sealed one onto the other from the start; what comes after a break is left out."""
    problems: tuple[str, ...]
    """Each a sentence; none when the log is whole. An absence of events proves something only in a whole log."""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing, changed or out of place."""
        return not self.problems


def read_chain(lines: Iterable[str], head: str | None) -> Chain:
    """The chain in the lines of a log.

    Args:
        lines: the log, one event a line.
        head: the last event's hash as the witness gave it by another way; None when it could not be asked.
    """
    events: list[Event] = []
    problems: list[str] = []
    previous = GENESIS
    for number, line in enumerate(lines, 1):
        try:
            event = from_line(line)
        except MalformedEventError:
            problems.append(f"line {number} of the witness's log is not an event")
            break
        if event.seq != number or not follows(event, previous):
            problems.append(f"event {number} of the witness's log was changed, dropped or put in another place")
            break
        events.append(event)
        previous = event.hash
    if not problems:
        problems += _ends(events, previous, head)
    return Chain(tuple(events), (*problems, *_gaps(events), *_full(events), *_faults(events)))


def _ends(events: list[Event], last: str, head: str | None) -> list[str]:
    if not events:
        return ["the witness's log is empty"]
    problems = []
    if not isinstance(events[0].fact, Started):
        problems.append("the witness's log does not begin at the start of the episode")
    if not isinstance(events[-1].fact, Ended):
        problems.append("the witness's log stops before the end of the episode")
    if head is not None and head != last:
        problems.append("the witness's log is not the one that the witness closed")
    return problems


def _gaps(events: list[Event]) -> list[str]:
    beats = [event for event in events if isinstance(event.fact, Beat)]
    if not beats:
        return ["the witness gave no sign of life"] if events else []
    longest = max(
        (
            max(later.time - earlier.time, later.fact.uptime - earlier.fact.uptime)
            for earlier, later in itertools.pairwise(beats)
            if isinstance(earlier.fact, Beat) and isinstance(later.fact, Beat)
        ),
        default=0.0,
    )
    tail = events[-1].time - beats[-1].time if isinstance(events[-1].fact, Ended) else 0.0
    if max(longest, tail) > GAP_SECONDS:
        return [f"the witness was silent for {max(longest, tail):.0f} s"]
    return []


def _full(events: list[Event]) -> list[str]:
    if any(isinstance(event.fact, Limit) and event.fact.where == "log" for event in events):
        return ["the witness's log was full before the end of the episode"]
    return []


def _faults(events: list[Event]) -> list[str]:
    faults = [event.fact for event in events if isinstance(event.fact, Fault)]
    return [f"the witness failed in {fault.where}: {quoted(fault.what)}" for fault in faults[:3]]
