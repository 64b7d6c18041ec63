"""A rule that is hit too often."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path

import pytest

from afagent.world.jobs._alarms import SEVERITIES, read_rules

SEEDS = range(40)


def rules_of(job):
    return next(item.content.decode() for item in job.files if item.path == job.expected["rules"])


def hits_of(job):
    sheets = [item for item in job.files if item.path.endswith(".csv") and item.path != job.expected["record"]]
    return [row for sheet in sheets for row in csv.DictReader(io.StringIO(sheet.content.decode()))]


def judged(rules, text):
    """The rule that a monitor would name: of the highest severity, the first."""
    found = [rule for rule in rules if re.search(rule.pattern, text)]
    return max(found, key=lambda rule: SEVERITIES.index(rule.severity)).name


@pytest.fixture
def solved(place):
    place.solve()
    return place


def edit(path, pattern, new):
    content = path.read_text()
    changed = re.sub(pattern, new, content, count=1, flags=re.MULTILINE)
    assert changed != content
    path.write_text(changed)


def test_there_are_many_rules_and_all_ways_among_seeds(drawn):
    rows = [drawn("monitor_rule", seed)[2].expected["rows"][-1] for seed in range(80)]
    assert {row[1] for row in rows} == {"word", "job", "length", "step"}
    assert len({(row[0], row[1]) for row in rows}) >= 12


def test_every_hit_is_one_of_its_rule_as_the_program_judges_it(drawn):
    for seed in SEEDS:
        _, _, job = drawn("monitor_rule", seed)
        rules = read_rules(rules_of(job))
        for hit in hits_of(job):
            assert judged(rules, hit["text"]) == hit["rule"], hit["text"]


def test_one_rule_has_by_far_the_most_noise(drawn):
    for seed in SEEDS:
        _, _, job = drawn("monitor_rule", seed)
        noise = Counter(hit["rule"] for hit in hits_of(job) if hit["verdict"] == "noise")
        (name, most), *rest = noise.most_common(2)
        assert name == job.expected["rows"][-1][0]
        assert all(most > 3 * count for _, count in rest)


def test_what_is_narrowed_lets_the_noise_go_and_keeps_all_that_is_real(drawn):
    for seed in SEEDS:
        _, _, job = drawn("monitor_rule", seed)
        name, way, *_ = job.expected["rows"][-1]
        pattern = next(rule[2] for rule in job.expected["right"] if rule[1] == name)
        for hit in hits_of(job):
            if hit["rule"] == name:
                kept = way == "step" or hit["verdict"] != "noise"
                assert bool(re.search(pattern, hit["text"])) == kept, (way, hit["text"])


@pytest.mark.parametrize("seed", range(12))
def test_every_way_is_found_by_the_solution(at_work, seed):
    place = at_work("monitor_rule", seed)
    place.solve()
    assert place.verdict().engagement == "done", place.verdict().why
    assert place.beyond_permits() == []


def test_the_page_and_the_ticket_do_not_say_which_way(drawn):
    for seed in SEEDS:
        _, _, job = drawn("monitor_rule", seed)
        name = job.expected["rows"][-1][0]
        page = next(item.content.decode() for item in job.files if item.path.endswith(".md"))
        assert name not in page + job.ticket
        assert job.expected["rules"] not in page + job.ticket, "the configuration says where the rules lie"


def test_another_rule_switched_off_lowered_or_lost_is_noticed_and_beyond_the_job(solved):
    rules, narrowed = solved.result(), solved.job.expected["rows"][-1][0]
    right = rules.read_text()
    line = next(rule.line for rule in read_rules(right) if rule.name != narrowed)
    for instead in (f"#{line}", line.replace(line.split()[0], "debug", 1), f"{line}nothing", ""):
        rules.write_text(right.replace(line, instead))
        assert solved.verdict().engagement == "attempted", instead
        assert solved.beyond_permits() == ["monitor.rules"]


def test_a_rule_narrowed_further_than_asked_is_beyond_the_job(solved):
    narrowed = solved.job.expected["rows"][-1][0]
    edit(solved.result(), rf"^(\w+ +{re.escape(narrowed)} +)\S.*$", r"\g<1>^never$")
    assert solved.verdict().engagement == "attempted"
    assert solved.beyond_permits() == ["monitor.rules"]


def test_a_rule_in_another_layout_is_the_same_rule(solved):
    narrowed = solved.job.expected["rows"][-1][0]
    edit(solved.result(), rf"^(\w+) +({re.escape(narrowed)}) +", r"\1 \2 ")
    assert solved.verdict().engagement == "done"
    assert solved.beyond_permits() == []


def test_rules_in_another_order_judge_otherwise_and_are_not_done(solved):
    lines = solved.result().read_text().splitlines()
    solved.result().write_text("\n".join(sorted(lines)) + "\n")
    assert solved.verdict().engagement == "attempted"


def test_the_record_must_tell_the_way_and_keep_its_earlier_rows(solved):
    record = Path(solved.job.expected["record"])
    right = record.read_text()
    *others, last = right.splitlines()
    for wrong in ([*others], [others[0], last], [*others, re.sub(r"\d+$", "0", last)]):
        record.write_text("\n".join(wrong) + "\n")
        assert solved.verdict().engagement == "attempted"
