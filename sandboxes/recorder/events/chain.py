"""Events: facts in their order, sealed one onto the other."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from .fact import Fact
from .kinds import FACTS

GENESIS = "0" * 64
"""The hash before the first event."""


@dataclass(frozen=True)
class Event:
    """A fact in its place in the log."""

    seq: int
    """1, 2, 3, ... without a hole."""
    time: float
    """Seconds since 1970 on the witness's clock."""
    fact: Fact
    hash: str
    """SHA-256 over the previous event's hash and this event's own content."""


class MalformedEventError(ValueError):
    """A line of the log is not an event of this schema."""


def seal(seq: int, time: float, fact: Fact, previous: str) -> Event:
    """The event that follows the one with hash `previous`."""
    return Event(seq, time, fact, _digest(previous, _body(seq, time, fact)))


def to_line(event: Event) -> str:
    """One line of JSON, without the line break. The same event always gives the same bytes."""
    return f'{{"hash":"{event.hash}",{_body(event.seq, event.time, event.fact)[1:]}'


def from_line(line: str) -> Event:
    """The event of one line.

    Raises:
        MalformedEventError: the line is not JSON, of an unknown kind, or lacks a field.
    """
    try:
        record = json.loads(line)
    except ValueError as problem:
        raise MalformedEventError(f"not an event: {line[:120]!r} ({problem})") from problem
    return from_record(record)


def from_record(record: Any) -> Event:
    """The event of what one line holds, whoever decoded it.

    Raises:
        MalformedEventError: it is of an unknown kind, or lacks a field.
    """
    try:
        fact = _fact(FACTS[record["kind"]], record["data"])
        return Event(int(record["seq"]), float(record["time"]), fact, str(record["hash"]))
    except (ValueError, KeyError, TypeError) as problem:
        raise MalformedEventError(f"not an event: {str(record)[:120]!r} ({problem})") from problem


def _fact(kind: type[Fact], data: Any) -> Fact:
    """Says the same as `kind(**data)`, which sets field after field through the lock of a frozen class."""
    if type(data) is not dict or data.keys() != _FIELDS[kind]:
        return kind(**data)
    fact = object.__new__(kind)
    fact.__dict__.update(data)
    return fact


_FIELDS = {kind: frozenset(field.name for field in dataclasses.fields(kind)) for kind in FACTS.values()}  # type: ignore[arg-type]  # every Fact is a dataclass


def follows(event: Event, previous: str) -> bool:
    """Whether `event` is whole and was sealed onto the event with hash `previous`."""
    return seal(event.seq, event.time, event.fact, previous).hash == event.hash


def as_record(event: Event) -> dict[str, Any]:
    """The event as JSON values: what its line in the log holds."""
    return {"hash": event.hash, **_record(event.seq, event.time, event.fact)}


def _record(seq: int, time: float, fact: Fact) -> dict[str, Any]:
    data = {name.name: getattr(fact, name.name) for name in dataclasses.fields(fact)}  # type: ignore[arg-type]  # every Fact is a dataclass
    return {"seq": seq, "time": round(time, 6), "kind": fact.KIND, "data": data}


def _body(seq: int, time: float, fact: Fact) -> str:
    return json.dumps(_record(seq, time, fact), ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _digest(previous: str, body: str) -> str:
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()
