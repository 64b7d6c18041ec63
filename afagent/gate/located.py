"""A policy in its folder: where its logs, verdicts, ledger and calibration record lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from afagent import yaml_files
from afagent.gate.ledger.book import Ledger, address_of
from afagent.gate.policy import Policy


@dataclass(frozen=True)
class Located:
    """A policy, and the folder that its paths are relative to."""

    policy: Policy
    folder: Path

    @property
    def verdicts(self) -> Path:
        """The folder of all verdicts."""
        return self.folder / self.policy.outputs.verdicts

    @property
    def record(self) -> Path | None:
        """The calibration record's file; None if the policy names none."""
        return None if self.policy.detector is None else self.folder / self.policy.detector.record

    @property
    def judge_record(self) -> Path | None:
        """The file of the judge's record; None if the policy names no judge."""
        return None if self.policy.judge is None else self.folder / self.policy.judge.record

    @property
    def waivers(self) -> Path:
        """The folder of waivers, which may not be there."""
        return self.folder / "waivers"

    def logs(self, *parts: str) -> str:
        """The folder or address of logs, and below it."""
        named = self.policy.outputs.logs
        base = named if "://" in named else str(self.folder / named)
        return "/".join([base.rstrip("/"), *parts])

    def ledger(self) -> Ledger:
        """The ledger.

        Raises:
            UsageError: its address is none.
        """
        return Ledger(address_of(self.policy.outputs.ledger, self.folder))


def load(path: Path) -> Located:
    """The policy of a file.

    Raises:
        UsageError: it cannot be read or is no policy; the message names file and line.
    """
    policy, _ = yaml_files.read(path, "the policy", Policy.model_validate)
    return Located(policy, path.resolve().parent)


def slug(name: str) -> str:
    """A model's name as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "model"
