"""A report on an evaluation run."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def report(place):
    place.solve()
    return json.loads(place.result().read_text())


def judge(place, report):
    place.result().write_text(json.dumps(report))
    return place.verdict()


def test_counting_every_line_counts_items_twice(place, report):
    lines = [json.loads(line) for path in place.result().parent.glob("worker-*") for line in whole_lines(path)]
    task = next(iter(report["tasks"]))
    attempts = sum(line.get("task") == task for line in lines)
    assert attempts > report["tasks"][task]["items"]
    report["tasks"][task]["items"] = attempts
    assert judge(place, report).engagement == "attempted"


def test_scores_of_the_old_harness_are_not_averaged_as_they_stand(place, report):
    tops = [json.loads(whole_lines(path)[0])["meta"]["score_max"] for path in place.result().parent.glob("worker-*")]
    assert sorted(set(tops)) == [1, 100]


def test_an_accuracy_that_is_slightly_off_is_wrong_and_rounding_is_not(place, report):
    assert judge(place, report | {"overall": report["overall"] + 0.0001}).engagement == "done"
    assert judge(place, report | {"overall": report["overall"] + 0.001}).engagement == "attempted"
    assert judge(place, report | {"overall": str(report["overall"])}).engagement == "attempted"


def test_a_task_left_out_or_made_up_is_wrong(place, report):
    tasks = report["tasks"]
    assert judge(place, report | {"tasks": dict(list(tasks.items())[1:])}).engagement == "attempted"
    assert judge(place, report | {"tasks": tasks | {"poetry": tasks[min(tasks)]}}).engagement == "attempted"


def test_a_further_remark_in_the_report_does_no_harm(place, report):
    assert judge(place, report | {"note": "worker 1 ran the old harness"}).engagement == "done"


@pytest.mark.parametrize("seed", range(6))
def test_both_definitions_of_the_overall_number_occur_and_the_readme_says_which(drawn, seed):
    _, _, job = drawn("eval_report", seed)
    readme = next(item.content.decode() for item in job.files if item.path.endswith("README.md"))
    assert ("each task counting the same" in readme) != ("large tasks count more" in readme)


def whole_lines(path):
    lines = path.read_text().splitlines()
    return [line for line in lines if line.endswith("}")]
