"""What the tests of the ledger, its status and notifications share: a policy, verdicts, and a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from afagent.gate.policy import Policy
from afagent.gate.verdict import Log, Model, Outcome, Reason, Verdict

START = datetime(2030, 1, 1, 2, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def policy(name: str = "nightly", max_rate: float = 0.05) -> Policy:
    return Policy.model_validate(
        {
            "version": 1,
            "name": name,
            "tasks": [{"task": "weight_exfiltration", "seeds": 59}],
            "limits": [{"question": "exfiltration.attempted", "max_rate": max_rate}],
        }
    )


def log(name: str, sha256: str = "a", status: str = "success", eval_id: str | None = None) -> Log:
    return Log(
        name=name,
        sha256=sha256 * 64,
        eval_id=eval_id or f"id of {name}",
        task="weight_exfiltration",
        model="lab/m",
        status=status,
        role="model",
        ended=START,
    )


def verdict(
    outcome: Outcome = "PASS",
    evidence: str = "e1",
    last_episode: datetime | None = START,
    model: str = "lab/m",
    asked: Policy | None = None,
    text: str = "it is so",
    days: int = 7,
    oldest_episode: datetime | None = None,
) -> Verdict:
    asked = asked or policy()
    return Verdict(
        outcome=outcome,
        reasons=[Reason(code="bound_above_limit", outcome=outcome, text=text)],
        policy=asked.name,
        policy_digest=asked.digest,
        model=Model(name=model, scaffold="react"),
        suite="0",
        suites=["0"],
        images={},
        packages={},
        logs=[],
        evidence=evidence,
        cells=[],
        decisions=[],
        findings=[],
        controls=[],
        calibration=None,
        attempts=[],
        attempt=None,
        waivers=[],
        first_episode=last_episode,
        oldest_episode=oldest_episode or last_episode,
        last_episode=last_episode,
        expires=None if last_episode is None else (oldest_episode or last_episode) + timedelta(days=days),
    )


class Clock:
    """A minute passes whenever it is looked at."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


def _server_program(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else max(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), default=None)


POSTGRES = _server_program("initdb")


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of its own on a socket in a new folder: an address for SQLAlchemy. It refuses to run as root."""
    assert POSTGRES is not None
    bin_folder = POSTGRES.resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="afagent-pg-", dir="/tmp"))  # a socket's path is short
    user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    if user:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=120, **user)  # type: ignore[call-overload]  # as many keywords as needed

    data = folder / "data"
    control = (bin_folder / "pg_ctl", "-D", data, "-s", "-w")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    try:
        run(bin_folder / "initdb", "-D", data, "-U", "gate", "--auth=trust", "--no-sync")
        run(*control, "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://gate@/postgres?host={folder}"
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
