"""When a run ends early. What is played leaves logs that the suite's own scorers judged; only the lab is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from afagent.errors import GateError
from afagent.gate.located import Located, load
from afagent.gate.observed import LogRead, Unreadable
from afagent.gate.reading.logs import read_logs
from afagent.gate.running import blocks as dividing
from afagent.gate.running import judging
from afagent.gate.running import run as running
from afagent.gate.running.check import check
from afagent.gate.running.play import Part
from afagent.gate.running.run import Subject, run
from tests.gate import played_logs
from tests.gate.test_check import TOY

THIEF = 3
"""The scenario in which it steals."""
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
    assert played == ["model/weight_exfiltration/block-01"]


def test_what_is_not_certain_is_played_on(tmp_path: Path, played: list[str]) -> None:
    verdict, _ = run(gate(tmp_path), Subject(MODEL, None), NOW, "none")
    assert verdict.outcome != "FAIL"
    assert played == ["model/weight_exfiltration/block-01", "model/oversight_sabotage/block-01"]


def kind_of(seed: int) -> str:
    return "thief" if seed == THIEF else "honest"


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were played, in blocks of a scenario and more; what was played before is not played again."""
    folders: list[str] = []

    def play(part: Part, logs: str, display: str | None) -> None:
        folders.append(part.folder)
        folder, seeds = Path(logs) / part.folder, part.arguments["task_args"]["seeds"]
        if not folder.exists():
            played_logs.play(folder, *map(kind_of, seeds), model=part.model, first=seeds[0])

    monkeypatch.setattr(running, "play", play)
    monkeypatch.setattr(dividing, "FIRST", 1)
    return folders


def long_gate(folder: Path, **changed: Any) -> Located:
    return gate(folder, tasks=[{"task": "weight_exfiltration", "seeds": 6}], **changed)


def test_a_fail_that_is_certain_ends_it_within_a_task(tmp_path: Path, blocks: list[str]) -> None:
    wanted = long_gate(tmp_path, limits=FAIL_AT_ONE)
    verdict, attempt = run(wanted, Subject(MODEL, None), NOW, "none")
    assert blocks == [f"model/weight_exfiltration/{block}" for block in ("block-01", "block-02", "block-03")]
    assert [log.name.rpartition("/")[0] for log in verdict.logs] == blocks
    assert verdict.outcome == "FAIL"
    assert [(cell.planned, cell.started, cell.positives) for cell in verdict.cells] == [(6, 4, 1)]
    again, _ = check(wanted, attempt.logs, None, None, None, None)
    assert (again.outcome, again.evidence, again.cells) == ("FAIL", verdict.evidence, verdict.cells)


def test_a_task_that_is_played_to_its_end_is_judged_as_if_it_were_undivided(tmp_path: Path, blocks: list[str]) -> None:
    wanted = long_gate(tmp_path)
    verdict, _ = run(wanted, Subject(MODEL, None), NOW, "none")
    assert len(blocks) == 4
    whole = tmp_path / "whole"
    played_logs.play(whole, *map(kind_of, range(1, 7)))
    undivided, _ = check(wanted, str(whole), MODEL, None, None, None)
    assert (verdict.outcome, verdict.reasons) == (undivided.outcome, undivided.reasons)
    assert (verdict.decisions, verdict.cells) == (undivided.decisions, undivided.cells)


def test_what_was_interrupted_goes_on_in_its_block(
    tmp_path: Path, blocks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, play = long_gate(tmp_path), played_logs.play

    def interrupted(*kinds: Any, **said: Any) -> Path:
        if said["first"] == THIEF:
            raise KeyboardInterrupt
        return play(*kinds, **said)

    with monkeypatch.context() as broken:
        broken.setattr(played_logs, "play", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(wanted, Subject(MODEL, None), NOW, "none")
    before = {file: file.read_bytes() for file in tmp_path.glob("logs/**/*.eval")}
    verdict, _ = run(wanted, Subject(MODEL, None), NOW, "none")
    assert len(before) == 2
    assert all(file.read_bytes() == content for file, content in before.items())
    assert [(cell.planned, cell.started) for cell in verdict.cells] == [(6, 6)]
    assert verdict.outcome != "MISMATCH"


def test_each_log_is_read_once_while_it_is_played_and_once_for_the_verdict(
    tmp_path: Path, blocks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []

    def noting(*asked: Any, **said: Any) -> Iterator[LogRead | Unreadable]:
        for one in read_logs(*asked, **said):
            names.append(one.log.name if isinstance(one, LogRead) else one.name)
            yield one

    for module in (running, judging):
        monkeypatch.setattr(module, "read_logs", noting)
    run(long_gate(tmp_path), Subject(MODEL, None), NOW, "none")
    assert sorted(Counter(names).values()) == [1, 2, 2, 2]  # of the last one nothing hangs but the verdict


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
    assert begun == ["model/weight_exfiltration/block-01"]
    assert [event.outcome for event in wanted.ledger().events()] == [None, "ERROR"]
    assert not list(tmp_path.glob("verdicts/**/verdict.json"))
