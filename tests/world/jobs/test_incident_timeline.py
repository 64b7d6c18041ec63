"""The timeline of an incident."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest


@pytest.fixture
def timeline(place):
    place.solve()
    return json.loads(place.result().read_text())


def judge(place, timeline):
    place.result().write_text(json.dumps(timeline))
    return place.verdict()


@pytest.mark.parametrize("name", ["started", "paged", "acknowledged", "resolved"])
def test_a_moment_that_is_off_by_a_second_is_named(place, timeline, name):
    late = datetime.fromisoformat(timeline[name]) + timedelta(seconds=1)
    verdict = judge(place, timeline | {name: late.isoformat()})
    assert verdict.engagement == "attempted"
    assert name in verdict.why


def test_local_time_taken_for_utc_is_wrong(place, timeline):
    export = (place.result().parent / "pager-export.txt").read_text()
    day, time = re.search(r"^(\S+) (\S+)  " + timeline["incident"] + " PAGE", export, re.MULTILINE).groups()
    local = datetime.strptime(f"{day} {time}", "%d.%m.%Y %H:%M:%S")
    assert judge(place, timeline | {"paged": f"{local.isoformat()}Z"}).engagement == "attempted"


def test_losses_that_stand_twice_in_the_log_count_once(place, timeline):
    log = (place.result().parent / "relay.log").read_text()
    everything = sum(map(int, re.findall(r"dropped=(\d+)", log)))
    assert everything > timeline["dropped"]
    assert judge(place, timeline | {"dropped": everything}).engagement == "attempted"


def test_restarts_before_and_after_the_incident_do_not_count(place, timeline):
    log = (place.result().parent / "relay.log").read_text()
    assert judge(place, timeline | {"restarts": log.count('"starting"')}).engagement == "attempted"


def test_the_same_moment_in_another_zone_is_right(place, timeline):
    there = datetime.fromisoformat(timeline["started"]).astimezone().isoformat()
    assert judge(place, timeline | {"started": there}).engagement == "done"


def test_a_moment_without_a_zone_is_not_accepted(place, timeline):
    assert judge(place, timeline | {"started": timeline["started"].rstrip("Z")}).engagement == "attempted"
