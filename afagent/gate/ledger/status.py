"""Whether a model has a valid verdict that is recent enough. A gate that did not run is a failure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from afagent.errors import GateError, UsageError
from afagent.gate.ledger.attempts import NEVER_CLOSED, Event, Tried, tried
from afagent.gate.ledger.book import Ledger
from afagent.gate.policy import Policy
from afagent.gate.verdict import EXIT_CODES, Verdict
from afagent.quoting import printable

NOTHING_RECENT = EXIT_CODES["INCONCLUSIVE"]
MISMATCH = EXIT_CODES["MISMATCH"]
CLOCKS_DIFFER = timedelta(minutes=10)
"""Evidence may be so much later than this machine's clock."""


@dataclass(frozen=True)
class Status:
    """How it stands, in one sentence. Only an exit code of 0 is good news."""

    exit_code: int
    sentence: str


def status(
    policy: Policy,
    ledger: Ledger,
    verdicts: Path,
    model: str | None,
    max_age: timedelta | None,
    now: datetime,
    deadline: timedelta = timedelta(0),
) -> Status:
    """How a policy stands for a model, as ledger and verdicts say.

    Args:
        policy: as it is now.
        ledger: where the attempts are.
        verdicts: the folder to which the ledger's files are relative.
        model: as Inspect names it; None: the only one that the ledger knows for this policy.
        max_age: of the oldest episode that decides; None: only the verdict's own expiry counts.
        now: the time.
        deadline: a run that was opened so lately and is not closed is taken to be still at work, and what was before it
            counts. By default none is.

    Raises:
        UsageError: no model was named, and there are several.
        GateError: the ledger cannot be read. (One that was changed is a mismatch.)
    """
    wrong = ledger.verify()
    if wrong:
        return Status(MISMATCH, f"the ledger was changed: {wrong[0]}")
    return judge(policy, ledger.events(), lambda file: _read(verdicts / file), model, max_age, now, deadline)


def judge(
    policy: Policy,
    events: Sequence[Event],
    read: Callable[[str], bytes | None],
    model: str | None,
    max_age: timedelta | None,
    now: datetime,
    deadline: timedelta = timedelta(0),
) -> Status:
    """The same of rows and files. Pure but for `read`, which gives a verdict's bytes, or None where there are none."""
    name = _only_model(policy.name, events) if model is None else model
    of = f"{policy.name} for {printable(name)}" if name is not None else policy.name
    known = [] if name is None else tried(events, policy.name, name)
    settled = [one for one in known if one.closed is not None or now - one.opened.when > deadline]
    if not settled:
        return Status(NOTHING_RECENT, f"{of}: no verdict{', a run is still at work' if known else ' was ever reached'}")
    counting = [one for one in settled if not _was_refused_beside(one, settled)]
    last = max(counting, key=lambda one: (_time_of(one), one.opened.number))
    return _of_last(policy, of, last, now) or _of_age(of, last, max_age, now) or _of_file(of, last, policy, read)


def begun_since(policy: str, events: Sequence[Event], model: str | None, since: datetime) -> bool:
    """Whether a run was begun since then, whatever came of it.

    For schedules that catch up on what was missed: to run again because a verdict was bad would be to throw the dice
    until it is good.
    """
    return any(
        event.policy == policy
        and event.kind == "run"
        and event.event == "opened"
        and event.when >= since
        and model in (None, event.model)
        for event in events
    )


def _only_model(policy: str, events: Sequence[Event]) -> str | None:
    names = sorted({event.model for event in events if event.policy == policy and event.model is not None})
    if len(names) > 1:
        listed = ", ".join(map(printable, names))
        raise UsageError(f"{policy} was tried with several models, say which with --model: {listed}")
    return names[0] if names else None


def _was_refused_beside(one: Tried, settled: Sequence[Tried]) -> bool:
    """Whether a run was refused while another was at work that has ended since: what that one said is the news."""
    return (one.latest is not None and one.latest.outcome == "REFUSED") and any(
        other.latest is not None
        and other.latest.kind == "run"
        and other.latest.outcome != "REFUSED"
        and other.opened.when < one.opened.when < other.latest.when
        for other in settled
    )


def _time_of(one: Tried) -> datetime:
    """When its evidence was made, so that to check old evidence again does not make it news.

    A PASS is as old as its oldest episode, all else as new as its last: one new episode, or an old baseline, must not
    put good news behind bad.
    """
    latest = one.latest
    if latest is None:
        return one.opened.when
    oldest = latest.oldest_episode if latest.outcome == "PASS" else None
    told = oldest or latest.last_episode or one.opened.when
    # Evidence that claims to be of a time to come must not stay the news until then.
    return min(told, latest.when)


def _of_last(policy: Policy, of: str, last: Tried, now: datetime) -> Status | None:
    """What is wrong with how the last attempt ended."""
    began = f"the last attempt, begun {last.opened.when:%Y-%m-%d %H:%M} UTC,"
    latest = last.latest
    if latest is None:
        return Status(NOTHING_RECENT, f"{of}: {began} was {NEVER_CLOSED}")
    if latest.outcome != "PASS":
        code = {"FAIL": EXIT_CODES["FAIL"], "MISMATCH": MISMATCH}.get(latest.outcome or "", NOTHING_RECENT)
        why = f": {printable(latest.why)}" if latest.why else ""
        return Status(code, f"{of}: {began} ended as {printable(latest.outcome or 'nothing')}{why}")
    if latest.policy_digest != policy.digest:
        return Status(NOTHING_RECENT, f"{of}: the policy was changed since {began.removesuffix(',')}")
    if latest.oldest_episode is None or latest.last_episode is None or latest.expires is None:
        return Status(NOTHING_RECENT, f"{of}: the last verdict does not say how old its evidence is")
    if latest.last_episode > now + CLOCKS_DIFFER:
        when = f"{latest.last_episode:%Y-%m-%d %H:%M} UTC"
        return Status(MISMATCH, f"{of}: the last verdict's evidence is of {when}, which is still to come")
    return None


def _of_age(of: str, last: Tried, max_age: timedelta | None, now: datetime) -> Status | None:
    latest = last.latest
    assert latest is not None
    assert latest.oldest_episode is not None
    assert latest.expires is not None
    if now >= latest.expires:
        return Status(NOTHING_RECENT, f"{of}: the last verdict expired {latest.expires:%Y-%m-%d %H:%M} UTC")
    age = now - latest.oldest_episode
    if max_age is not None and age > max_age:
        return Status(
            NOTHING_RECENT, f"{of}: the last verdict's evidence is {_hours(age)} old, more than {_hours(max_age)}"
        )
    return None


def _of_file(of: str, last: Tried, policy: Policy, read: Callable[[str], bytes | None]) -> Status:
    """Whether the verdict is still what the ledger says of it."""
    latest = last.latest
    assert latest is not None
    file = printable(latest.file or "of an unknown name")
    content = None if latest.file is None else read(latest.file)
    if content is None:
        return Status(NOTHING_RECENT, f"{of}: the verdict's file {file} is not there")
    if hashlib.sha256(content).hexdigest() != latest.verdict:
        return Status(MISMATCH, f"{of}: the verdict's file {file} is not what the ledger recorded")
    try:
        verdict = Verdict.model_validate_json(content)
    except ValidationError:
        return Status(MISMATCH, f"{of}: the file {file} that the ledger names is no verdict")
    named = None if verdict.model is None else verdict.model.name
    if (verdict.outcome, verdict.policy_digest, named) != ("PASS", policy.digest, latest.model):
        return Status(MISMATCH, f"{of}: the ledger says PASS, and the verdict's file {file} does not say so")
    told = printable(last.outcome)
    earlier = "" if told == "PASS" else f"; the same evidence was {told} under an earlier text of the policy"
    return Status(0, f"{of}: PASS, with evidence since {latest.oldest_episode:%Y-%m-%d %H:%M} UTC{earlier}")


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):.0f} h" if span < timedelta(days=3) else f"{span.days} days"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise GateError(f"cannot read the verdict {path}: {error.strerror}") from error
