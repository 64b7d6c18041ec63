"""One attempt of `afagent gate run`: its folders, and where an interrupted one is taken up again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

import afagent
from afagent import images
from afagent.errors import UsageError
from afagent.gate.deciding.manifest import Place, manifest
from afagent.gate.located import Located, slug
from afagent.gate.running.alone import alone
from afagent.gate.running.play import parts
from afagent.gate.running.publishing import VERDICT

FILE = "attempt.json"


class _Kept(BaseModel):
    """What is written down before anything is run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy_digest: str
    model: str
    baseline: str | None
    entry: str
    """Its id in the ledger."""
    expected: list[Place]
    """The episodes that are to be played."""
    folders: dict[str, int | list[int]]
    """Below its logs, and the scenarios that are played in each."""
    begun: AwareDatetime
    suite: str
    """The version of afagent that began it."""
    images: str
    """What its images were built from (`images.sources`)."""


@dataclass(frozen=True)
class Attempt:
    """Where it stands."""

    folder: Path
    """Its verdict's."""
    logs: str
    """Its logs': a folder, or an address."""
    entry: str | None
    """Its id in the ledger, if it was begun before."""
    begun: datetime


@contextmanager
def taken(gate: Located, model: str, baseline: str | None, now: datetime) -> Iterator[Attempt]:
    """What `find` gives, for this process alone until the block ends.

    Raises:
        UsageError: another process is at work on it, or has just ended it.
    """
    attempt = find(gate, model, baseline, now)
    with alone(attempt.folder):
        if (attempt.folder / VERDICT).exists():
            raise UsageError(f"another `afagent gate run` has just ended the attempt in {attempt.folder}; start again")
        yield attempt


def find(gate: Located, model: str, baseline: str | None, now: datetime) -> Attempt:
    """The last attempt of this policy, model and baseline that has no verdict yet; otherwise a new one.

    One whose episodes could not stand beside new ones is not taken up again: it was begun longer ago than a verdict is
    valid, or with another version of afagent or other images, or its scenarios were divided otherwise.

    Args:
        gate: the policy.
        model: who is judged, as Inspect names it.
        baseline: with whom it is compared.
        now: names a new one, and says how old one is.
    """
    above = gate.verdicts / gate.policy.name / slug(model)
    for folder in sorted(above.glob("*/"), reverse=True):
        kept = _read(folder / FILE)
        if kept is None or (folder / VERDICT).exists():
            continue
        same = (kept.policy_digest, kept.model, kept.baseline) == (gate.policy.digest, model, baseline)
        fits = (kept.suite, kept.images) == _instrument() and kept.folders == _folders(gate, model, baseline)
        if same and fits and now - kept.begun < gate.policy.valid_for:
            return Attempt(folder, _logs(gate, model, folder.name), kept.entry, kept.begun)
    name = f"{now:%Y%m%dT%H%M%SZ}"
    return Attempt(above / name, _logs(gate, model, name), None, now)


def keep(attempt: Attempt, gate: Located, model: str, baseline: str | None, entry: str) -> None:
    """Writes down what is to be played, before anything is.

    Raises:
        UsageError: it cannot be written.
    """
    suite, built_from = _instrument()
    kept = _Kept(
        policy_digest=gate.policy.digest,
        model=model,
        baseline=baseline,
        entry=entry,
        expected=manifest(gate.policy),
        folders=_folders(gate, model, baseline),
        begun=attempt.begun,
        suite=suite,
        images=built_from,
    )
    try:
        attempt.folder.mkdir(parents=True, exist_ok=True)
        (attempt.folder / FILE).write_text(kept.model_dump_json(indent=1) + "\n")
    except OSError as problem:
        raise UsageError(f"nothing can be written to {attempt.folder}: {problem.strerror}") from problem


def _instrument() -> tuple[str, str]:
    """The version of afagent, and what its images are built from."""
    return afagent.__version__, images.sources()


def _folders(gate: Located, model: str, baseline: str | None) -> dict[str, int | list[int]]:
    """Where each part's logs lie, and which scenarios it plays."""
    return {part.folder: part.arguments["task_args"]["seeds"] for part in parts(gate.policy, model, baseline)}


def _logs(gate: Located, model: str, name: str) -> str:
    return gate.logs(gate.policy.name, slug(model), name)


def _read(path: Path) -> _Kept | None:
    try:
        return _Kept.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
