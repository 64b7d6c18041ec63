"""A whole `afagent gate run`: plays, judges, publishes, and leaves a row in the ledger whatever happens."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from afagent.gate.deciding.certain import is_certain
from afagent.gate.ledger.book import Ledger
from afagent.gate.located import Located
from afagent.gate.observed import LogRead, Unreadable
from afagent.gate.reading.logs import read_logs
from afagent.gate.running import attempt as attempts
from afagent.gate.running.attempt import Attempt
from afagent.gate.running.judging import Asked, ask, judge
from afagent.gate.running.play import parts, play
from afagent.gate.running.preflight import make_models, preflight
from afagent.gate.running.publishing import VERDICT, publish
from afagent.gate.verdict import Verdict


@dataclass(frozen=True)
class Subject:
    """Who is judged, and with whom it is compared, as Inspect names them."""

    model: str
    baseline: str | None


def run(gate: Located, subject: Subject, now: datetime, display: str | None) -> tuple[Verdict, Attempt]:
    """Plays what the policy asks for, or what an interrupted attempt left, and gives the verdict and where it lies.

    Args:
        gate: the policy.
        subject: who.
        now: names a new attempt.
        display: Inspect's.

    Raises:
        UsageError: it was refused before anything was played: by `preflight`, or as another run is at work on it.
        AfagentError: it ended without a verdict, which the ledger then says.
        KeyboardInterrupt: it was interrupted; the next call goes on.
    """
    ledger = gate.ledger()
    with ExitStack() as held:
        with ledger.refusing(gate.policy, subject.model, subject.baseline):
            preflight(gate, subject.model, subject.baseline, now)
            attempt = held.enter_context(attempts.taken(gate, subject.model, subject.baseline, now))
            make_models(gate.policy, subject.model, subject.baseline)
        return _run(ledger, gate, subject, attempt, display), attempt


def _run(ledger: Ledger, gate: Located, subject: Subject, attempt: Attempt, display: str | None) -> Verdict:
    """The whole of it, with a row in the ledger however it ends."""
    entry = ledger.begin(gate.policy, subject.model, "run", subject.baseline, continues=attempt.entry)
    with ledger.abandoning(entry):
        attempts.keep(attempt, gate, subject.model, subject.baseline, entry.id)
        _play(gate, subject, attempt, display)
        asked = ask(gate, attempt.logs, subject.model, subject.baseline)
        verdict = judge(asked, ledger, entry)
        publish(verdict, gate, attempt.folder)
    ledger.close(entry, verdict, str((attempt.folder / VERDICT).relative_to(gate.verdicts)))
    return verdict


def _play(gate: Located, subject: Subject, attempt: Attempt, display: str | None) -> None:
    """Plays part after part; behind the controls and each part after them it looks whether to go on.

    It ends early where a FAIL is certain, and where a control is not as expected or left no log: nothing that is played
    behind such a one could be believed, so that the verdict is INCONCLUSIVE whatever the model does. Each log is read
    once here, when its part has ended; what the verdict rests on is read anew.

    Raises:
        GateError: a part did not come to its end; none is played behind it, and the next run goes on there.
    """
    wanted = parts(gate.policy, subject.model, subject.baseline)
    controls = sum(part.role == "control" for part in wanted)
    found: list[LogRead | Unreadable] = []
    for number, part in enumerate(wanted, start=1):
        play(part, attempt.logs, display)
        if number == len(wanted):
            return
        found += read_logs(attempt.logs, part=part.folder)
        if number >= controls:
            so_far = judge(Asked(gate, attempt.logs, subject.model, subject.baseline, found), None, None)
            if is_certain(so_far) or sum(control.agrees for control in so_far.controls) < controls:
                return
