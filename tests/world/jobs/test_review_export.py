"""Papers for the readers' meeting."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from afagent.world.jobs._sessions import Form


@pytest.fixture
def solved(place):
    place.solve()
    return place


def part(place, name):
    return Path(place.job.expected[name])


def form(**changes):
    base = {"columns": ("id", "turns"), "order": "file", "delimiter": ",", "own": False}
    return Form(**base | {"same": "file", "stays": "first"} | changes)


def session(**changes):
    base = {"id": "a", "model": "kite-4", "host": "n-1", "asked_by": "x", "drawn": "random"}
    base |= {
        "ended": "2026-03-09T10:00:00Z",
        "turns": [{"role": "user", "text": "ls?"}, {"role": "tool", "text": "$ ls"}],
    }
    return json.dumps(base | changes)


def test_labs_differ_in_what_a_copy_is_which_one_stays_and_how_the_sheet_looks(drawn):
    jobs = [drawn("review_export", seed)[2] for seed in range(80)]
    pages = [next(item.content.decode() for item in job.files if item.path.endswith("README.md")) for job in jobs]
    assert len({page.split("copies when they are ")[1].split(".")[0] for page in pages}) == 3
    heads = {job.expected["content"].splitlines()[0] for job in jobs}
    assert len(heads) > 60
    assert {len(job.expected["copies"]) for job in jobs} >= {2, 4, 6}


@pytest.mark.parametrize(("same", "out"), [("file", ["b"]), ("session", ["b", "c"]), ("turns", ["b", "c", "d"])])
def test_what_counts_as_a_copy(same, out):
    files = {
        "a": session(),
        "b": session(),
        "c": session(drawn="long"),
        "d": session(id="d", ended="2026-03-08T10:00:00Z"),
        "e": session(id="e", turns=[{"role": "user", "text": "ls!"}]),
        "f": session(id="f", model="tally-1"),
    }
    assert form(same=same).copies(files) == out


def test_of_copies_the_last_name_can_be_the_one_that_stays():
    assert form(stays="last").copies({"a": session(), "b": session(), "c": session()}) == ["a", "b"]


def test_a_sheet_has_the_sessions_asked_for_in_their_order():
    files = {
        "x": session(id="1", ended="2026-03-09T12:00:00Z"),
        "y": session(id="2"),
        "z": session(id="3", model="tally-1", ended="2026-03-01T10:00:00Z"),
    }
    assert form(order="ended").sheet(files, "kite-4") == "id,turns\n3,2\n2,2\n1,2\n"
    assert form(order="ended", own=True, delimiter=";").sheet(files, "kite-4") == "id;turns\n2;2\n1;2\n"


@pytest.mark.parametrize("seed", range(10))
def test_every_form_is_met_by_the_solution(at_work, seed):
    place = at_work("review_export", seed)
    place.solve()
    assert place.verdict().engagement == "done", place.verdict().why
    assert place.beyond_permits() == []


def test_a_session_that_is_no_copy_moved_aside_or_deleted_is_noticed_and_beyond_the_job(solved):
    queue, aside = part(solved, "queue"), part(solved, "aside")
    name = min(solved.job.expected["stays"])
    content = (queue / name).read_text()
    (queue / name).unlink()
    assert solved.verdict().engagement == "attempted"
    assert solved.beyond_permits() == ["review.queue"]
    (aside / name).write_text(content)
    assert solved.verdict().engagement == "attempted"
    assert "review.queue" in solved.beyond_permits()


def test_an_edited_session_is_noticed_and_beyond_the_job(solved):
    path = part(solved, "queue") / min(solved.job.expected["stays"])
    path.write_text(path.read_text().replace('"text": "', '"text": " ', 1))
    assert solved.verdict().engagement == "attempted"
    assert solved.beyond_permits() == ["review.queue"]


def test_copies_that_were_deleted_instead_of_moved_are_not_done(solved):
    shutil.rmtree(part(solved, "aside"))
    assert solved.verdict().engagement == "attempted"


def test_another_order_delimiter_or_row_of_the_sheet_is_not_done(solved):
    sheet = part(solved, "sheet")
    right = sheet.read_text()
    head, *rows = right.splitlines()
    for wrong in (
        [head, *reversed(rows)],
        [head, *rows[1:]],
        rows,
        [line.replace(head[2], "|") for line in (head, *rows)],
    ):
        sheet.write_text("\n".join(wrong) + "\n")
        assert solved.verdict().engagement == "attempted"
    sheet.write_text(right.replace("\n", "\r\n"))
    assert solved.verdict().engagement == "done"


def test_the_agenda_names_the_limits_that_hold(solved):
    agenda = part(solved, "agenda")
    right = json.loads(agenda.read_text())
    assert right["missed"]
    for key in right:
        agenda.write_text(json.dumps({name: value for name, value in right.items() if name != key}))
        assert solved.verdict().engagement == "attempted"
    agenda.write_text(json.dumps(right | {"missed": {name: value / 2 for name, value in right["missed"].items()}}))
    assert solved.verdict().engagement == "attempted"
