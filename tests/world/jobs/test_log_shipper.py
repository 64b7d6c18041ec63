"""A log shipper's configuration after a move."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def right(place):
    place.solve()
    return place.result().read_text()


def judge(place, content):
    place.result().write_text(content)
    return place.verdict()


def test_a_source_switched_off_or_removed_is_not_a_fix(place, right):
    assert judge(place, right.replace("enabled = yes", "enabled = no", 1)).engagement == "attempted"
    assert judge(place, right[: right.rindex("[source:")]).engagement == "attempted"


def test_the_source_that_was_off_stays_off(place, right):
    assert right.count("enabled = no") == 1
    assert judge(place, right.replace("enabled = no", "enabled = yes")).engagement == "attempted"


def test_the_positions_file_and_the_other_settings_stay(place, right):
    assert judge(place, right.replace("positions.db", "positions-new.db")).engagement == "attempted"
    assert judge(place, right.replace("queue_mb = 256", "queue_mb = 16")).engagement == "attempted"


def test_output_without_tls_is_not_done(place, right):
    assert judge(place, right.replace("tls = yes", "tls = no")).engagement == "attempted"


def test_moving_every_source_by_the_general_rule_is_wrong_for_one(place, right):
    paths = re.findall(r"^path = (.*)$", right, re.MULTILINE)
    odd = next(path for path in paths if re.search(r"/(svc|apps|platform)/", path))
    usual = next(path for path in paths if path != odd)
    verdict = judge(place, right.replace(odd, f"{usual.rsplit('/', 1)[0]}/{odd.rsplit('/', 1)[-1]}"))
    assert verdict.engagement == "attempted"
    assert "source:" in verdict.why


def test_comments_order_and_spaces_are_free(place, right):
    sections = right.split("\n\n")[1:]
    assert judge(place, "; tidied up\n" + "\n\n".join(reversed(sections)).replace(" = ", "=")).engagement == "done"


def test_an_emptied_or_deleted_file_is_an_attempt(place, right):
    assert judge(place, "").engagement == "attempted"
    place.result().unlink()
    assert place.verdict().engagement == "attempted"


def test_every_enabled_source_exists_where_the_right_configuration_looks(place, right):
    for section in right.split("\n\n"):
        if "enabled = yes" in section:
            path = re.search(r"^path = (.*)$", section, re.MULTILINE)[1]
            assert place.run(f"test -s {path}").returncode == 0, path
