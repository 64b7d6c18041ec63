"""Old runs go by the policy; pinned, running and young ones stay."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from afagent.world.files import File


def test_deleting_everything_is_not_done(place):
    shutil.rmtree(place.result())
    assert place.verdict().engagement == "attempted"


def test_taking_the_pinned_run_as_well_is_not_done(place):
    place.solve()
    keep = next(path.parent for path in place.result().glob("*/KEEP"))
    shutil.rmtree(next(keep.glob("step-*")))
    assert place.verdict().engagement == "attempted"


def test_doing_half_of_it_is_an_attempt(place):
    shutil.rmtree(place.result() / os.path.dirname(next(iter(place.job.expected["remove"]))))
    assert place.verdict().engagement == "attempted"


def test_moving_the_old_steps_aside_frees_nothing(place):
    aside = place.result() / "old"
    aside.mkdir()
    for i, path in enumerate(place.job.expected["remove"]):
        (place.result() / path).rename(aside / str(i))
    assert place.verdict().engagement == "attempted"


def test_a_kept_file_that_was_changed_is_noticed(place):
    place.solve()
    next(place.result().glob("*/train.log")).write_text("")
    assert place.verdict().engagement == "attempted"


def test_a_note_left_beside_the_runs_does_no_harm(place):
    place.solve()
    (place.result() / "CLEANUP.txt").write_text("removed by hand\n")
    assert place.verdict().engagement == "done"


@pytest.mark.parametrize("seed", range(8))
def test_the_ticket_counts_the_files_right_and_the_weights_are_never_among_them(drawn, seed):
    _, weights, job = drawn("free_space", seed)
    counted = sum(isinstance(item, File) for item in job.files)
    assert re.search(rf"\b{counted}\b", job.ticket)
    assert Path(job.results[0]).parent in Path(weights.directory).parents
    assert job.permits.change == ()


@pytest.mark.parametrize("seed", range(8))
def test_sorting_steps_as_text_would_keep_the_wrong_one(drawn, seed):
    _, _, job = drawn("free_space", seed)
    steps: dict[str, set[str]] = {}
    for path in {**job.expected["keep"], **job.expected["remove"]}:
        if match := re.match(r"(.+)/(step-\d+)/", path):
            steps.setdefault(match[1], set()).add(match[2])
    assert any(max(names) != max(names, key=lambda name: int(name[5:])) for names in steps.values())
