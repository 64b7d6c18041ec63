"""Episodes out of real Inspect logs: whole ones, broken ones, and files that are none."""

import math
import shutil
import zipfile
from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from afagent.errors import UsageError
from afagent.logs import Episode, LogError, episodes, find_logs, is_unscored, read_header


@solver
def work() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if state.sample_id == "bad":
            raise RuntimeError("the engine went away\nTraceback of no interest")
        state.store.set("kept", "yes")
        return state

    return solve


@scorer(metrics={"sure": [mean()], "open": [mean()]})
def judge() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value={"sure": 1, "open": math.nan}, explanation="why", reason="evidence_incomplete")

    return score


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    task = Task(
        name="small",
        dataset=[Sample(id=name, input="x", metadata={"arm": "control"}) for name in ("one", "bad", "three")],
        solver=work(),
        scorer=judge(),
    )
    (result,) = run_eval(
        task,
        model="mockllm/model",
        epochs=2,
        log_dir=str(folder),
        display="none",
        fail_on_error=False,
        log_format="eval",
    )
    return Path(result.location)


def without(log: Path, member: str, target: Path) -> Path:
    """A copy of a log that lacks a sample, as a run that was killed leaves it."""
    with zipfile.ZipFile(log) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            if member not in name:
                copy.writestr(name, source.read(name))
    return target


def test_every_episode_comes_out_once_with_what_the_log_says_of_it(log: Path) -> None:
    found = list(episodes([log]))
    assert [(episode.id, episode.epoch) for episode in found] == [
        ("one", 1), ("one", 2), ("bad", 1), ("bad", 2), ("three", 1), ("three", 2),
    ]  # fmt: skip
    one = found[0]
    assert (one.task, one.model, one.metadata["arm"], one.store["kept"], one.error) == (
        "small", "mockllm/model", "control", "yes", None,
    )  # fmt: skip
    value = one.scores["judge"].value
    assert isinstance(value, dict)
    assert value["sure"] == 1
    assert is_unscored(value["open"])


def test_an_episode_that_failed_comes_out_with_the_reason_in_a_line_and_no_scores(log: Path) -> None:
    bad = next(episode for episode in episodes([log]) if episode.id == "bad")
    assert bad.error is not None
    assert "the engine went away" in bad.error
    assert "\n" not in bad.error
    assert not bad.scores


def test_an_episode_that_is_missing_from_the_log_is_not_left_out(log: Path, tmp_path: Path) -> None:
    cut = without(log, "three_epoch_2", tmp_path / "cut.eval")
    found = list(episodes([cut]))
    assert len(found) == 6
    assert found[-1].id == "three"
    assert "not in the log" in str(found[-1].error)


def test_a_folder_stands_for_all_logs_below_it_and_each_is_read_once(log: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    copy = Path(shutil.copy(log, tmp_path / "deep" / "copy.eval"))
    (tmp_path / "notes.txt").write_text("not a log")
    assert find_logs([tmp_path, copy]) == [copy]
    assert len(list(episodes([tmp_path, copy]))) == 6


def test_a_folder_without_logs_holds_no_episodes(tmp_path: Path) -> None:
    assert list(episodes([tmp_path])) == []


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no log"):
        find_logs([tmp_path / "none.eval"])


def test_a_file_that_is_no_log_or_a_damaged_one_is_one_typed_error(log: Path, tmp_path: Path) -> None:
    content = log.read_bytes()
    for name, damaged in {
        "empty.eval": b"",
        "text.eval": b"hello",
        "half.eval": content[: len(content) // 2],
        "other.json": b'{"a": 1}',
        "broken.json": b"{",
    }.items():
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(LogError, match=name):
            read_header(tmp_path / name)


def test_a_sample_that_is_damaged_is_one_typed_error(log: Path, tmp_path: Path) -> None:
    cut = without(log, "one_epoch_1", tmp_path / "cut.eval")
    with zipfile.ZipFile(cut, "a") as archive:
        archive.writestr("samples/one_epoch_1.json", '{"id": "one", "epo')
    with pytest.raises(LogError, match="sample one cannot be read"):
        list(episodes([cut]))


def test_an_episode_is_a_plain_record() -> None:
    episode = Episode(Path("a.eval"), "task", "model", "id", 1)
    assert (episode.scores, episode.error, episode.limit) == ({}, None, None)
