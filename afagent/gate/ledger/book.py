"""The ledger: every attempt of a gate, also failed and refused ones, written down before anything is known of it.

    entry = ledger.begin(policy, model)          # first of all; what is not closed later counts as an attempt
    entry = ledger.name_evidence(entry, digest, logs, model)      # as soon as the logs are read
    attempts = ledger.attempts(policy.name, model, before_evidence=digest)
    ledger.close(entry, verdict, file)           # or ledger.abandon(entry, "ERROR", sentence)

What is done between `begin` and `close` stands in `with ledger.abandoning(entry)`: an error is written down too.

What counts as an attempt is said in `attempts.py`, what the chain of hashes proves in `chain.py`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from afagent import __version__
from afagent.errors import AfagentError, GateError, UsageError
from afagent.gate.ledger import attempts as _attempts
from afagent.gate.ledger.attempts import Broken, Event, Kind
from afagent.gate.ledger.chain import Chain, Row, problems
from afagent.gate.policy import Policy
from afagent.gate.verdict import Attempt, Log, Verdict, canonical
from afagent.quoting import printable


@dataclass(frozen=True)
class Entry:
    """What was begun, and what is known of it so far. Its rows in the ledger bear its id."""

    id: str
    kind: Kind
    policy: str
    policy_digest: str
    model: str | None
    baseline: str | None = None
    evidence: str | None = None


class Ledger:
    """The ledger at one address. It is made when the first row is written."""

    def __init__(self, address: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Opens nothing yet.

        Args:
            address: the path of an SQLite file, or an URL that SQLAlchemy knows (see `address_of`).
            now: the clock, read once for each row.

        Raises:
            UsageError: the address is none, or the database's driver is not installed.
        """
        self._chain = Chain(address)
        self._now = now

    def begin(
        self,
        policy: Policy,
        model: str | None,
        kind: Kind = "run",
        baseline: str | None = None,
        continues: str | None = None,
    ) -> Entry:
        """Write down that something is tried, before it is.

        Args:
            policy: what is asked.
            model: as Inspect names it; None: not known before the logs are read, as in a check.
            kind: whether episodes are run, or existing logs are checked.
            baseline: the model that it is compared with.
            continues: the id of an entry whose episodes are continued, not made anew; both are one attempt.

        Raises:
            GateError: the ledger cannot be written. Then nothing must be run: it would be an attempt that nobody sees.
        """
        id_ = continues or uuid.uuid4().hex
        entry = Entry(id_, kind, policy.name, policy.digest, _storable(model), _storable(baseline))
        self._write(entry, event="opened")
        return entry

    def name_evidence(self, entry: Entry, evidence: str, logs: Sequence[Log], model: str | None = None) -> Entry:
        """Write down what will be judged, before it is. Gives the entry, with what is known now.

        Args:
            entry: from `begin`.
            evidence: as in the verdict.
            logs: all that it is made of.
            model: whom the logs name; None: as it was begun.

        Raises:
            GateError: the ledger cannot be written.
        """
        known = replace(entry, evidence=evidence, model=entry.model if model is None else _storable(model))
        finished = sorted((log.name, log.eval_id, log.sha256) for log in logs if log.status != "started")
        kept = [{"name": name, "eval_id": eval_id, "sha256": sha256} for name, eval_id, sha256 in finished]
        self._write(known, event="evidence", logs=kept)
        return known

    def close(self, entry: Entry, verdict: Verdict, file: str) -> None:
        """Write down the verdict.

        Args:
            entry: from `begin` or `name_evidence`.
            verdict: what came of it.
            file: where it lies (`verdict.canonical`), relative to the folder of verdicts.

        Raises:
            GateError: the ledger cannot be written.
        """
        model = entry.model if verdict.model is None else verdict.model.name
        self._write(
            replace(entry, evidence=verdict.evidence, model=model),
            event="closed",
            outcome=verdict.outcome,
            verdict=hashlib.sha256(canonical(verdict)).hexdigest(),
            file=file,
            oldest_episode=_written(verdict.oldest_episode),
            last_episode=_written(verdict.last_episode),
            expires=_written(verdict.expires),
        )

    def abandon(self, entry: Entry, outcome: Broken, why: str) -> None:
        """Write down that it ended without a verdict, and why.

        Raises:
            GateError: the ledger cannot be written.
        """
        self._write(entry, event="closed", outcome=outcome, why=_storable(why))

    @contextmanager
    def abandoning(self, entry: Entry) -> Iterator[None]:
        """Whatever breaks off the work within is written down, and raised on.

        It is the error to tell, also where the ledger cannot be written.
        """
        try:
            yield
        except BaseException as problem:
            with suppress(GateError):
                self.abandon(entry, *_why(problem))
            raise

    @contextmanager
    def refusing(self, policy: Policy, model: str, baseline: str | None) -> Iterator[None]:
        """Whatever keeps a run from being begun is written down as a run of its own, and raised on.

        It gets no row in the attempt that it would have gone on with: another run may be at work on that.
        """
        try:
            yield
        except BaseException as problem:
            with suppress(GateError):
                self.abandon(self.begin(policy, model, "run", baseline), *_why(problem))
            raise

    def attempts(
        self, policy: str, model: str, before_evidence: str | None = None, digest: str | None = None
    ) -> list[Attempt]:
        """The attempts of a policy and model, oldest first.

        Args:
            policy: its name.
            model: as Inspect names it.
            before_evidence: only those before this was first named: always the same, whatever was written since.
            digest: named under this text of the policy; None: under any.

        Raises:
            GateError: the ledger cannot be read, or was changed.
        """
        return _attempts.before(self.events(), policy, str(_storable(model)), before_evidence, digest)

    def attempts_elsewhere(
        self, policy: str, model: str, before_evidence: str | None = None, digest: str | None = None
    ) -> int:
        """How many attempts of a model stand under other policies; asked for as for `attempts`.

        Raises:
            GateError: the ledger cannot be read, or was changed.
        """
        return _attempts.elsewhere(self.events(), policy, str(_storable(model)), before_evidence, digest)

    def events(self) -> list[Event]:
        """What all rows say, in order.

        Raises:
            GateError: the ledger cannot be read, or was changed.
        """
        rows = self._chain.rows()
        wrong = _problems(rows, None)
        if wrong:
            raise GateError(f"the ledger {self._chain.shown} was changed: {wrong[0]}")
        return [Event.model_validate_json(row.content) for row in rows]

    def verify(self, head: str | None = None) -> list[str]:
        """What is wrong with the ledger, a sentence each: rows that were edited, taken out or moved.

        Args:
            head: a digest that `head` once gave; without it rows that were cut off the end are not seen.

        Raises:
            GateError: the ledger cannot be read.
        """
        return _problems(self._chain.rows(), head)

    def head(self) -> str | None:
        """The digest of the last row, to be kept elsewhere; None while there is none.

        Raises:
            GateError: the ledger cannot be read.
        """
        rows = self._chain.rows()
        return rows[-1].digest if rows else None

    def _write(self, entry: Entry, **said: object) -> None:
        """Rows say only what they know: an absent key is None."""
        known = {
            "when": _written(self._now()),
            "entry": entry.id,
            "kind": entry.kind,
            "policy": entry.policy,
            "policy_digest": entry.policy_digest,
            "model": entry.model,
            "baseline": entry.baseline,
            "suite": __version__,
            "evidence": entry.evidence,
            **said,
        }
        self._chain.append(lambda number: {"number": number, **known})


def address_of(ledger: str, folder: Path) -> str:
    """The address of a policy's ledger, where a path is relative to the policy's folder, in an SQLite URL too."""
    scheme, found, path = ledger.rpartition(":///")
    if not found:
        return ledger if "://" in ledger else str(folder / ledger)
    return f"{scheme}:///{folder.absolute() / path}" if scheme.startswith("sqlite") else ledger


def unlike(logs: Sequence[Log], events: Sequence[Event], policy: str, model: str) -> list[str]:
    """Logs that are not what the ledger recorded, a sentence each (`log_unlike_ledger`).

    A log is known again by Inspect's id of the evaluation, so that renaming does not help, and by its name under the
    same policy and model.

    Args:
        logs: those that are to be judged.
        events: the ledger's, in order.
        policy: its name.
        model: as Inspect names it.
    """
    by_name: dict[str, str] = {}
    by_id: dict[str, str] = {}
    for event in events:
        for one in event.logs:
            by_id.setdefault(one.eval_id, one.sha256)
            if (event.policy, event.model) == (policy, model):
                by_name.setdefault(one.name, one.sha256)
    return [
        f"the log {printable(log.name)} is not as the ledger first saw it"
        for log in logs
        if {by_name.get(log.name, log.sha256), by_id.get(log.eval_id, log.sha256)} != {log.sha256}
    ]


def _why(problem: BaseException) -> tuple[Broken, str]:
    """What an error makes of an attempt, and its sentence."""
    if isinstance(problem, KeyboardInterrupt):
        return "INTERRUPTED", "it was interrupted"
    if isinstance(problem, AfagentError):
        return "REFUSED" if isinstance(problem, UsageError) else "ERROR", problem.sentence
    return "ERROR", type(problem).__name__


def _storable(text: str | None) -> str | None:
    """With half characters, as a command line may bring them, as escapes: no JSON can hold them."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _problems(rows: list[Row], head: str | None) -> list[str]:
    found = problems(rows, head)
    for row in rows:
        try:
            numbered = Event.model_validate_json(row.content).number
        except ValidationError:
            found.append(f"row {row.number} does not say what a row of the ledger says")
        else:
            if numbered != row.number:
                found.append(f"row {row.number} says that it is row {numbered}")
    return found


def _written(when: datetime | None) -> str | None:
    """In UTC; a time without a zone is a mistake of the caller's."""
    if when is None:
        return None
    assert when.tzinfo is not None, "times in the ledger have a zone"
    return when.astimezone(UTC).isoformat()
