"""Room that gets scarce is told, with how much of it the workstation's own files took."""

import os
from pathlib import Path

import pytest

from afagent.sandboxes.recorder import space
from afagent.sandboxes.recorder.events import Space, from_line
from afagent.sandboxes.recorder.log import Log
from afagent.sandboxes.recorder.space import SpaceWatch


def free(root: Path) -> int:
    status = os.statvfs(root)
    return status.f_bavail * status.f_frsize


def told(root: Path, log: Log) -> list[Space]:
    log.close()
    facts = [from_line(line).fact for line in (root / "log").read_text().splitlines()]
    return [fact for fact in facts if isinstance(fact, Space)]


def test_what_there_is_at_the_start_is_told_without_the_weights(tmp_path: Path):
    (tmp_path / "data/w").mkdir(parents=True)
    (tmp_path / "data/w/shard").write_bytes(bytes(1 << 20))
    (tmp_path / "data/note").write_bytes(b"x" * 8192)
    (tmp_path / "data/note2").symlink_to("w")
    log = Log(tmp_path / "log")
    SpaceWatch(str(tmp_path), ("/data",), log, leave={"/data/w"}).begin()
    (fact,) = told(tmp_path, log)
    assert (fact.place, fact.held_files) == ("/data", 3)
    assert 8192 <= fact.held_bytes < 1 << 20
    assert abs(fact.free_bytes - free(tmp_path)) < 10 << 30


def test_scarce_room_is_told_once_and_again_when_half_of_it_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tmp").mkdir()
    log = Log(tmp_path / "log")
    watch = SpaceWatch(str(tmp_path), ("/tmp",), log)
    shares = iter([1.5, 0.9, 0.8, 0.5, 0.44, 0.43, 0.1])
    monkeypatch.setattr(space, "_left", lambda status: next(shares))
    counts = []
    for _ in range(7):
        before = log.seq
        watch.look()
        counts.append(log.seq - before)
    assert counts == [0, 1, 0, 0, 1, 0, 1]
    assert len(told(tmp_path, log)) == 3


def test_a_disk_with_room_is_not_scarce_and_a_full_one_is(tmp_path: Path):
    def left(free_bytes: int, free_files: int, files: int = 1000) -> float:
        values = (4096, 4096, 1_000_000, free_bytes // 4096, free_bytes // 4096, files, free_files, free_files, 0, 255)
        return space._left(os.statvfs_result(values))

    assert left(3 << 30, 900) > 1
    assert left(0, 900) == 0
    assert left(3 << 30, 10) < 1
    assert left(3 << 30, 0, files=0) > 1, "a file system without such a number"
    assert left(100 << 20, 900) < 1


def test_room_that_was_scarce_for_a_moment_is_told_at_the_next_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tmp").mkdir()
    log = Log(tmp_path / "log")
    watch = SpaceWatch(str(tmp_path), ("/tmp",), log)
    status = os.statvfs(tmp_path)

    def with_free(blocks: int) -> os.statvfs_result:
        return os.statvfs_result((*status[:3], blocks, blocks, 0, 0, 0, 0, 255))

    now = iter([with_free(0), *[with_free(status.f_blocks)] * 3])
    monkeypatch.setattr(os, "statvfs", lambda _: next(now))
    watch.glance()
    watch.glance()
    watch.look()
    watch.look()
    assert [fact.free_bytes for fact in told(tmp_path, log)] == [0]
