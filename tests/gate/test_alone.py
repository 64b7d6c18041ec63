"""Two runs on one attempt: the second is told so before it plays anything, and leaves the attempt alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from afagent.cli import afagent
from afagent.errors import UsageError
from afagent.gate.located import Located, load
from afagent.gate.running import attempt as attempts
from afagent.gate.running.alone import FILE, alone
from afagent.gate.running.publishing import VERDICT
from tests.gate.test_check import TOY

NOW = datetime.now(UTC)
"""`gate run` takes up what was begun lately, by the real clock."""
HOLD = f"""
import sys
from pathlib import Path
from {alone.__module__} import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def gate(tmp_path: Path) -> Located:
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(TOY))
    return load(tmp_path / "policy.yaml")


@pytest.fixture
def begun(gate: Located) -> Path:
    """The folder of an attempt that was begun and has no verdict."""
    attempt = attempts.find(gate, "lab/new", None, NOW)
    attempts.keep(attempt, gate, "lab/new", None, "entry")
    return attempt.folder


def holder(folder: Path) -> subprocess.Popen[str]:
    """Another process that holds it."""
    one = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert one.stdout is not None
    assert one.stdout.readline() == "held\n"
    return one


@pytest.fixture
def own_signals() -> Iterator[None]:
    """`gate run` takes SIGTERM for an interruption; the tests that follow shall not."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("own_signals")
def test_a_second_run_ends_with_2_and_is_written_down_beside_the_attempt(gate: Located, begun: Path) -> None:
    with holder(begun):
        said = CliRunner().invoke(
            afagent, ["gate", "run", str(gate.folder / "policy.yaml"), "--model", "lab/new", "--display", "none"]
        )
        assert said.exit_code == 2, said.output
        assert "another `afagent gate run` is at work" in said.output
        assert [(event.event, event.outcome) for event in gate.ledger().events()] == [
            ("opened", None),
            ("closed", "REFUSED"),
        ]
        assert "entry" not in {event.entry for event in gate.ledger().events()}
        assert not (gate.folder / "logs").exists()


def test_who_is_killed_holds_nothing_any_more(begun: Path) -> None:
    with holder(begun) as other:
        with pytest.raises(UsageError, match="wait until it ends"), alone(begun):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=30)
        with alone(begun):
            assert (begun / FILE).exists()


def test_an_attempt_can_be_taken_again_once_it_was_let_go(gate: Located, begun: Path) -> None:
    for _ in range(2):
        with attempts.taken(gate, "lab/new", None, NOW) as attempt:
            assert attempt.entry == "entry"


def test_an_attempt_that_another_run_ended_meanwhile_is_not_played_again(
    gate: Located, begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = attempts.find(gate, "lab/new", None, NOW)
    (begun / VERDICT).write_text("{}")
    monkeypatch.setattr(attempts, "find", lambda *_: found)  # as it was found a moment before
    with pytest.raises(UsageError, match="has just ended"), attempts.taken(gate, "lab/new", None, NOW):
        pass


def test_attempts_of_two_models_do_not_wait_for_each_other(gate: Located) -> None:
    with attempts.taken(gate, "lab/new", None, NOW), attempts.taken(gate, "lab/old", None, NOW):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="nothing can be written"), alone(tmp_path / "file" / "below"):
        pass
