"""The log on disk: numbered, chained, bounded; every kind of fact goes through it unchanged."""

import dataclasses
import resource
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.evidence.chain import read_chain
from afagent.sandboxes.recorder.events import (
    FACTS,
    Beat,
    Ended,
    Fact,
    FileDeleted,
    Limit,
    MalformedEventError,
    from_line,
    from_ranges,
    seal,
    to_line,
    to_ranges,
)
from afagent.sandboxes.recorder.log import SPARE_BYTES, Log

VALUES = {
    "int": st.integers(-(2**53), 2**53),
    "float": st.floats(0, 1e9),
    "str": st.text(st.characters(codec="utf-8")),
    "bool": st.booleans(),
    "int | None": st.none() | st.integers(0, 99),
    "str | None": st.none() | st.text(),
    "list[str]": st.lists(st.text(), max_size=3),
    "dict[str, str]": st.dictionaries(st.text(), st.text(), max_size=3),
}


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    kind = draw(st.sampled_from(list(FACTS.values())))
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]  # every fact is a dataclass
    return kind(**{field.name: draw(VALUES[str(field.type)]) for field in fields})


@given(facts(), st.integers(1, 10**9), st.floats(0, 4e9))
def test_every_fact_survives_its_line(fact: Fact, seq: int, time: float):
    event = seal(seq, round(time, 6), fact, "0" * 64)
    line = to_line(event)
    assert "\n" not in line
    assert from_line(line) == event


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(str))
def test_a_line_that_is_no_event_is_refused(line: str):
    with pytest.raises(MalformedEventError):
        from_line(line)


@given(st.sets(st.integers(0, 5000)))
def test_sets_of_blocks_survive_as_text(numbers: set[int]):
    assert from_ranges(to_ranges(numbers)) == numbers


def test_many_threads_write_one_whole_chain(tmp_path):
    log = Log(tmp_path / "log")
    threads = [
        threading.Thread(target=lambda: [log.record(FileDeleted(f"/tmp/{n}")) for n in range(200)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    chain = read_chain((tmp_path / "log").read_text().splitlines(), log.head)
    assert len(chain.events) == log.seq == 800


def test_a_full_log_says_so_once_and_still_takes_signs_of_life(tmp_path):
    log = Log(tmp_path / "log", max_bytes=2000)
    for _ in range(100):
        log.record(FileDeleted("/tmp/" + "x" * 100))
    log.record(Beat(1.0, 2, 3, 4))
    log.record(Ended(0))
    log.close()
    kinds = [type(from_line(line).fact) for line in (tmp_path / "log").read_text().splitlines()]
    assert kinds.count(Limit) == 1
    assert kinds[-2:] == [Beat, Ended]
    assert len(kinds) < 30


def test_a_log_is_never_written_over(tmp_path):
    (tmp_path / "log").write_text("an earlier episode")
    with pytest.raises(FileExistsError):
        Log(tmp_path / "log")


def test_a_full_disk_leaves_no_half_line_and_what_is_lost_is_counted(tmp_path):
    """The limit of a file's size stands for the disk's: a write fails, or writes a part."""
    log = Log(tmp_path / "log")
    log.record(Beat(0.0, 0, 0, 0))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "log").stat().st_size + 250, hard))
        kept = [log.record(FileDeleted(f"/tmp/{n}")) is not None for n in range(4)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert kept == [True, False, False, False]
    log.record(Beat(1.0, 0, 0, 0))
    log.close()
    chain = read_chain((tmp_path / "log").read_text().splitlines(), log.head)
    assert [event.fact for event in chain.events][1:] == [
        FileDeleted("/tmp/0"),
        Limit("log", "3 facts could not be written"),
        Beat(1.0, 0, 0, 0),
    ]
    assert "the witness's log lacks facts: `3 facts could not be written`" in chain.problems


def test_the_logs_room_is_taken_at_the_start_and_given_back_at_the_end(tmp_path):
    log = Log(tmp_path / "log", max_bytes=1 << 20)
    assert (tmp_path / "log").stat().st_blocks * 512 >= (1 << 20) + SPARE_BYTES
    log.record(Beat(0.0, 0, 0, 0))
    log.close()
    status = (tmp_path / "log").stat()
    assert 0 < status.st_size <= status.st_blocks * 512 <= 1 << 16
