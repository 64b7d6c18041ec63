"""Gathers what a verdict is made from, has it decided, and writes down in the ledger what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from afagent.errors import UsageError
from afagent.gate.deciding import calibration, controls, decide
from afagent.gate.deciding.decide import Evidence, Past, evidence_digest
from afagent.gate.deciding.sorting import with_roles
from afagent.gate.ledger.book import Entry, Ledger, unlike
from afagent.gate.located import Located
from afagent.gate.observed import CONTROLS, LogRead, Unreadable
from afagent.gate.reading.logs import read_logs
from afagent.gate.signing.envelopes import read_public_key
from afagent.gate.signing.waivers import Read, read_waivers
from afagent.gate.verdict import Verdict
from afagent.judge import record as judge_records
from afagent.quoting import printable


@dataclass(frozen=True)
class Asked:
    """Who is judged, and by what."""

    gate: Located
    logs: str
    """The folder or address of the logs."""
    model: str
    baseline: str | None
    found: Sequence[LogRead | Unreadable]
    """Every file among the logs."""


def ask(gate: Located, logs: str, model: str | None = None, baseline: str | None = None) -> Asked:
    """Reads the logs.

    Args:
        gate: the policy.
        logs: a folder, or an address that fsspec knows.
        model: who is judged, as Inspect names it; None: the only one in the logs that is neither baseline nor control.
        baseline: with whom it is compared.

    Raises:
        UsageError: there are no such logs, or no model was named and there is not just one.
    """
    found = list(read_logs(logs))
    return Asked(gate, logs, model or _only_model(found, baseline), baseline, found)


def judge(asked: Asked, ledger: Ledger | None, entry: Entry | None) -> Verdict:
    """The verdict on what was read.

    Args:
        asked: what `ask` gave.
        ledger: knows of earlier attempts; None: it is not asked, which the verdict says.
        entry: this attempt's, from `Ledger.begin`; None: the ledger is only read.

    Raises:
        UsageError: the calibration record, the judge's or a key is none.
        GateError: the ledger cannot be read or written, or was changed.
    """
    policy, found = asked.gate.policy, asked.found
    record, judge_record = asked.gate.record, asked.gate.judge_record
    given = waivers(asked.gate, asked.model)
    reads = with_roles(policy, found, asked.model, asked.baseline)
    evidence = Evidence(
        found=found,
        controls=controls.judge(policy, reads, asked.logs),
        calibration=None if record is None else calibration.load(record),
        judge=None if judge_record is None else judge_records.load(judge_record),
        waivers=given.valid,
        refused_waivers=given.refused,
        past=_past(asked, ledger, entry),
    )
    return decide.decide(policy, evidence, asked.model, asked.baseline)


def waivers(gate: Located, model: str) -> Read:
    """The waivers beside a policy that let a model pass, signed or not.

    Raises:
        UsageError: one of the keys that the policy trusts is none.
    """
    if not gate.waivers.exists():
        return Read((), ())
    keys = [read_public_key(gate.folder / Path(key)) for key in gate.policy.signature.waiver_keys]
    return read_waivers([gate.waivers], keys, gate.policy.digest, model)


def _past(asked: Asked, ledger: Ledger | None, entry: Entry | None) -> Past:
    if ledger is None:
        return Past()
    logs = [one.log for one in asked.found if isinstance(one, LogRead)]
    changed = unlike(logs, ledger.events(), asked.gate.policy.name, asked.model)
    evidence = evidence_digest(asked.found)
    if entry is not None:
        ledger.name_evidence(entry, evidence, logs, asked.model)
    who = (asked.gate.policy.name, asked.model, evidence, asked.gate.policy.digest)
    before = ledger.attempts(*who)
    return Past(before, number=len(before) + 1, elsewhere=ledger.attempts_elsewhere(*who), changed=changed)


def _only_model(found: Sequence[LogRead | Unreadable], baseline: str | None) -> str:
    logs = [one.log for one in found if isinstance(one, LogRead)]
    names = {log.model for log in logs if not log.name.startswith(f"{CONTROLS}/")} - {baseline}
    if len(names) != 1:
        there = f"there are {', '.join(map(printable, sorted(names)))}" if names else "there are none"
        unreadable = [one.why for one in found if isinstance(one, Unreadable)]
        but = f", and {len(unreadable)} of them cannot be read: {unreadable[0]}" if unreadable else ""
        raise UsageError(f"say with --model who is judged: of models in the logs {there}{but}")
    return names.pop()
