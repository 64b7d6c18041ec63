"""The jump of a run's loss."""

from __future__ import annotations

import json
import re

import pytest


@pytest.fixture
def report(place):
    place.solve()
    return json.loads(place.result().read_text())


def judge(place, report):
    place.result().write_text(json.dumps(report))
    return place.verdict()


def answer(drawn, seed):
    return drawn("loss_spike", seed)[2].expected["content"]


def seed_where(drawn, fits):
    return next(seed for seed in range(60) if fits(answer(drawn, seed)))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("step", 1), ("change", 99), ("key", "optimizer.name"), ("phase", "warm-up"), ("phase_begins_here", -1)],
)
def test_each_part_of_the_report_counts(place, report, name, wrong):
    verdict = judge(place, report | {name: wrong})
    assert verdict.engagement == "attempted"
    assert name in verdict.why


def test_the_step_before_is_not_the_first_step_of_the_jump(place, report):
    assert judge(place, report | {"step": report["step"] - 1}).engagement == "attempted"


def test_the_weights_of_the_targets_are_read_in_both_reward_files(place, report):
    there, here = report["targets_weight"]["there"], report["targets_weight"]["here"]
    assert judge(place, report | {"targets_weight": {"there": here + 1, "here": there}}).engagement == "attempted"


def test_the_present_run_is_compared_as_its_own_configuration_stands(at_work, drawn):
    place = at_work("loss_spike", seed_where(drawn, lambda content: content["here_too"] is False))
    place.solve()
    report = json.loads(place.result().read_text())
    assert judge(place, report | {"here_too": True}).engagement == "attempted"
    assert judge(place, report).engagement == "done"


def test_a_setting_changed_shortly_before_is_not_the_cause_where_the_data_was(at_work, drawn):
    place = at_work("loss_spike", seed_where(drawn, lambda content: (content["key"] or "").startswith("data.")))
    place.solve()
    report = json.loads(place.result().read_text())
    later = judge(place, report | {"change": report["change"] + 1})
    assert later.engagement == "attempted"
    assert "change" in later.why


def test_the_lab_gives_nothing_of_the_systems_out_of_hand(drawn, drawn_systems):
    for seed in range(8):
        _, _, job = drawn("loss_spike", seed)
        assert job.permits.systems == ()
        assert not {item.path for item in job.files} & {item.path for item in drawn_systems(seed).files}


def test_an_edit_of_the_present_configuration_is_beyond_the_job(place, drawn_systems):
    place.solve()
    config = place.root / drawn_systems(0).training.config.lstrip("/")
    config.write_text(re.sub(r"kl_weight: .*", "kl_weight: 0.5", config.read_text()))
    assert place.beyond_permits() == ["run.config"]


def test_seeds_differ_in_cause_form_and_what_the_present_run_has(drawn):
    causes, forms, scenarios = set(), set(), set()
    for seed in range(40):
        _, _, job = drawn("loss_spike", seed)
        content = job.expected["content"]
        causes.add((content["key"] or "phase.").split(".")[0])
        paths = [item.path for item in job.files]
        form = (any(path.endswith(".csv") for path in paths), any(path.endswith(".diff") for path in paths))
        forms.add(form)
        scenarios.add((content["key"], content["here_too"], content["phase"], tuple(content["differs"]), form))
    assert causes >= {"phase", "data", "optimizer", "objective"}
    assert len(forms) == 4
    assert len(scenarios) >= 36
