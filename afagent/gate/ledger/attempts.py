"""What the ledger says was tried: attempts, made from its rows. Pure.

An attempt is a throw of the dice: a set of evidence that was looked at, or a run that never came to evidence.

1. Each distinct set of evidence (`verdict.Verdict.evidence`) of a policy and model is one attempt, however often it is
   judged. It stands where it was first named, or where the run that made it was opened. Where the policy's text was
   changed after that, it is looked at once more: what it was judged as before is an attempt before this one.
2. A run that has named no evidence is an attempt of its own: refused, broken off, interrupted, or never closed. One
   that is continued after it named some is looked at once more, and counts like a new one.
3. A check that has named no evidence is none: it has seen nothing, and told nobody anything.
4. An attempt's outcome is the worst that its evidence was ever judged as, so that a milder policy hides nothing.
5. What came *before* a set of evidence is what the ledger held when it was first named under this text of the policy.
   Rows are never changed, so the answer is the same for ever, and a second check gives the same bytes.

A policy counts by its name, whatever its digest: a changed limit does not start the count anew. A new name does, so
that what was tried under other names is counted beside it (`elsewhere`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from afagent.gate.verdict import SEVERITY, Attempt

Kind = Literal["run", "check"]
Broken = Literal["ERROR", "REFUSED", "INTERRUPTED"]
NEVER_CLOSED = "never closed"
_FROM_MILDEST = (NEVER_CLOSED, "INTERRUPTED", "REFUSED", "ERROR", *SEVERITY)


class Recorded(BaseModel):
    """A log, as it was when the ledger first saw it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    eval_id: str
    sha256: str


class Event(BaseModel):
    """What one row of the ledger says. Times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    """From 1, without gaps."""
    when: datetime
    event: Literal["opened", "evidence", "closed"]
    """`evidence`: from here on it is known what is judged."""
    entry: str
    """Which rows belong together."""
    kind: Kind
    policy: str
    policy_digest: str
    model: str | None
    """None: not known yet, as before a check has read its logs."""
    baseline: str | None
    suite: str
    """The version of afagent."""
    evidence: str | None = None
    logs: tuple[Recorded, ...] = ()
    """Those that were finished; a log that still grows has no digest to keep."""
    outcome: str | None = None
    verdict: str | None = None
    """SHA-256 of its bytes."""
    file: str | None = None
    """Where the verdict lies, relative to the folder of verdicts."""
    oldest_episode: datetime | None = None
    last_episode: datetime | None = None
    expires: datetime | None = None
    why: str | None = None
    """The sentence of an error."""


@dataclass(frozen=True)
class Tried:
    """One attempt, with the rows that it is made of."""

    evidence: str | None
    """None: it named none."""
    opened: Event
    """The first of its rows."""
    closed: Event | None
    """The row with the worst outcome; None: never closed."""
    latest: Event | None
    """The row with the newest outcome."""

    @property
    def outcome(self) -> str:
        """The worst that it was judged as."""
        return NEVER_CLOSED if self.closed is None else self.closed.outcome or NEVER_CLOSED


def tried(events: Sequence[Event], policy: str, model: str | None) -> list[Tried]:
    """The attempts of a policy and model, in the order in which they began.

    Args:
        events: the ledger's, in order.
        policy: its name.
        model: as Inspect names it.
    """
    opened: dict[str, Event] = {}
    named: dict[str, list[str]] = {}
    groups: dict[str, list[Event]] = {}
    for event in events:
        if event.policy != policy or (event.model is not None and event.model != model):
            continue
        if event.event == "opened" and event.entry in named:
            del opened[event.entry], named[event.entry]
        first = opened.setdefault(event.entry, event)
        if event.evidence is not None:
            known = named.setdefault(event.entry, [])
            if event.evidence not in known:
                known.append(event.evidence)
            begun = first if event.kind == "run" and known[0] == event.evidence else event
            groups.setdefault(event.evidence, [begun]).append(event)
        elif event.event == "closed" and event.entry in named:
            groups[named[event.entry][-1]].append(event)
    for entry, first in opened.items():
        if first.kind == "run" and entry not in named:
            ended = [
                one for one in events if one.entry == entry and one.event == "closed" and one.number > first.number
            ]
            groups[entry] = [first, *ended]
    return sorted(map(_one, groups.values()), key=lambda one: one.opened.number)


def before(
    events: Sequence[Event], policy: str, model: str, evidence: str | None, digest: str | None = None
) -> list[Attempt]:
    """The attempts before a set of evidence was first named, oldest first; all there are, if it never was.

    Args:
        events: the ledger's, in order.
        policy: its name.
        model: as Inspect names it.
        evidence: the digest; None: all attempts.
        digest: of the policy's text; None: whichever it was.
    """
    first = _first_named(events, policy, model, evidence, digest)
    known = _until(events, first)
    earlier = [one for one in tried(known, policy, model) if first is None or not _is_itself(one, first)]
    return [
        Attempt(
            number=number,
            when=one.opened.when,
            outcome=one.outcome,
            verdict=None if one.closed is None else one.closed.verdict,
        )
        for number, one in enumerate(earlier, start=1)
    ]


def elsewhere(events: Sequence[Event], policy: str, model: str, evidence: str | None, digest: str | None = None) -> int:
    """How many attempts of the model stand under other policies, at the same time and asked for as for `before`."""
    known = _until(events, _first_named(events, policy, model, evidence, digest))
    others = {event.policy for event in known if event.model == model} - {policy}
    return sum(len(tried(known, other, model)) for other in others)


def _first_named(
    events: Sequence[Event], policy: str, model: str, evidence: str | None, digest: str | None
) -> Event | None:
    """Where a set of evidence was first named under the policy, or under this text of it."""
    ours = (
        event
        for event in events
        if event.policy == policy and event.model in (model, None) and digest in (event.policy_digest, None)
    )
    return next((event for event in ours if evidence is not None and event.evidence == evidence), None)


def _until(events: Sequence[Event], first: Event | None) -> list[Event]:
    return [event for event in events if first is None or event.number < first.number]


def _is_itself(one: Tried, first: Event) -> bool:
    """Whether this is the run that is about to name its evidence."""
    return one.evidence is None and one.opened.entry == first.entry


def _one(rows: list[Event]) -> Tried:
    outcomes = [row for row in rows if row.event == "closed"]
    worst = max(outcomes, key=lambda row: (_severity(row.outcome), -row.number), default=None)
    evidence = next((row.evidence for row in rows if row.evidence is not None), None)
    return Tried(evidence, rows[0], worst, outcomes[-1] if outcomes else None)


def _severity(outcome: str | None) -> int:
    """What nobody knows is worst."""
    return _FROM_MILDEST.index(outcome) if outcome in _FROM_MILDEST else len(_FROM_MILDEST)
