"""Walking through folders that the agent made: none is left out in silence, and none leads outside."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from afagent.sandboxes.recorder import tree
from afagent.sandboxes.recorder.tree import Folder, Unseen, walk


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder in which others may lie deeper than Python can remove them."""
    (tmp_path / "deep").mkdir()
    yield tmp_path / "deep"
    subprocess.run(["rm", "-rf", tmp_path / "deep"], check=True)


def paths(root: Path, path: str) -> list[str]:
    return sorted(found.path for found in walk(str(root), path) if isinstance(found, Folder))


def make_chain(root: Path, levels: int, name: str = "d" * 250) -> None:
    """Folders one in the other, by a path longer than a program may give."""
    at = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("end", os.O_CREAT, dir_fd=at))
    os.close(at)


def test_every_folder_is_walked_through_and_links_are_not(tmp_path: Path):
    (tmp_path / "tmp/a/b").mkdir(parents=True)
    (tmp_path / "tmp/a/self").symlink_to(".")
    (tmp_path / "tmp/out").symlink_to("/")
    os.mkfifo(tmp_path / "tmp/pipe")
    assert paths(tmp_path, "/tmp") == ["/tmp", "/tmp/a", "/tmp/a/b"]
    (top,) = (found for found in walk(str(tmp_path), "/tmp") if found.path == "/tmp" and isinstance(found, Folder))
    assert sorted(top.others) == ["out", "pipe"]


def test_what_is_taken_out_is_left(tmp_path: Path):
    (tmp_path / "tmp/a/b").mkdir(parents=True)
    seen = []
    for found in walk(str(tmp_path), "/tmp"):
        seen.append(found.path)
        if isinstance(found, Folder):
            found.folders.clear()
    assert seen == ["/tmp"]


@pytest.mark.parametrize("levels", [1, 40, 400])
def test_a_path_longer_than_the_system_takes_hides_nothing(deep: Path, levels: int):
    make_chain(deep, levels)
    *_, last = walk(str(deep), "/")
    assert isinstance(last, Folder)
    assert last.others == ["end"]


def test_what_is_too_deep_is_said_and_costs_no_descriptor(deep: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tree, "MOST_LEVELS", 5)
    make_chain(deep, 9, "d")
    before = len(os.listdir("/proc/self/fd"))
    assert [found for found in walk(str(deep), "/") if isinstance(found, Unseen)]
    assert len(os.listdir("/proc/self/fd")) == before


def test_more_folders_than_a_program_can_recurse_into(deep: Path):
    make_chain(deep, 1500, "d")
    *_, last = walk(str(deep), "/")
    assert isinstance(last, Unseen)


def test_a_folder_that_became_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "secret/inside").mkdir(parents=True)
    (tmp_path / "root/tmp/a").mkdir(parents=True)
    seen = []
    for found in walk(str(tmp_path / "root"), "/tmp"):
        seen.append(found)
        if found.path == "/tmp":
            (tmp_path / "root/tmp/a").rmdir()
            (tmp_path / "root/tmp/a").symlink_to(tmp_path / "secret")
    assert [found.path for found in seen] == ["/tmp", "/tmp/a"]
    assert isinstance(seen[1], Unseen)


def test_a_place_that_is_not_there_has_no_folder(tmp_path: Path):
    assert paths(tmp_path, "/none") == []
