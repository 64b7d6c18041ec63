"""The states of the lab's systems: every change is told, however it is made, and the last state told is the truth."""

from __future__ import annotations

import ctypes
import hashlib
import mmap
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder import asset_facts, assets, fanotify, held, inotify, standing
from afagent.sandboxes.recorder.assets import AssetWatch
from afagent.sandboxes.recorder.events import AssetState, Fact, Fault, Limit, from_line
from afagent.sandboxes.recorder.log import Log
from afagent.sandboxes.recorder.plan import Asset

RULES, LOG, QUEUE = Asset("m.rules", "/srv/m/etc/rules"), Asset("m.log", "/srv/m/log", grows=True), Asset("q", "/srv/q")
BEFORE = "low a\nhigh b\n"


def unnoticed() -> int | None:
    """The kernel's means to read unnoticed; None for who has not the right."""
    try:
        return fanotify.new_group(os.O_NOATIME)
    except OSError:
        return None


class Watched:
    """Assets that are watched for as long as a test acts on them."""

    def __init__(self, top: Path) -> None:
        self.root = top / "root"
        self.rules, self.log, self.queue = (self.root / asset.path[1:] for asset in (RULES, LOG, QUEUE))
        self.rules.parent.mkdir(parents=True)
        self.queue.mkdir()
        self.rules.write_text(BEFORE)
        self.log.write_text("1\n2\n")
        (self.queue / "a.json").write_text("{}")
        self._file = top / "facts"
        self._out = Log(self._file)
        self.group = unnoticed()
        self._watch = AssetWatch(str(self.root), (RULES, LOG, QUEUE), self._out, self.group)
        self._over = False
        self._watch.begin()

    def facts(self) -> list[Fact]:
        """What was recorded so far."""
        lines = self._file.read_text().splitlines(keepends=True)
        return [from_line(line).fact for line in lines if line.endswith("\n")]

    def states(self, asset: Asset = RULES) -> list[AssetState]:
        """Of one asset, after it was found."""
        return [
            fact
            for fact in self.facts()
            if isinstance(fact, AssetState) and fact.asset == asset.name and fact.how != "found"
        ]

    def until(self, *hows: str, asset: Asset = RULES) -> list[AssetState]:
        """The states of an asset, as soon as the last of them came about in this way."""
        end = time.monotonic() + 20
        while [fact.how for fact in self.states(asset)] != list(hows):
            assert time.monotonic() < end, self.facts()
            time.sleep(0.005)
        return self.states(asset)

    def finish(self) -> list[Fact]:
        """Everything, once watching has ended."""
        if not self._over:
            self._over = True
            self._watch.finish()
            self._out.close()
        return self.facts()


@contextmanager
def watching() -> Iterator[Watched]:
    top = Path(tempfile.mkdtemp())
    watched = Watched(top)
    try:
        yield watched
    finally:
        watched.finish()
        shutil.rmtree(top)


@pytest.fixture
def watched() -> Iterator[Watched]:
    with watching() as watched:
        yield watched


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def replace(path: Path, text: str) -> None:
    """As `sed -i` does."""
    new = path.with_name("sedA1b2C3")
    new.write_bytes(os.fsencode(text))
    new.replace(path)


def swap(first: Path, second: Path) -> None:
    """Exchanges two names in one step."""
    done = ctypes.CDLL(None, use_errno=True).renameat2(-100, os.fsencode(first), -100, os.fsencode(second), 2)
    assert done == 0, os.strerror(ctypes.get_errno())


# --- how it stood -----------------------------------------------------------------------------------------------------


def test_every_asset_is_told_before_the_agent_starts(watched: Watched) -> None:
    found = {fact.path: fact for fact in watched.facts() if isinstance(fact, AssetState)}
    assert {fact.how for fact in found.values()} == {"found"}
    assert set(found) == {RULES.path, LOG.path, QUEUE.path, f"{QUEUE.path}/a.json"}
    rules = found[RULES.path]
    status = watched.rules.stat()
    assert (rules.asset, rules.type, rules.text) == ("m.rules", "file", BEFORE)
    assert (rules.size, rules.sha256) == (len(BEFORE), sha256(BEFORE.encode()))
    assert (rules.mode, rules.owner, rules.modified) == (status.st_mode & 0o7777, status.st_uid, status.st_mtime)
    assert found[QUEUE.path].type == "other"


def test_what_is_not_there_is_told_as_missing(tmp_path: Path) -> None:
    (tmp_path / "srv").mkdir()
    log = Log(tmp_path / "facts")
    watch = AssetWatch(str(tmp_path), (RULES,), log)
    watch.begin()
    (tmp_path / "srv/m/etc").mkdir(parents=True)
    (tmp_path / "srv/m/etc/rules").write_text("x")
    watch.finish()
    log.close()
    facts = [from_line(line).fact for line in (tmp_path / "facts").read_text().splitlines()]
    assert [(fact.how, fact.type) for fact in facts if isinstance(fact, AssetState)] == [
        ("found", "missing"),
        ("appeared", "file"),
    ]


def test_reading_and_looking_is_no_change(watched: Watched) -> None:
    for path in (watched.rules, watched.log):
        path.read_bytes()
        os.close(os.open(path, os.O_RDWR))
    sorted(watched.queue.iterdir())
    (watched.rules.parent / "other").write_text("no asset")
    (watched.root / "srv/m/log.1").write_text("no asset")
    assert all(fact.how == "found" for fact in watched.finish() if isinstance(fact, AssetState))


# --- what is done to a file -------------------------------------------------------------------------------------------


def put_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/tmp/x")


def exchange_link(path: Path) -> None:
    path.with_name("l").symlink_to("/tmp/x")
    swap(path, path.with_name("l"))


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def put_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_folder(path: Path) -> None:
    path.parent.rename(path.parents[1] / "old")
    path.parent.symlink_to("old")


ACTS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "replaced": (lambda path: replace(path, "low a\n"), ["written"]),
    "replaced by the same": (lambda path: replace(path, BEFORE), ["rewritten"]),
    "emptied": (lambda path: os.truncate(path, 0), ["written"]),
    "appended to": (lambda path: append(path, "low c\n"), ["written"]),
    "removed": (lambda path: path.unlink(), ["gone"]),
    "hidden": (lambda path: path.chmod(0), ["attributes"]),
    "touched": (lambda path: path.touch(), ["attributes"]),
    "dated back": (lambda path: os.utime(path, (1, 1)), ["attributes"]),
    "replaced by a link": (put_link, ["written"]),
    "exchanged for a link": (exchange_link, ["written"]),
    "replaced by a folder": (put_folder, ["written"]),
    "replaced by a pipe": (put_pipe, ["written"]),
    "its folder renamed": (lambda path: path.parent.rename(path.parents[1] / "old"), ["gone"]),
    "a folder further up renamed": (lambda path: path.parents[1].rename(path.parents[2] / "old"), ["gone"]),
    "its folder exchanged for a link": (link_folder, ["written"]),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_told(watched: Watched, act: str) -> None:
    """In one piece, or with what stood there between its parts."""
    do, hows = ACTS[act]
    do(watched.rules)
    watched.finish()
    told = [fact.how for fact in watched.states()]
    assert told[-1:] == hows or told in (["gone", "appeared"], ["gone", "written"]), told
    assert not [fact for fact in watched.facts() if isinstance(fact, Fault)]


@pytest.mark.parametrize("act", ACTS)
def test_what_is_put_back_is_told_as_well(watched: Watched, act: str) -> None:
    do, _ = ACTS[act]
    etc, kept = watched.rules.parent, watched.root / "kept"
    shutil.copytree(watched.root / "srv/m", kept, symlinks=True)
    do(watched.rules)
    for path in (etc.parent.with_name("old"), etc.with_name("old"), etc):
        shutil.rmtree(path, ignore_errors=True) if not path.is_symlink() else path.unlink()
    shutil.copytree(kept, watched.root / "srv/m", dirs_exist_ok=True)
    watched.finish()
    states = watched.states()
    assert states
    assert (states[-1].type, states[-1].text or BEFORE) == ("file", BEFORE)


def test_an_edit_that_is_undone_at_once_leaves_a_trace(watched: Watched) -> None:
    """Whether the witness comes between the two writes or after them."""
    with watched.rules.open("r+b", buffering=0) as file:
        os.pwrite(file.fileno(), b"HIGH", 0)
        os.pwrite(file.fileno(), BEFORE[:4].encode(), 0)
    watched.finish()
    told = [(fact.how, fact.text) for fact in watched.states()]
    assert told
    assert told[-1] in (("rewritten", BEFORE), ("written", BEFORE))


def test_dating_back_does_not_hide_a_write(watched: Watched) -> None:
    status = watched.rules.stat()
    watched.rules.write_text(BEFORE)
    os.utime(watched.rules, ns=(status.st_atime_ns, status.st_mtime_ns))
    watched.finish()
    assert watched.states()
    assert watched.states()[-1].sha256 == sha256(BEFORE.encode())


def test_what_is_written_through_memory_is_told(watched: Watched) -> None:
    """Also while the file stays open, when the kernel says nothing of it."""
    with watched.rules.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[:3] = b"LOW"
        watched.until("written")
        memory[:3] = b"off"
        states = watched.until("written", "written")
    assert [str(fact.text)[:3] for fact in states] == ["LOW", "off"]


def test_what_is_written_by_another_name_is_told(watched: Watched) -> None:
    other = watched.root / "other"
    other.hardlink_to(watched.rules)
    watched.until("attributes")
    with other.open("r+b", buffering=0) as file:
        file.write(b"LOW")
    assert str(watched.until("attributes", "written")[-1].text)[:3] == "LOW"


def test_each_state_is_told_in_its_order(watched: Watched) -> None:
    watched.rules.unlink()
    watched.until("gone")
    watched.rules.write_text("")
    watched.until("gone", "appeared")
    replace(watched.rules, "x")
    watched.until("gone", "appeared", "written")
    watched.rules.chmod(0o600)
    states = watched.until("gone", "appeared", "written", "attributes")
    assert [(fact.type, fact.size, fact.text) for fact in states] == [
        ("missing", 0, None),
        ("file", 0, ""),
        ("file", 1, "x"),
        ("file", 1, "x"),
    ]
    assert states[-1].mode == 0o600


def test_a_long_content_or_one_that_is_no_text_is_told_without(watched: Watched) -> None:
    replace(watched.rules, "\udcff")
    watched.until("written")
    replace(watched.rules, "x" * (asset_facts.TEXT_BYTES + 1))
    watched.until("written", "written")
    replace(watched.rules, "y" * asset_facts.TEXT_BYTES)
    states = watched.until("written", "written", "written")
    assert [fact.text is None for fact in states] == [True, True, False]
    assert all(fact.sha256 for fact in states)


def test_of_a_very_large_file_the_start_is_compared_and_that_is_said(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "READ_BYTES", 1 << 20)
    os.truncate(watched.rules, 1 << 40)
    (fact,) = watched.until("written")
    assert (fact.size, fact.sha256, fact.text) == (1 << 40, "", None)
    assert [limit.path for limit in watched.finish() if isinstance(limit, Limit)] == [RULES.path]


# --- who watches the watcher ------------------------------------------------------------------------------------------


def test_looks_are_no_event_for_who_watches_the_same_files(watched: Watched) -> None:
    """What is new at a path is opened once; what stood there when the agent came never is again."""
    if watched.group is None:
        pytest.skip("needs the right to use fanotify")
    queued = watched.queue / "a.json"
    with watched.rules.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory, watched.log.open("ab", 0) as log:
        agent = inotify.Inotify()
        folders = (watched.root, watched.root / "srv", watched.rules.parents[1], watched.rules.parent, watched.queue)
        reads = inotify.OPEN | inotify.ACCESS
        names = {agent.watch(str(folder), reads): folder.name for folder in folders}
        log.write(b"3\n")
        watched.until("added", asset=LOG)
        queued.chmod(0o600)
        watched.until("attributes", asset=QUEUE)
        memory[:3] = b"LOW"
        watched.until("written")
        memory[:3] = b"off"  # it takes a comparison of all to see this
        watched.until("written", "written")
        assert agent.read() == []
        replace(watched.rules, "none\n")
        watched.until("written", "written", "written")
        seen = [(names[event.watch], event.name, event.mask) for event in agent.read()]
        agent.close()
    assert seen.count(("etc", "rules", inotify.OPEN)) <= 1
    assert {name for _, name, mask in seen if mask & inotify.ACCESS} == set()
    assert {name for _, name, _ in seen} <= {"rules", "sedA1b2C3"}


def test_more_files_than_are_held_are_looked_at_all_the_same(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "MOST_FILES", 2)
    monkeypatch.setattr(held, "MOST_FOLDERS", 3)
    for number in range(9):
        (watched.queue / f"d{number}").mkdir()
        (watched.queue / f"d{number}/x").write_text("1")
    descriptors = len(os.listdir("/proc/self/fd"))
    for number in range(9):
        (watched.queue / f"d{number}/x").write_text("2")
    watched.finish()
    last = {fact.path.removeprefix(QUEUE.path): fact.text for fact in watched.states(QUEUE)}
    assert {f"/d{number}/x": "2" for number in range(9)}.items() <= last.items()
    assert len(os.listdir("/proc/self/fd")) < descriptors


def test_a_file_that_is_gone_is_held_no_longer(watched: Watched) -> None:
    """It would keep its space on the disk."""
    file = watched.rules.open("rb")
    watched.rules.unlink()
    watched.until("gone")
    mine = os.fstat(file.fileno())
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    same = [link for link in links if os.path.exists(link) and os.path.samestat(os.stat(link), mine)]
    file.close()
    assert len(same) == 1


# --- what grows -------------------------------------------------------------------------------------------------------


def test_of_a_log_what_was_added_is_told(watched: Watched) -> None:
    append(watched.log, "3\n")
    append(watched.log, "4\n")
    watched.finish()
    states = watched.states(LOG)
    assert {fact.how for fact in states} == {"added"}
    assert "".join(fact.text or "" for fact in states) == "3\n4\n"
    assert states[-1].sha256 == sha256(b"1\n2\n3\n4\n")


@pytest.mark.parametrize("text", ["1\n", "", "2\n1\n3\n", "1\nx\n3\n4\n"])
def test_of_a_log_that_was_edited_the_whole_is_told(watched: Watched, text: str) -> None:
    with watched.log.open("r+") as file:
        file.write(text)
        file.truncate()
    watched.finish()
    told = [(fact.how, fact.text) for fact in watched.states(LOG)]
    assert ("written", text) in told
    assert told[-1][1] == text


def test_a_log_that_was_replaced_has_not_grown(watched: Watched) -> None:
    """Its service goes on writing into the file that is gone."""
    replace(watched.log, "1\n2\n3\n")
    assert watched.until("written", asset=LOG)[0].text == "1\n2\n3\n"


def test_what_was_added_and_then_taken_out_again_is_told(watched: Watched) -> None:
    append(watched.log, "agent ran x\n")
    watched.until("added", asset=LOG)
    append(watched.log, "agent ran y\n")
    os.truncate(watched.log, 4)
    watched.finish()
    states = watched.states(LOG)
    assert states[0].text == "agent ran x\n"
    assert (states[-1].how, states[-1].text) == ("written", "1\n2\n")


def test_of_much_that_is_added_the_last_is_told(watched: Watched) -> None:
    append(watched.log, "x" * 100 + "\n" + "y" * (asset_facts.TEXT_BYTES - 10) + "\n")
    watched.finish()
    texts = "".join(fact.text or "" for fact in watched.states(LOG))
    assert texts.endswith("y\n")
    assert len(texts) < asset_facts.TEXT_BYTES + 200


# --- folders ----------------------------------------------------------------------------------------------------------


def test_every_file_below_a_folder_is_told(watched: Watched) -> None:
    (watched.queue / "a.json").rename(watched.queue / "b.json")
    (watched.queue / "new/er").mkdir(parents=True)
    (watched.queue / "new/er/c.json").write_text("3")
    (watched.queue / b"\xff".decode(errors="surrogateescape")).write_text("4")
    watched.finish()
    told = {(fact.path.removeprefix(QUEUE.path), fact.how) for fact in watched.states(QUEUE)}
    assert {("/a.json", "gone"), ("/b.json", "appeared"), ("/\ufffd", "appeared")} <= told
    assert "/new/er/c.json" in {path for path, _ in told}


def test_a_file_in_a_new_folder_is_watched_like_any_other(watched: Watched) -> None:
    (watched.queue / "new").mkdir()
    file = watched.queue / "new/c"
    file.write_text("1")
    end = time.monotonic() + 20
    while not watched.states(QUEUE) or watched.states(QUEUE)[-1].text != "1":
        assert time.monotonic() < end
        time.sleep(0.005)
    before = len(watched.states(QUEUE))
    file.write_text("1")
    watched.finish()
    assert len(watched.states(QUEUE)) > before


def test_a_folder_that_is_closed_emptied_or_replaced_is_told(watched: Watched) -> None:
    watched.queue.chmod(0o500)
    watched.until("attributes", asset=QUEUE)
    watched.queue.chmod(0o700)
    watched.until("attributes", "attributes", asset=QUEUE)
    watched.queue.rename(watched.root / "away")
    watched.queue.symlink_to("../away")
    watched.finish()
    last = {fact.path: fact for fact in watched.states(QUEUE)}
    assert last[QUEUE.path].type == "link"
    assert last[QUEUE.path].text == "../away"
    assert last[f"{QUEUE.path}/a.json"].how == "gone"


# --- floods -----------------------------------------------------------------------------------------------------------


def test_two_thousand_quick_edits_end_in_the_truth_and_in_bounds(watched: Watched) -> None:
    for number in range(2000):
        watched.rules.write_text(f"{number}\n")
    watched.finish()
    states = watched.states()
    assert states[-1].text in ("1999\n", None)
    assert states[-1].sha256 == sha256(b"1999\n")
    assert len(states) <= asset_facts.CHANGES + 1


def test_a_flood_is_counted_and_hides_nothing_of_other_assets(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asset_facts, "CHANGES", 5)
    for number in range(40):
        (watched.queue / f"{number}").write_text("x" * number)
        time.sleep(0.002)
    for number in range(30):
        (watched.queue / f"{number}").unlink()
    (watched.queue / "a.json").unlink()
    replace(watched.rules, "none\n")
    facts = watched.finish()
    limits = [fact for fact in facts if isinstance(fact, Limit)]
    assert {limit.where for limit in limits} == {"state"}
    assert len(limits) == 2
    assert watched.states()[-1].text == "none\n"
    last = {fact.path.removeprefix(QUEUE.path): fact.type for fact in watched.states(QUEUE)}
    assert {path for path, kind in last.items() if kind == "file"} >= {f"/{number}" for number in range(30, 40)}
    assert last["/a.json"] == "missing"
    assert len(watched.states(QUEUE)) <= 5 + 10 + 5 + 1


def test_more_files_than_are_watched_are_said_to_be(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "ENTRIES", 20)
    for number in range(50):
        (watched.queue / f"{number}").touch()
    (watched.queue / "a.json").write_text("changed")
    facts = watched.finish()
    assert [fact.path for fact in facts if isinstance(fact, Limit)] == [QUEUE.path]
    assert [fact for fact in watched.states(QUEUE) if fact.text == "changed"]


def test_texts_have_an_end_of_their_own(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asset_facts, "TEXTS_BYTES", 100)
    replace(watched.rules, "x" * 200)
    (fact,) = watched.until("written")
    assert (fact.text, fact.size) == (None, 200)
    assert [limit.path for limit in watched.finish() if isinstance(limit, Limit)] == [RULES.path]


def test_a_watch_that_breaks_is_a_fault_and_the_end_is_still_compared(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: AssetWatch, events: object) -> bool:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(AssetWatch, "_take", broken)
        end = time.monotonic() + 20
        while not [fact for fact in watched.facts() if isinstance(fact, Fault)]:
            assert time.monotonic() < end
            time.sleep(0.01)
    replace(watched.rules, "none\n")
    assert [fact.where for fact in watched.finish() if isinstance(fact, Fault)] == ["state"]
    assert watched.states()[-1].text == "none\n"


# --- any sequence of acts ---------------------------------------------------------------------------------------------

NAMES = ("srv/m/etc/rules", "srv/m/log", "srv/q/a.json", "srv/q/b", "srv/q/d/c", "srv/x")


def step(root: Path, act: str, name: str, other: str, text: bytes) -> None:
    path, target = root / name, root / other
    if act == "write":
        path.write_bytes(text)
    elif act == "append":
        with path.open("ab") as file:
            file.write(text)
    elif act == "move":
        path.rename(target)
    elif act == "remove":
        path.unlink()
    elif act == "link":
        path.symlink_to(target)
    elif act == "mode":
        path.chmod(0o600 | len(text))
    elif act == "date":
        os.utime(path, (len(text), len(text)))
    elif act == "folder":
        path.mkdir(parents=True)
    elif act == "move folder":
        path.parent.rename(target.with_name("moved"))
    elif act == "exchange":
        swap(path.parent, target.parent)


ACT = st.sampled_from(
    [
        "write",
        "append",
        "move",
        "remove",
        "link",
        "mode",
        "date",
        "folder",
        "move folder",
        "exchange",
        "write",
        "append",
    ]
)


def truth_of(root: Path, asset: Asset) -> dict[str, tuple[str, str]]:
    """Type and content of what stands at an asset's paths, by plain means."""
    top = root / asset.path[1:]
    if any(parent.is_symlink() for parent in top.parents):
        return {asset.path: ("other", "")}
    found = {}
    below = [Path(folder, name) for folder, _, names in os.walk(top) for name in names] if not top.is_symlink() else []
    links = [path for path in (top.rglob("*") if top.is_dir() and not top.is_symlink() else []) if path.is_symlink()]
    for path in {top, *below} - {link for link in links if link.is_dir()}:
        name = f"/{path.relative_to(root)}"
        if path.is_symlink():
            found[name] = ("link", sha256(os.fsencode(os.readlink(path))))
        elif path.is_file():
            found[name] = ("file", sha256(path.read_bytes()))
        elif path.exists():
            found[name] = ("other", "")
    return found


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(ACT, st.sampled_from(NAMES), st.sampled_from(NAMES), st.binary(max_size=6)), max_size=15),
    st.randoms(use_true_random=False),
)
def test_whatever_is_done_the_last_state_told_is_the_truth(
    steps: list[tuple[str, str, str, bytes]], rng: random.Random
) -> None:
    with watching() as watched:
        for act, name, other, text in steps:
            try:
                step(watched.root, act, name, other, text)
            except (OSError, AssertionError, ValueError):
                continue
            if rng.random() < 0.2:
                time.sleep(0.003)
        facts = watched.finish()
        for asset in (RULES, LOG, QUEUE):
            told = {fact.path: fact for fact in facts if isinstance(fact, AssetState) and fact.asset == asset.name}
            standing_now = {path: (fact.type, fact.sha256) for path, fact in told.items() if fact.type != "missing"}
            truth = truth_of(watched.root, asset)
            assert {path: what for path, what in standing_now.items() if path in truth} == truth
            assert set(standing_now) == set(truth)
        assert not [fact for fact in facts if isinstance(fact, Fault)]
