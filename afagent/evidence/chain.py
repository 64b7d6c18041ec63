"""Reads the witness's log and says whether it is whole."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from afagent.evidence.events import Events
from afagent.quoting import quoted
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
    from_record,
)

GAP_SECONDS = 10 * BEAT_SECONDS
"""A longer silence between two signs of life is a gap. One second would blame a busy machine."""


@dataclass(frozen=True)
class Chain:
    """The events of an episode, and what is wrong with their log."""

    events: Events
    """Those that were sealed one onto the other from the start; what comes after a break is left out."""
    problems: tuple[str, ...]
    """Each a sentence; none when the log is whole. An absence of events proves something only in a whole log."""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing, changed or out of place."""
        return not self.problems


def lines_in(log: str) -> Iterator[str]:
    """The lines of a log, each cut out when it is asked for.

    They end as the witness ends them, and at nothing else that `str.splitlines` would take for an end and looks for.
    """
    start = 0
    while start < len(log):
        end = log.find("\n", start)
        end = len(log) if end < 0 else end
        yield log[start:end]
        start = end + 1


def read_chain(lines: Iterable[str], head: str | None, episode: str | None = None) -> Chain:
    """The chain in the lines of a log.

    Args:
        lines: the log, one event a line.
        head: the last event's hash as the witness gave it by another way; None when it could not be asked.
        episode: the episode that the log has to be of; None when any will do.
    """
    sealed: list[Event] = []
    problems: list[str] = []
    previous = GENESIS
    for number, line in enumerate(lines, 1):
        try:
            event = _decoded(line)
        except MalformedEventError:
            problems.append(f"line {number} of the witness's log is not an event")
            break
        if event.seq != number or not (_as_sealed(line, event, previous) or follows(event, previous)):
            problems.append(f"event {number} of the witness's log was changed, dropped or put in another place")
            break
        sealed.append(event)
        previous = event.hash
    events = Events(sealed)
    if not problems:
        problems += _ends(events, previous, head)
    problems += [*_starts(events, episode), *_gaps(events), *_clocks(events), *_full(events), *_faults(events)]
    return Chain(events, tuple(problems))


def _decoded(line: str) -> Event:
    """Says the same as `from_line`, whose reader takes several times as long and knows texts that this one refuses."""
    try:
        record = _DECODER.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return from_line(line)
    return from_record(record)


_DECODER = msgspec.json.Decoder()


def _as_sealed(line: str, event: Event, previous: str) -> bool:
    """Says the same as `follows` of a line as it was written, without the cost of writing the event anew."""
    opening = f'{{"hash":"{event.hash}",'
    if not line.startswith(opening) or not line.isascii():
        return False
    body = f"{previous}\n{{{line[len(opening) :]}"
    return hashlib.sha256(body.encode("ascii")).hexdigest() == event.hash


def _ends(events: Events, last: str, head: str | None) -> list[str]:
    if not events:
        return ["the witness's log is empty"]
    problems = []
    if not isinstance(events[-1].fact, Ended):
        problems.append("the witness's log stops before the end of the episode")
    if head is not None and head != last:
        problems.append("the witness's log is not the one that the witness closed")
    return problems


def _starts(events: Events, episode: str | None) -> list[str]:
    """One log is one episode from its start to its end, and the one that was asked for."""
    if not events:
        return []
    problems = []
    first = events[0].fact
    if not isinstance(first, Started):
        problems.append("the witness's log does not begin at the start of the episode")
    elif episode not in (None, first.episode):
        problems.append(f"the witness's log is of another episode: {quoted(first.episode)}")
    if any(event is not events[0] for event, _ in events.of(Started)):
        problems.append("the witness's log begins more than once")
    if any(event is not events[-1] for event, _ in events.of(Ended)):
        problems.append("the witness's log goes on after its end")
    return problems


def _gaps(events: Events) -> list[str]:
    beats = events.of(Beat)
    if not beats:
        return ["the witness gave no sign of life"] if events else []
    silences = [
        max(later.time - earlier.time, now.uptime - before.uptime)
        for (earlier, before), (later, now) in itertools.pairwise(beats)
    ]
    if isinstance(events[-1].fact, Ended):
        silences.append(events[-1].time - beats[-1][0].time)
    longest = max(silences, default=0.0)
    return [f"the witness was silent for {longest:.0f} s"] if longest > GAP_SECONDS else []


def _clocks(events: Events) -> list[str]:
    """The wall clock can be set and the monotonic one cannot: where they part, the times in the log are not to be had.

    What is counted from the start goes up only, too.
    """
    beats = events.of(Beat)
    problems = []
    pairs = list(itertools.pairwise(fact for _, fact in beats))
    if any(now.uptime < before.uptime for before, now in pairs):
        problems.append("the witness's own clock ran backwards")
    if any(now.packets < before.packets or now.bytes < before.bytes for before, now in pairs):
        problems.append("the counters of the workstation's link ran backwards")
    # Between any two signs of life, not only the first and the last: a clock may be set forth and back.
    offsets = [event.time - fact.uptime for event, fact in beats]
    if offsets and max(offsets) - min(offsets) > GAP_SECONDS:
        problems.append(f"the witness's clock was moved by {max(offsets) - min(offsets):.0f} s during the episode")
    return problems


def _full(events: Events) -> list[str]:
    said = [limit.what for limit in events.facts(Limit) if limit.where == "log"]
    return [f"the witness's log lacks facts: {quoted(said[0])}"] if said else []


def _faults(events: Events) -> list[str]:
    return [f"the witness failed in {fault.where}: {quoted(fault.what)}" for _, fault in events.of(Fault)[:3]]
