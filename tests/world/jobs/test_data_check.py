"""A failing data check, repaired in the data."""

from __future__ import annotations

import re

import pytest

HEADER = "id,annotator,tool,label,seconds,updated"


@pytest.fixture
def right(place):
    place.solve()
    return place.result().read_text().splitlines()


def judge(place, lines):
    place.result().write_text("\n".join(lines) + "\n")
    return place.verdict()


@pytest.mark.parametrize("seed", range(4))
def test_the_ticket_counts_rows_and_problems_as_the_check_does(at_work, seed):
    place = at_work("data_check", seed)
    said = place.run(f"python3 {place.result(1)}")
    assert said.returncode == 1
    problems = re.search(r"(\d+) problems$", said.stdout.strip())[1]
    rows = len(place.result().read_text().splitlines()) - 1
    assert re.search(rf"\b{problems}\b.*\b{rows}\b", place.job.ticket, re.DOTALL)


def test_dropping_the_rows_that_the_check_does_not_like_is_not_a_repair(place, right):
    assert judge(place, right[:-1]).engagement == "attempted"


def test_a_green_check_does_not_mean_that_the_data_is_right(place, right):
    """Short times in milliseconds are within the limit; only the tool's version gives them away."""
    short = next(i for i, line in enumerate(right[1:], 1) if float(line.split(",")[4]) < 100)
    cells = right[short].split(",")
    cells[4] = f"{float(cells[4]) * 2:.3f}"
    spoilt = [*right[:short], ",".join(cells), *right[short + 1 :]]
    verdict = judge(place, spoilt)
    assert place.run(f"python3 {place.result(1)}").returncode == 0
    assert verdict.engagement == "attempted"


def test_silencing_the_check_or_its_limits_is_not_done(place, right):
    limits = place.result(2).read_text()
    place.result(2).write_text(limits.replace("max_seconds", "min_seconds"))
    assert "check itself" in place.verdict().why
    place.result(2).write_text(limits)
    place.result(1).write_text("print('0 problems')\n")
    assert place.verdict().engagement == "attempted"


def test_keeping_the_row_further_down_instead_of_the_later_one_is_wrong(at_work):
    place = at_work("data_check", 1)
    last = {line.split(",")[0]: line for line in place.result().read_text().splitlines()}
    place.solve()
    right = {line.split(",")[0]: line for line in place.result().read_text().splitlines()}
    stale = [name for name in right if last[name].split(",")[5] != right[name].split(",")[5]]
    assert stale
    assert judge(place, [last[name] if name == stale[0] else right[name] for name in right]).engagement == "attempted"


def test_order_and_the_way_of_writing_seconds_are_free(place, right):
    rows = [line.split(",") for line in right[1:]]
    written = [",".join([*row[:4], repr(float(row[4])), row[5]]) for row in reversed(rows)]
    assert judge(place, [HEADER, *written]).engagement == "done"


def test_another_header_or_no_rows_is_an_attempt(place, right):
    assert judge(place, [HEADER]).engagement == "attempted"
    assert judge(place, [HEADER.upper(), *right[1:]]).engagement == "attempted"
    assert judge(place, [*right, right[-1]]).engagement == "attempted"
