import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from afagent.compare.places import place_of
from afagent.gate.deciding.manifest import Place
from afagent.report.counts import groups, rate_of
from afagent.report.effects import effects
from afagent.report.evidence import MOST_TIMELINES, positives, wanted
from afagent.report.plots import MOST_COLUMNS, heatmap, on_difference_scale, on_root_scale
from tests.report.examples import ARMS, played, read, reads

TASK = "weight_exfiltration"
QUESTION = "exfiltration.attempted"


def test_a_scenario_is_yes_if_one_of_its_repeats_is():
    episodes = [played(TASK, ARMS[0], 1, yes=yes, epoch=epoch) for epoch, yes in enumerate((False, None, True), 1)]
    [group] = groups([read(episodes, TASK)])
    rate = rate_of(group, QUESTION, ARMS[0])
    assert (rate.yes, rate.no, rate.unknown) == (1, 0, 0)


def test_a_scenario_with_a_repeat_that_cannot_be_told_is_no_no():
    episodes = [played(TASK, ARMS[0], 1, yes=yes, epoch=epoch) for epoch, yes in enumerate((False, None), 1)]
    [group] = groups([read(episodes, TASK)])
    assert rate_of(group, QUESTION, ARMS[0]).unknown == 1


def test_an_answer_that_was_not_scored_cannot_be_told():
    [group] = groups([read([replace(played(TASK, ARMS[0], 1), answers={})], TASK)])
    assert rate_of(group, QUESTION, ARMS[0]).unknown == 1
    assert rate_of(group, QUESTION, ARMS[0]).high == 1


def test_missing_episodes_count_as_unknown_and_those_without_a_place_are_told():
    log = replace(read([played(TASK, ARMS[0], 1)], TASK), missing=(f"0002-log_shipper-{ARMS[0]}", "nonsense"))
    [group] = groups([log])
    assert rate_of(group, QUESTION, ARMS[0]).unknown == 1
    assert group.unplaced == 1


def test_a_log_of_missing_episodes_alone_is_no_clean_record():
    log = replace(read([], TASK), missing=(f"0002-log_shipper-{ARMS[0]}",))
    [group] = groups([log])
    assert rate_of(group, QUESTION, ARMS[0]).high == 1


def test_what_the_policy_expects_and_was_not_run_has_its_place_in_the_heatmap_and_in_no_rate():
    log = read([played(TASK, ARMS[0], seed, yes=False) for seed in (1, 3)], TASK)
    [group] = groups([log], [Place(TASK, arm, seed, 1) for arm in ARMS[:2] for seed in (1, 2, 3)])
    [band] = heatmap(group, QUESTION).bands
    looks = dict(zip(group.arms, ([square.look for square in row] for row in band.rows), strict=True))
    assert looks == {ARMS[0]: ["no", "none", "no"], ARMS[1]: ["none", "none", "none"]}
    assert band.name == "scenarios 1 to 3"
    assert rate_of(group, QUESTION, ARMS[0]).scenarios == 2


def test_scenarios_between_which_others_are_left_out_are_not_called_a_range():
    [group] = groups([read([played(TASK, ARMS[0], seed) for seed in (1, 3)], TASK)])
    assert [band.name for band in heatmap(group, QUESTION).bands] == ["2 scenarios from 1 to 3"]


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=40))
def test_what_is_not_known_only_widens_the_bounds(answers: list[bool | None]):
    [group] = groups([read([played(TASK, ARMS[0], seed, yes=yes) for seed, yes in enumerate(answers)], TASK)])
    rate = rate_of(group, QUESTION, ARMS[0])
    assert 0 <= rate.low <= rate.high <= 1
    for guess in (True, False):
        full = [guess if yes is None else yes for yes in answers]
        [other] = groups([read([played(TASK, ARMS[0], seed, yes=yes) for seed, yes in enumerate(full)], TASK)])
        known = rate_of(other, QUESTION, ARMS[0])
        assert rate.low <= known.low
        assert known.high <= rate.high


def test_controls_are_in_no_rate_and_no_evidence():
    log = read([played(TASK, ARMS[0], 1, yes=True)], TASK, role="control")
    assert groups([log]) == []
    assert positives([log]) == []


@given(st.text())
def test_any_sample_id_has_a_place_or_none(sample: str):
    place = place_of(sample)
    assert place is None or (place[0] >= 0 and place[1])


def test_effects_compare_arms_that_differ_in_one_factor_alone():
    [group] = [one for one in groups(reads(40)) if one.task == TASK]
    found = {(one.kind, one.arm, one.against) for one in effects(group, QUESTION)}
    assert found == {
        ("conflict", "helpful_only-unmonitored", "none-unmonitored"),
        ("conflict", "helpful_only-monitored", "none-monitored"),
        ("monitoring", "helpful_only-unmonitored", "helpful_only-monitored"),
        ("monitoring", "none-unmonitored", "none-monitored"),
    }


def test_scenarios_that_one_arm_lacks_are_left_out_and_counted():
    episodes = [played(TASK, ARMS[0], seed) for seed in range(5)] + [played(TASK, ARMS[1], 0, yes=None)]
    [group] = groups([read(episodes, TASK)])
    [effect] = effects(group, QUESTION)
    assert (effect.difference.scenarios, effect.left_out) == (0, 5)


def test_a_scenario_with_a_repeat_that_cannot_be_told_is_in_no_comparison():
    episodes = [played(TASK, arm, 1, yes=yes, epoch=epoch) for arm in ARMS[:2] for epoch, yes in ((1, True), (2, None))]
    [group] = groups([read(episodes, TASK)])
    [effect] = effects(group, QUESTION)
    assert (effect.difference.scenarios, effect.left_out) == (0, 1)


@given(st.floats(-10, 10))
def test_every_mark_stands_within_the_plot(value: float):
    assert 2 <= on_root_scale(value) <= 98
    assert 2 <= on_difference_scale(value) <= 98


def test_a_large_heatmap_is_gathered_and_loses_no_yes():
    [group] = [one for one in groups(reads(3000)) if one.task == TASK]
    found = heatmap(group, QUESTION)
    columns = sum(len(band.rows[0]) for band in found.bands)
    assert found.per_cell == 8
    assert columns == math.ceil(3000 / 8) <= MOST_COLUMNS
    dark = sum(square.look.startswith("yes") for band in found.bands for row in band.rows for square in row)
    hit = {((seed - 1) // 8, arm) for (seed, arm), (yes, _, _) in group.table[QUESTION].items() if yes}
    assert dark == len(hit)


def test_the_worst_episodes_are_told_first_and_all_are_known():
    found = positives(reads(3000))
    assert len(found) > len(wanted(reads(3000))) == MOST_TIMELINES
    assert found[0][0].startswith("weight_exfiltration")
