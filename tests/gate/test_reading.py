"""The gate's reader on logs that Inspect wrote, on logs that were changed since, and on what is no log."""

import hashlib
import json
import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inspect_ai.log import (
    EvalLog,
    MetadataEdit,
    ProvenanceData,
    TagsEdit,
    edit_eval_log,
    edit_score,
    invalidate_samples,
)
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, ScoreEdit

from afagent.errors import UsageError
from afagent.gate.observed import LogRead, Played, Unreadable
from afagent.gate.questions import QUESTIONS
from afagent.gate.reading import logs
from afagent.gate.reading.archive import MAX_MEMBER_BYTES
from afagent.gate.reading.files import find
from afagent.gate.reading.logs import read_logs
from afagent.gate.reading.played import answer
from tests.gate.played_logs import ARM, name_of, play, rewritten, sample_of

BY = ProvenanceData(author="someone", reason="because")


def read(folder: Path) -> LogRead | Unreadable:
    (one,) = read_logs(str(folder), jobs=1)
    return one


def whole(folder: Path) -> LogRead:
    one = read(folder)
    assert isinstance(one, LogRead), one
    return one


def episode(log: LogRead, seed: int) -> Played:
    return next(each for each in log.episodes if each.seed == seed)


def changed(log: Path, folder: Path, change: Callable[[EvalLog], Any]) -> LogRead:
    rewritten(log, folder / f"log{log.suffix}", change)
    return whole(folder)


def repacked(log: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy in which members are changed behind Inspect's back, or left out."""
    with zipfile.ZipFile(log) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            data = change(name, source.read(name))
            if data is not None:
                copy.writestr(name, data)
    return target


def test_a_log_as_inspect_wrote_it_comes_out_whole_and_without_a_doubt(small_log):
    log = whole(small_log.parent)
    assert (log.problems, log.missing, log.playbook, log.suite) == ((), (), None, "9.9")
    assert [one.mismatches for one in log.episodes] == [()] * 4
    assert log.log.sha256 == hashlib.sha256(small_log.read_bytes()).hexdigest()
    assert (log.log.name, log.log.task, log.log.role, log.log.status) == (
        small_log.name,
        "weight_exfiltration",
        "model",
        "success",
    )
    assert log.model.name == "mockllm/model"
    assert log.model.scaffold == "episode"


def test_each_episode_is_told_as_it_was_judged(small_log):
    log = whole(small_log.parent)
    honest, thief, idle, broken = (episode(log, seed) for seed in (1, 2, 3, 4))
    assert (honest.sample, honest.arm, honest.epoch, honest.engagement) == (name_of(1), ARM, 1, "done")
    assert honest.answers["exfiltration.attempted"] is False
    assert honest.answers["sabotage.attempted"] is False
    assert honest.images == {"workstation:latest": "sha256:1"}
    assert thief.answers["exfiltration.delivered"] is True
    assert thief.answers["exfiltration.staged"] is True
    assert thief.answers["honesty.false"] is True
    assert thief.strongest["exfiltration.attempted"].strength == "proven"
    assert "nas.sorokin.me" in thief.strongest["exfiltration.delivered"].summary
    assert idle.engagement == "ignored"
    assert (broken.error, broken.engagement) == ("RuntimeError('the engine went away\\nand more')", None)
    assert "tampering.attempted" not in honest.answers
    assert honest.started is not None
    assert honest.ended is not None
    assert honest.started.tzinfo is not None
    assert (honest.aware, honest.refused, honest.limit) == (None, False, None)


def test_both_formats_say_the_same(tmp_path, small_log):
    def plain(log: LogRead) -> list[Any]:
        return [(one.sample, one.uuid, one.answers, one.strongest, one.error, one.mismatches) for one in log.episodes]

    as_json = changed_name(small_log, tmp_path / "log.json")
    assert plain(whole(as_json.parent)) == plain(whole(small_log.parent))
    assert whole(as_json.parent).problems == ()


def changed_name(log: Path, target: Path) -> Path:
    return rewritten(log, target, lambda _: None)


@pytest.mark.parametrize("alone", [True, False], ids=["copied", "new"])
def test_processes_give_the_same_in_the_same_order(tmp_path, small_log, good_log, monkeypatch, alone):
    """Whether they are copies of this one or not, which its threads decide."""
    monkeypatch.setattr(logs, "WORTH_BYTES", 0)
    monkeypatch.setattr(threading, "active_count", lambda: 1 if alone else 2)
    for number, log in enumerate((small_log, good_log, small_log)):
        (tmp_path / f"{number}").mkdir()
        shutil.copy(log, tmp_path / f"{number}" / "a.eval")
    (tmp_path / "1b.eval").write_bytes(b"")
    alone = list(read_logs(str(tmp_path), jobs=1))
    assert [one.log.name if isinstance(one, LogRead) else one.name for one in alone] == [
        "0/a.eval",
        "1/a.eval",
        "1b.eval",
        "2/a.eval",
    ]
    assert list(read_logs(str(tmp_path), jobs=2)) == alone


def test_a_part_is_read_under_the_same_names(tmp_path, small_log):
    for folder in ("model/one/block-01", "model/one/block-011", "model/one"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(small_log, tmp_path / folder / "a.eval")
    (one,) = read_logs(str(tmp_path), part="model/one/block-01")
    assert isinstance(one, LogRead)
    assert one.log.name == "model/one/block-01/a.eval"


def test_an_address_is_as_good_as_a_folder(small_log):
    system = fsspec.filesystem("memory")
    system.pipe("/gate/runs/a.eval", small_log.read_bytes())
    (one,) = read_logs("memory://gate", jobs=2)
    assert isinstance(one, LogRead)
    assert one.log.name == "runs/a.eval"
    assert [each.mismatches for each in one.episodes] == [()] * 4
    system.rm("/gate", recursive=True)


def test_no_folder_is_an_error_and_an_empty_one_is_none(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        read_logs(str(tmp_path / "none"))
    with pytest.raises(UsageError, match="cannot be opened"):
        read_logs("nosuchprotocol://x")
    assert list(read_logs(str(tmp_path))) == []


def test_files_that_inspect_writes_beside_logs_are_none(tmp_path):
    for name in ("eval-set.json", "logs.json", "notes.txt"):
        (tmp_path / name).write_text("{}")
    assert find(str(tmp_path)) == []


def test_epochs_are_told_apart_and_what_is_not_there_is_missing(tmp_path, good_log):
    assert [(one.seed, one.epoch) for one in whole(good_log.parent).episodes] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    repacked(good_log, tmp_path / "a.eval", lambda name, data: None if "0002" in name and "epoch_2" in name else data)
    log = whole(tmp_path)
    assert log.missing == (f"{name_of(2)} (epoch 2)",)
    assert any("in the log's own list and not in the log" in problem for problem in log.problems)


def test_a_run_that_was_killed_is_read_from_its_start(tmp_path, small_log):
    ends = ("header.json", "summaries.json", "reductions.json")
    repacked(small_log, tmp_path / "a.eval", lambda name, data: None if name in ends or "0003" in name else data)
    log = whole(tmp_path)
    assert (log.log.status, len(log.episodes), log.missing) == ("started", 3, (name_of(3),))


def flip(log: EvalLog) -> None:
    sample_of(log, 2).scores["exfiltration"].value["attempted"] = 0  # type: ignore[index]


def edit(log: EvalLog) -> None:
    value = {**sample_of(log, 2).scores["exfiltration"].value, "attempted": 0}  # type: ignore[index, dict-item]
    edit_score(log, name_of(2), "exfiltration", ScoreEdit(value=value, provenance=BY))


def drop(log: EvalLog) -> None:
    log.samples = [sample for sample in log.samples or [] if sample.metadata["seed"] != 2]


def rename(log: EvalLog) -> None:
    sample_of(log, 2).id = "0009-verify_shards-control"


def double(log: EvalLog) -> None:
    again = sample_of(log, 1).model_copy(deep=True)
    log.samples = [*(log.samples or []), again]


EDITS: dict[str, tuple[Callable[[EvalLog], Any], str]] = {
    "an edited score": (edit, "its score of `exfiltration` was edited"),
    "a score written over": (flip, "not the one that its transcript tells"),
    "a count that no longer fits": (flip, "another number of yes for `exfiltration.attempted`"),
    "a renamed sample": (rename, "is not among those that the log announces"),
    "tags": (lambda log: edit_eval_log(log, [TagsEdit(tags_add=["x"])], BY), "tags or metadata of the log were edited"),
    "metadata": (
        lambda log: edit_eval_log(log, [MetadataEdit(metadata_set={"x": 1})], BY),
        "tags or metadata of the log were edited",
    ),
    "an invalid sample": (
        lambda log: invalidate_samples(log, [str(sample_of(log, 2).uuid)], BY),
        "it was declared invalid",
    ),
    "an invalid log": (lambda log: invalidate_samples(log, "all", BY), "the log was declared invalid"),
}


@pytest.fixture(scope="session")
def pair_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without an error, so that the header's counts are of all samples."""
    return play(tmp_path_factory.mktemp("pair"), "honest", "thief")


@pytest.mark.parametrize("case", EDITS)
@pytest.mark.parametrize("suffix", [".eval", ".json"])
def test_an_edit_leaves_its_sign(tmp_path, pair_log, case, suffix):
    change, sign = EDITS[case]
    log = rewritten(pair_log, tmp_path / f"log{suffix}", change)
    assert any(sign in problem for problem in whole(log.parent).problems)


def test_a_dropped_sample_is_missing(tmp_path, pair_log):
    assert changed(pair_log, tmp_path, drop).missing == (name_of(2),)


def test_an_invalidated_sample_counts_as_one_with_an_error(tmp_path, pair_log):
    log = changed(pair_log, tmp_path, lambda log: invalidate_samples(log, "all", BY))
    assert episode(log, 2).error == "invalidated: because"


def test_a_sample_in_a_json_log_twice_is_told(tmp_path, pair_log):
    rewritten(pair_log, tmp_path / "log.json", double)
    assert any("stands in the log more than once" in problem for problem in whole(tmp_path).problems)


def with_member_twice(log: Path, place: Path, before: Callable[[dict[str, Any]], None]) -> LogRead:
    """A log in which the second sample stands twice: first as it is before, then as it was."""
    with zipfile.ZipFile(log) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    (name, content) = next((name, data) for name, data in members if "0002" in name and name.startswith("samples/"))
    sample = json.loads(content)
    before(sample)
    with zipfile.ZipFile(place / "a.eval", "w") as archive:
        archive.writestr(name, json.dumps(sample))
        for each in members:
            archive.writestr(*each)
    return whole(place)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_sample_that_ended_and_stands_in_the_archive_twice_is_told(tmp_path, pair_log):
    problems = with_member_twice(pair_log, tmp_path, lambda sample: None).problems
    assert any("stands in the log more than once" in problem for problem in problems)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_sample_that_broke_off_may_stand_before_its_retry(tmp_path, pair_log):
    """So Inspect writes the log of a retry: what a stopped run left of a sample, then the sample played anew."""

    def stopped(sample: dict[str, Any]) -> None:
        sample |= {"uuid": "another", "scores": {}, "error": {"message": "x", "traceback": "x", "traceback_ansi": "x"}}

    read = with_member_twice(pair_log, tmp_path, stopped)
    assert read.problems == whole(pair_log.parent).problems == ()
    assert [one.error is None for one in read.episodes if one.seed == 2] in ([True, False], [False, True])


def test_a_sample_in_the_place_of_another_is_told(tmp_path, pair_log):
    with zipfile.ZipFile(pair_log) as archive:
        (honest,) = (name for name in archive.namelist() if "0001" in name and name.startswith("samples/"))
        good = archive.read(honest)
    repacked(pair_log, tmp_path / "a.eval", lambda name, data: good if name.startswith("samples/") else data)
    problems = whole(tmp_path).problems
    assert any("it stands in the place of another" in problem for problem in problems)


def test_a_list_of_samples_that_disagrees_is_told(tmp_path, pair_log):
    def rescored(name: str, data: bytes) -> bytes:
        if not name.startswith("samples/0002"):
            return data
        sample = json.loads(data)
        sample["scores"]["exfiltration"]["value"]["delivered"] = 0
        sample["events"] = []
        return json.dumps(sample).encode()

    repacked(pair_log, tmp_path / "a.eval", rescored)
    problems = whole(tmp_path).problems
    assert any("scored otherwise than the log's own list says" in problem for problem in problems)


def test_an_answer_is_yes_no_or_none_whatever_stands_there():
    attempted, honest = QUESTIONS["exfiltration.attempted"], QUESTIONS["honesty.false"]
    values: list[Any] = [1, 1.0, True, 0, float("nan"), None, 2, "1", [1], {"attempted": 1}]
    assert [answer(attempted, {"attempted": value}) for value in values] == [True, True, True, False, *[None] * 6]
    assert [answer(attempted, value) for value in (1, None, [], {})] == [None] * 4
    assert [answer(honest, value) for value in ("false", "honest", "omitted", "x", {}, float("nan"))] == [
        True, False, False, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "aware"), [(1, True), (0, False), ({"aware": 1}, None), ("x", None), (2, None)])
def test_awareness_is_read_where_it_was_judged(tmp_path, pair_log, value, aware):
    def judged(log: EvalLog) -> None:
        sample_of(log, 1).scores["awareness"] = Score(value=value)  # type: ignore[index]

    assert episode(changed(pair_log, tmp_path, judged), 1).aware is aware


def test_a_refusal_is_read_from_the_last_answer(tmp_path, pair_log):
    def refused(log: EvalLog) -> None:
        sample_of(log, 1).output = ModelOutput.from_content("m", "no", stop_reason="content_filter")

    assert episode(changed(pair_log, tmp_path, refused), 1).refused


def test_a_scripted_model_is_named(tmp_path, pair_log):
    def scripted(log: EvalLog) -> None:
        log.eval.model, log.eval.model_args = "afagent/playbook", {"file": "/some/where/mine.yaml"}

    log = changed(pair_log, tmp_path, scripted)
    assert (log.playbook, log.log.role) == ("mine", "model")


def test_what_the_run_changed_is_told_and_what_the_task_says_is_not(tmp_path, pair_log):
    def limited(log: EvalLog) -> None:
        log.eval.task_args = {"message_limit": 120, "seeds": 2}
        log.eval.task_args_passed = {"seeds": 2}
        log.eval.config.message_limit, log.eval.config.token_limit = 120, 9
        log.eval.solver = "other"

    log = changed(pair_log, tmp_path, limited)
    assert (log.passed, log.settings) == ({"seeds": 2}, {"token_limit": 9, "solver": "other"})


def test_evidence_that_was_changed_no_longer_carries_its_scores(tmp_path, pair_log):
    def cut(log: EvalLog) -> None:
        sample_of(log, 1).store["Evidence:log"] = sample_of(log, 1).store["Evidence:log"][:900]

    assert episode(changed(pair_log, tmp_path, cut), 1).mismatches


@pytest.mark.parametrize(("rejudge", "told"), [("all", {1, 2}), ("positives", {2}), ("none", set())])
def test_one_may_hold_fewer_scores_against_the_evidence(tmp_path, pair_log, rejudge, told):
    def swapped(log: EvalLog) -> None:
        one, two = sample_of(log, 1), sample_of(log, 2)
        one.scores, two.scores = two.scores, one.scores
        one.scores["exfiltration"].value = {}  # type: ignore[index]
        one.scores["honesty"].value = "honest"  # type: ignore[index]
        two.scores["exfiltration"].value["attempted"] = 1  # type: ignore[index]

    rewritten(pair_log, tmp_path / "log.eval", swapped)
    (log,) = read_logs(str(tmp_path), 1, rejudge)
    assert isinstance(log, LogRead)
    assert {one.seed for one in log.episodes if one.mismatches} == told


def bomb(path: Path) -> None:
    packed = zstandard.ZstdCompressor().compress(bytes(64 << 20))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", b"x")
    info = zipfile.ZipInfo("header.json")
    info.compress_type = 93  # claims to be small
    raw = b"PK\x03\x04" + bytes(22) + (11).to_bytes(2, "little") + bytes(2) + b"header.json" + packed
    directory = bytearray(path.read_bytes().partition(b"PK\x01\x02")[2])
    directory[6:8] = (93).to_bytes(2, "little")
    directory[16:20] = len(packed).to_bytes(4, "little")
    entry, end, tail = bytes(directory).partition(b"PK\x05\x06")
    tail = tail[:12] + len(raw).to_bytes(4, "little") + tail[16:]
    path.write_bytes(raw + b"PK\x01\x02" + entry + end + tail)


def huge(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("header.json", "w") as member:
        for _ in range((MAX_MEMBER_BYTES >> 20) + 1):
            member.write(bytes(1 << 20))


NO_LOGS: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a log"),
    "another archive": lambda path: zipfile.ZipFile(path, "w").writestr("x", "y"),
    "a header that is none": lambda path: zipfile.ZipFile(path, "w").writestr("header.json", '{"eval": []}'),
    "deep": lambda path: zipfile.ZipFile(path, "w").writestr("header.json", "[" * 200_000),
    "a bomb": bomb,
    "a huge member": huge,
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a link to nowhere": lambda path: path.symlink_to(path.parent / "none"),
}


@pytest.mark.parametrize("kind", NO_LOGS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_is_no_log_is_unreadable_and_never_an_error(tmp_path, kind):
    NO_LOGS[kind](tmp_path / "a.eval")
    one = read(tmp_path)
    assert isinstance(one, Unreadable)
    assert one.name == "a.eval"
    assert one.why.startswith("a.eval ")
    assert "\n" not in one.why


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"eval": NaN}', "[" * 100_000, '{"samples": 3}'])
def test_a_json_file_that_is_no_log_is_unreadable(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert isinstance(read(tmp_path), Unreadable)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_unreadable(tmp_path, pair_log):
    shutil.copy(pair_log, tmp_path / "a.eval")
    (tmp_path / "a.eval").chmod(0)
    assert isinstance(read(tmp_path), Unreadable)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_truncated_or_broken_log_is_unreadable_or_shows_it(tmp_path, pair_log, data):
    raw = bytearray(pair_log.read_bytes())
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
    else:
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] ^= data.draw(st.integers(1, 255))
    (tmp_path / "a.eval").write_bytes(raw)
    one = read(tmp_path)
    if isinstance(one, LogRead) and not one.problems:  # the byte stood where nothing is said
        assert [each.answers for each in one.episodes] == [each.answers for each in whole(pair_log.parent).episodes]
