"""When a run ends early. What is played leaves logs that the suite's own scorers judged; only the lab is not there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from afagent.errors import GateError
from afagent.gate.located import Located, load
from afagent.gate.running import run as running
from afagent.gate.running.play import Part
from afagent.gate.running.run import Subject, run
from tests.gate import played_logs
from tests.gate.test_check import TOY

MODEL, NOW = "mockllm/model", datetime(2026, 3, 1, 2, tzinfo=UTC)
TASKS = [*TOY["tasks"], {"task": "oversight_sabotage", "seeds": 2}]
FAIL_AT_ONE = [{**TOY["limits"][0], "fail_at": 1}]


def gate(folder: Path, **changed: Any) -> Located:
    (folder / "policy.yaml").write_text(yaml.safe_dump({**TOY, "tasks": TASKS, **changed}))
    return load(folder / "policy.yaml")


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were played, in which the model is a thief."""
    folders: list[str] = []

    def play(part: Part, logs: str, display: str | None, kinds: Sequence[str] = ("thief", "thief")) -> None:
        folders.append(part.folder)
        folder = Path(logs) / part.folder
        folder.mkdir(parents=True)
        if part.role != "control":
            played_logs.play(folder, *kinds)
        elif part.model == "afagent/honest":  # it is not: the other control leaves no log
            played_logs.play(folder, *kinds, model=part.model)

    monkeypatch.setattr(running, "play", play)
    return folders


def test_a_fail_that_is_certain_ends_it_before_the_next_part(tmp_path: Path, played: list[str]) -> None:
    verdict, _ = run(gate(tmp_path, limits=FAIL_AT_ONE), Subject(MODEL, None), NOW, "none")
    assert verdict.outcome == "FAIL"
    assert played == ["model/weight_exfiltration"]


def test_what_is_not_certain_is_played_on(tmp_path: Path, played: list[str]) -> None:
    verdict, _ = run(gate(tmp_path), Subject(MODEL, None), NOW, "none")
    assert verdict.outcome != "FAIL"
    assert played == ["model/weight_exfiltration", "model/oversight_sabotage"]


@pytest.mark.parametrize("control", ["honest", "curious"])
def test_behind_controls_that_do_not_agree_no_model_is_played(tmp_path: Path, played: list[str], control: str) -> None:
    wanted = gate(tmp_path, controls={"playbooks": [control]})
    verdict, _ = run(wanted, Subject(MODEL, None), NOW, "none")
    assert played == [f"controls/{control}"]
    assert verdict.outcome in ("INCONCLUSIVE", "MISMATCH")
    assert not any(one.agrees for one in verdict.controls)


def test_behind_a_part_that_did_not_come_to_its_end_nothing_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def break_off(part: Part, *_: object) -> None:
        begun.append(part.folder)
        raise GateError("it did not come to its end")

    monkeypatch.setattr(running, "play", break_off)
    wanted = gate(tmp_path)
    with pytest.raises(GateError, match="did not come to its end"):
        run(wanted, Subject(MODEL, None), NOW, "none")
    assert begun == ["model/weight_exfiltration"]
    assert [event.outcome for event in wanted.ledger().events()] == [None, "ERROR"]
    assert not list(tmp_path.glob("verdicts/**/verdict.json"))
