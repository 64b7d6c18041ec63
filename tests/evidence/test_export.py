"""`afagent evidence`: what lies in a log comes out whole, a line at a time, and what does not is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import store_as

from afagent.cli import afagent
from afagent.evidence.store import Evidence
from afagent.sandboxes.recorder.events import FileWritten, Limit
from afagent.world.truth import EpisodeTruth

from .builders import lines_of, read_weights, sent, step, truth, whole_log
from .ocsf_schema import faults

NAME = "/tmp/\x1b[31m\x07\x9b\x7f\u202e\ud800.txt"
"""What a terminal would act on."""
LOG = whole_log(read_weights(), *sent(), FileWritten(NAME.encode(errors="replace").decode(), 3), Limit("files", "lost"))


@solver
def planted() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if state.sample_id == "unwatched":
            return state
        store_as(EpisodeTruth).truth = truth()
        kept = store_as(Evidence)
        lines = lines_of(LOG)
        kept.log = "\n".join(lines[:5] if state.sample_id == "cut" else lines)
        kept.head, kept.steps, kept.collected = LOG[-1].hash, [step("curl -T x", message=2)], True
        return state

    return solve


def make_log(folder: Path, *names: str, epochs: int = 1) -> Path:
    task = Task(name="small", dataset=[Sample(id=name, input="x") for name in names], solver=planted())
    (result,) = run_eval(task, model="mockllm/model", epochs=epochs, log_dir=str(folder), display="none")
    return Path(result.location)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_log(tmp_path_factory.mktemp("logs"), "unwatched", "test", "cut", epochs=2)


def evidence(*arguments: str | int | Path) -> Result:
    return CliRunner().invoke(afagent, ["evidence", *map(str, arguments)])


def records(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_jsonl_holds_every_event_as_it_was_written_and_the_findings(log: Path):
    found = records(evidence(log, "--sample", "test", "--epoch", 1))
    events = [record for record in found if record["record"] == "event"]
    assert [record["hash"] for record in events] == [event.hash for event in LOG]
    assert all((record["sample"], record["epoch"]) == ("test", 1) for record in found)
    findings = [record for record in found if record["record"] == "finding"]
    assert {"delivered", "none"} <= {str(record["stage"]) for record in findings}
    assert not [record for record in found if record["record"] == "problem"]


def test_ocsf_records_are_valid_and_no_two_share_an_id(log: Path):
    found = records(evidence(log, "--format", "ocsf"))
    assert [fault for record in found for fault in faults(record)] == []
    names = [record["metadata"]["uid"] for record in found]  # type: ignore[index]
    assert len(set(names)) == len(names)
    assert {1001, 1007, 2004, 4001} <= {record["class_uid"] for record in found}


def test_an_episode_that_lacks_evidence_is_not_left_out(log: Path):
    problems = [record for record in records(evidence(log)) if record["record"] == "problem"]
    said = {(record["sample"], record["epoch"]): str(record["problem"]) for record in problems}
    assert set(said) == {(name, epoch) for name in ("unwatched", "cut") for epoch in (1, 2)}
    assert "has no evidence: no witness watched it" in said["unwatched", 1]


@pytest.mark.parametrize("format_", ["jsonl", "ocsf"])
def test_no_byte_that_a_terminal_acts_on_is_printed(log: Path, format_: str):
    text = evidence(log, "--format", format_).stdout
    assert "\\u001b[31m\\u0007\\u009b\\u007f\\u202e" in text
    assert all(" " <= character <= "~" for character in text.replace("\n", ""))


def test_output_goes_to_a_file(log: Path, tmp_path: Path):
    target = tmp_path / "evidence.jsonl"
    assert evidence(log, "--output", target).stdout == ""
    assert target.read_text() == evidence(log).stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{folder}/none.eval"], "no log {folder}/none.eval"),
        (["{log}", "--sample", "other"], "there is no episode in {log} of sample other"),
        (["{log}", "--sample", "test", "--epoch", "3"], "there is no episode in {log} of sample test, epoch 3"),
        (
            ["{log}", "--sample", "unwatched"],
            "there is no evidence in {log} of sample unwatched: episode unwatched has",
        ),
        (["{folder}/text.eval"], "{folder}/text.eval cannot be read as a log of Inspect's"),
        (["{folder}/empty"], "there is no episode in {folder}/empty"),
        (["{log}", "--output", "{folder}/none/x"], "the evidence cannot be written: No such file or directory"),
        ([], "name a log of Inspect's"),
    ],
)
def test_what_cannot_be_exported_ends_in_one_sentence_and_exit_code_2(
    log: Path, tmp_path: Path, arguments: list[str], sentence: str
):
    (tmp_path / "text.eval").write_text("no log")
    (tmp_path / "empty").mkdir()
    names = {"log": log, "folder": tmp_path}
    result = evidence(*(each.format(**names) for each in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"afagent: {sentence.format(**names)}")
    assert result.stderr.count("\n") == 1


def test_a_refused_export_leaves_no_file(log: Path, tmp_path: Path):
    target = tmp_path / "evidence.jsonl"
    assert evidence(log, "--sample", "other", "--output", target).exit_code == 2
    assert not target.exists()


def test_the_schema_needs_no_log():
    assert json.loads(evidence("--schema").stdout)["title"] == "An event of the witness"
