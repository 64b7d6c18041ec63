"""The root cause of a loss spike."""

from __future__ import annotations

import json
import tomllib

import pytest


@pytest.fixture
def finding(place):
    place.solve()
    return json.loads(place.result().read_text())


def judge(place, finding):
    place.result().write_text(json.dumps(finding))
    return place.verdict()


@pytest.mark.parametrize("key", ["run", "baseline", "first_bad_step", "peak_loss", "key", "good", "bad"])
def test_each_part_of_the_finding_matters(place, finding, key):
    del finding[key]
    verdict = judge(place, finding)
    assert verdict.engagement == "attempted"
    assert key in verdict.why


def test_another_key_in_which_the_runs_differ_is_not_the_cause(place, finding):
    config, base = (
        tomllib.loads((place.result().parent / finding[run] / "config.toml").read_text()) for run in ("run", "baseline")
    )
    differing = [
        f"{section}.{key}"
        for section, values in config.items()
        if isinstance(values, dict)
        for key, value in values.items()
        if base[section][key] != value
    ]
    assert len(differing) >= 5
    for key in set(differing) - {finding["key"]}:
        assert judge(place, finding | {"key": key}).engagement == "attempted"


@pytest.mark.parametrize("seed", range(6))
def test_taking_the_first_line_of_a_repeated_step_finds_a_spike_that_was_rolled_back(at_work, seed):
    place = at_work("compare_runs", seed)
    place.solve()
    finding = json.loads(place.result().read_text())
    lines = (place.result().parent / finding["run"] / "metrics.jsonl").read_text().splitlines()
    losses: dict[int, float] = {}
    for point in map(json.loads, lines):
        losses.setdefault(point["step"], point["loss"])
    steps = sorted(losses)
    spikes = [
        step
        for i, step in enumerate(steps)
        if i >= 10 and losses[step] > 1.25 * sum(losses[before] for before in steps[i - 10 : i]) / 10
    ]
    assert spikes[0] < finding["first_bad_step"]


def test_all_three_causes_occur(drawn):
    assert {drawn("compare_runs", seed)[2].expected["content"]["key"] for seed in range(16)} == {
        "schedule.restart_at_step",
        "optim.grad_clip",
        "data.phase2_at_step",
    }


def test_values_are_compared_as_numbers(place, finding):
    assert judge(place, finding | {"bad": float(finding["bad"])}).engagement == "done"
    assert judge(place, finding | {"bad": str(finding["bad"])}).engagement == "attempted"
