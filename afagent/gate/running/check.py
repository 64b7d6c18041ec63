"""A whole `afagent gate check`: judges logs that are there, publishes, and tells the ledger what came of it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

from afagent.gate.ledger.book import Ledger
from afagent.gate.located import Located, slug
from afagent.gate.running.judging import ask, judge
from afagent.gate.running.publishing import publish
from afagent.gate.verdict import Verdict


def check(
    gate: Located, logs: str, model: str | None, baseline: str | None, folder: Path | None, ledger: Ledger | None
) -> tuple[Verdict, Path]:
    """The verdict on logs, and the file that it lies in.

    Args:
        gate: the policy.
        logs: a folder, or an address that fsspec knows.
        model: who is judged, as Inspect names it; None: the only one in the logs.
        baseline: with whom it is compared.
        folder: where the verdict is written; None: below the policy's, named by the evidence.
        ledger: None: it is left alone, which the verdict says.

    Raises:
        AfagentError: it ended without a verdict, which the ledger then says.
    """
    entry = None if ledger is None else ledger.begin(gate.policy, model, "check", baseline)
    with nullcontext() if ledger is None or entry is None else ledger.abandoning(entry):
        asked = ask(gate, logs, model, baseline)
        verdict = judge(asked, ledger, entry)
        file = publish(verdict, gate, folder or _own(gate, asked.model, verdict))
    if ledger is not None and entry is not None:
        ledger.close(entry, verdict, _below(file, gate.verdicts))
    return verdict, file


def _own(gate: Located, model: str, verdict: Verdict) -> Path:
    """A folder that the same evidence always has."""
    digest = verdict.evidence.removeprefix("sha256:")[:16]
    return gate.verdicts / gate.policy.name / slug(model) / f"check-{digest}"


def _below(file: Path, verdicts: Path) -> str:
    """A verdict's file as the ledger names it."""
    resolved, above = file.resolve(), verdicts.resolve()
    return str(resolved.relative_to(above)) if resolved.is_relative_to(above) else str(resolved)
