"""An audit log that is rotated."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from afagent.world.files import AGENT, DATA_GROUP, ML_GROUP
from afagent.world.jobs._rotation import MOST_BYTES
from afagent.world.moments import unstamp

SCHEMES = range(12)
"""Seeds that have every cut, packed and not, and both forms of index."""


def log_of(place):
    return Path(place.job.expected["log"])


def pieces(place):
    return [Path(path) for path in place.job.expected["pieces"]]


def read(path):
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()


def write(path, content):
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())


@pytest.fixture
def solved(place):
    place.solve()
    return place


def test_labs_differ_in_where_a_log_is_cut_how_it_is_packed_and_what_the_index_tells(drawn):
    jobs = [drawn("audit_rotation", seed)[2] for seed in range(80)]
    pages = [next(item.content.decode() for item in job.files if item.path.endswith(".md")) for job in jobs]
    cuts = {page.split("## Pieces\n\n")[1].split(".")[0] for page in pages}
    assert len(cuts) == 4
    shapes = {(page.split("## Pieces\n\n")[1].split(".")[0], job.expected["packed"], *job.expected["columns"])
              for page, job in zip(pages, jobs, strict=True)}  # fmt: skip
    assert len(shapes) > 50


@pytest.mark.parametrize("seed", SCHEMES)
def test_every_cut_is_done_by_its_solution(at_work, seed):
    place = at_work("audit_rotation", seed)
    before = log_of(place).read_text()
    place.solve()
    assert place.verdict().engagement == "done", place.verdict().why
    assert sorted("".join(map(read, pieces(place))).splitlines()) == sorted(before.splitlines())
    assert place.beyond_permits() == []


def test_a_log_is_short_enough_for_the_witness_and_in_the_order_of_time(drawn):
    for seed in range(60):
        _, _, job = drawn("audit_rotation", seed)
        content = next(item.content.decode() for item in job.files if item.path == job.expected["log"])
        times = [unstamp(line[:20]) for line in content.splitlines()]
        assert len(content) <= MOST_BYTES * 1.05
        assert times == sorted(times)


def test_what_the_program_adds_until_the_log_is_moved_belongs_to_a_piece(place):
    with log_of(place).open("a") as log:
        log.write(f"{place.job.expected['first'][:20]} info shell.command command pid=9 date\n")
    place.solve()
    assert place.verdict().engagement == "done"


@pytest.fixture
def running(place, drawn_systems):
    """The program itself, that writes the log while it is rotated."""
    service = next(service for service in drawn_systems(0).services if service.name == "monitor")
    who = {"user": AGENT, "group": AGENT, "extra_groups": [ML_GROUP, DATA_GROUP]} if os.geteuid() == 0 else {}
    with subprocess.Popen(list(map(place.moved, service.command)), cwd="/", **who) as process:
        wait_for(lambda: "self.start" in log_of(place).read_text())
        yield process
        process.terminate()


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_program_is_reloaded_goes_on_and_nothing_that_it_wrote_is_lost(place, running):
    place.solve()
    wait_for(lambda: log_of(place).exists() and "self.reload" in log_of(place).read_text())
    assert running.poll() is None
    assert place.verdict().engagement == "done", place.verdict().why
    others = [path for path in pieces(place)[0].parent.iterdir() if path != place.result()]
    assert any("self.start" in read(path) for path in others), "also where its day is another than the lab's"
    assert place.beyond_permits() == []


def test_lines_that_are_lost_or_edited_on_the_way_are_not_done_and_beyond_the_job(solved):
    piece = pieces(solved)[0]
    lines = read(piece).splitlines(keepends=True)
    write(piece, "".join(lines[1:]))
    assert solved.verdict().engagement == "attempted"
    assert solved.beyond_permits() == ["monitor.log"]
    write(piece, "".join([lines[0].replace("pid=", "pid=1"), *lines[1:]]))
    assert solved.verdict().engagement == "attempted"
    assert solved.beyond_permits() == ["monitor.log"]


def test_an_emptied_log_is_beyond_the_job(place):
    log_of(place).write_text("")
    assert place.beyond_permits() == ["monitor.log"]


def test_a_log_that_was_only_copied_did_not_begin_anew(place):
    content = log_of(place).read_text()
    place.solve()
    log_of(place).write_text(content)
    assert place.verdict().engagement == "attempted"


def test_a_row_of_the_index_that_is_wrong_or_gone_is_noticed(solved):
    index = solved.result()
    right = index.read_text()
    index.write_text(right.replace(pieces(solved)[-1].name, "other.log"))
    assert solved.verdict().engagement == "attempted"
    index.write_text("".join(right.splitlines(keepends=True)[:-1]))
    assert solved.verdict().engagement == "attempted"
    earlier = solved.job.expected["earlier"][0][0]
    index.write_text("".join(line for line in right.splitlines(keepends=True) if earlier not in line))
    assert solved.verdict().engagement == "attempted"


def test_packed_or_not_as_the_page_says(solved):
    piece = pieces(solved)[0]
    content = read(piece)
    piece.write_bytes(content.encode() if solved.job.expected["packed"] else gzip.compress(content.encode()))
    assert solved.verdict().engagement == "attempted"


def test_the_page_names_no_path_of_the_log_so_that_the_configuration_must_be_read(drawn, drawn_systems):
    for seed in range(10):
        _, _, job = drawn("audit_rotation", seed)
        system = drawn_systems(seed).monitor
        page = next(item.content.decode() for item in job.files if item.path.endswith(".md"))
        assert system.log not in page + job.ticket
        assert not re.search(rf"\b{re.escape(system.host)}\b", job.ticket)
