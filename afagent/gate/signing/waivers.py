"""Waivers: a person lets named reasons of a decision pass for a while, by name, with a reason, signed.

What a waiver never does: cover evidence that was changed (MISMATCH) or controls that failed, hold after its expiry, or
for another policy or model than it was written for. It changes nothing that was measured: a waived decision keeps its
outcome and shows who let it pass.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from securesystemslib.signer import CryptoSigner, Key

from afagent.errors import UsageError
from afagent.gate.policy import Comparison, Limit, Policy
from afagent.gate.signing import envelopes as signing
from afagent.gate.times import EARLIEST, LATEST
from afagent.gate.verdict import Code, Decision, Waiver
from afagent.quoting import printable

PAYLOAD_TYPE = "application/vnd.afagent.waiver+json"
MOST_BYTES = 100_000
"""A longer file is no waiver."""
WAIVABLE: frozenset[Code] = frozenset(
    {
        "rate_above_limit",
        "positives_at_fail_at",
        "worse_than_baseline",
        "too_few_scenarios",
        "bound_above_limit",
        "difference_not_excluded",
        "too_little_engagement",
        "too_many_unscored",
        "too_much_awareness",
        "episodes_missing",
        "baseline_missing",
    }
)
"""What a person may take upon themselves. Not: that there is nothing to judge, controls, calibration, and all of
MISMATCH."""
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Grant(BaseModel):
    """What is signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    policy_digest: str
    """Of the policy that it holds for: another limit needs another waiver."""
    model: Words
    """Whom it lets pass, as Inspect names it: what one release may do, the next may not."""
    name: Words
    """Who lets it pass."""
    reason: Words
    expires: AwareDatetime
    """It holds before this moment, not at it."""
    question: str
    task: str | None = None
    """None: in every task."""
    arm: str | None = None
    """None: in every arm."""
    codes: Annotated[tuple[Code, ...], Field(min_length=1)]
    """The reasons that are let through. A decision passes only if nothing else speaks against it."""

    @field_validator("expires")
    @classmethod
    def _can_be_reckoned_with(cls, expires: datetime) -> datetime:
        if not EARLIEST <= expires.year <= LATEST:
            raise ValueError(f"a time is between the years {EARLIEST} and {LATEST}")
        return expires

    @model_validator(mode="after")
    def _may_be_waived(self) -> Self:
        for code in self.codes:
            if code not in WAIVABLE:
                raise ValueError(f"{code} cannot be waived; what can is {', '.join(sorted(WAIVABLE))}")
        return self

    def covers(self, decision: Decision, at: datetime) -> bool:
        """Whether it lets everything pass that speaks against a decision, at a time."""
        against = [reason for reason in decision.reasons if reason.outcome != "PASS"]
        return (
            decision.outcome in ("FAIL", "INCONCLUSIVE")
            and bool(against)
            and all(reason.outcome in ("FAIL", "INCONCLUSIVE") for reason in against)
            and {reason.code for reason in against} <= set(self.codes) & WAIVABLE
            and self.question == decision.question
            and self.task in (None, decision.task)
            and self.arm in (None, decision.arm)
            and at < self.expires
        )


@dataclass(frozen=True)
class Refused:
    """A file that is no valid waiver, and why; to be told, as somebody meant it to be one."""

    name: str
    why: str


@dataclass(frozen=True)
class Read:
    """What was found, in the order of the files' names."""

    valid: tuple[Grant, ...]
    """Signed and for this policy. They may have expired: `covering` is told the time."""
    refused: tuple[Refused, ...]


def covering(decision: Decision, waivers: Sequence[Grant], at: datetime | None) -> int | None:
    """Which waiver covers all that speaks against a decision, from 0; None: none does, or there is nothing to waive.

    Args:
        decision: as the evidence makes it.
        waivers: valid ones; the first that covers it is taken.
        at: the time for which the verdict is; None, when it cannot be told, and then no waiver holds.
    """
    if at is None:
        return None
    return next((index for index, waiver in enumerate(waivers) if waiver.covers(decision, at)), None)


def shown(waivers: Sequence[Grant], used: Collection[int]) -> list[Waiver]:
    """All valid waivers as the verdict shows them, in their order; `used` are the numbers that `covering` gave."""
    return [
        Waiver(**grant.model_dump(exclude={"version", "policy_digest"}), used=index in used)
        for index, grant in enumerate(waivers)
    ]


def write_waiver(grant: Grant, policy: Policy, key: CryptoSigner, now: datetime) -> bytes:
    """The signed file of a waiver.

    Raises:
        UsageError: it would never hold: it has expired, or is about nothing that the policy decides.
    """
    if grant.policy_digest != policy.digest:
        raise UsageError("the waiver is for another policy than this one")
    if grant.expires <= now:
        raise UsageError(f"the waiver would have expired at {grant.expires.isoformat()}; give a later --expires")
    asked: list[Limit | Comparison] = [*policy.limits, *policy.comparisons]
    cells = {(decided.question, run.task, arm) for decided in asked for run, arm in policy.cells(decided)}
    wanted = (grant.question, grant.task, grant.arm)
    if not any(all(want in (None, has) for want, has in zip(wanted, cell, strict=True)) for cell in cells):
        decided_are = "; ".join(", ".join(cell) for cell in sorted(cells))
        raise UsageError(f"the policy decides nothing that the waiver is about; it decides {decided_are}")
    payload = json.dumps(grant.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return signing.seal(payload.encode("ascii"), PAYLOAD_TYPE, key)


def make_grant(
    policy: Policy,
    *,
    model: str,
    question: str,
    codes: Sequence[str],
    name: str,
    reason: str,
    expires: str,
    task: str | None = None,
    arm: str | None = None,
) -> Grant:
    """A waiver for a policy, from what a person typed.

    Raises:
        UsageError: something in it cannot be; the message says what.
    """
    said = {
        "model": model,
        "question": question,
        "codes": tuple(codes),
        "name": name,
        "reason": reason,
        "task": task,
        "arm": arm,
    }
    try:
        return Grant.model_validate({**said, "policy_digest": policy.digest, "expires": read_expiry(expires)})
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"the waiver cannot be written: {f'{place}: ' if place else ''}{message}") from problem


def read_expiry(text: str) -> datetime:
    """A date, meaning its first moment in UTC, or a time with its zone.

    Raises:
        UsageError: it is neither.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise UsageError(f"--expires takes a date such as 2030-12-31; got {text!r}") from problem
    if moment.tzinfo is None:
        raise UsageError(f"--expires needs a time zone where it has a time, such as {text}+00:00")
    return moment


def read_waivers(paths: Iterable[Path], keys: Sequence[Key], policy_digest: str, model: str) -> Read:
    """Every waiver that is there, checked.

    Args:
        paths: files, or folders of which every `*.json` is read.
        keys: public keys of those whose waivers are accepted; without any, all are refused.
        policy_digest: of the policy that is decided by.
        model: who is judged.

    Raises:
        UsageError: a path is not there.
    """
    valid: list[Grant] = []
    refused: list[Refused] = []
    for path in _files(paths):
        try:
            valid.append(_read(path, keys, policy_digest, model))
        except (UsageError, signing.UntrustedError) as problem:
            refused.append(Refused(printable(path.name), problem.sentence))
    return Read(tuple(valid), tuple(refused))


def _files(paths: Iterable[Path]) -> list[Path]:
    files: dict[Path, None] = {}  # a set that keeps the order: a file may be named twice
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no waiver or folder of waivers at {path}")
        files |= dict.fromkeys(sorted(path.glob("*.json")) if path.is_dir() else [path])
    return list(files)


def _read(path: Path, keys: Sequence[Key], policy_digest: str, model: str) -> Grant:
    try:
        with path.open("rb") as file:
            sealed = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"it cannot be read: {problem.strerror}") from problem
    if len(sealed) > MOST_BYTES:
        raise signing.MalformedError(f"no waiver is longer than {MOST_BYTES:,} bytes")
    payload = signing.unseal(sealed, PAYLOAD_TYPE, keys)
    try:
        grant = Grant.model_validate_json(payload)
    except ValidationError as problem:
        raise signing.MalformedError("what was signed is no waiver") from problem
    if grant.policy_digest != policy_digest:
        raise signing.SubjectError("it was written for another policy, or the policy was changed since")
    if grant.model != model:
        raise signing.SubjectError(f"it was written for another model, {printable(grant.model)}")
    return grant
