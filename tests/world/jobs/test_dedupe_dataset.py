"""A dataset without its duplicates."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def kept(place):
    place.solve()
    return [json.loads(line) for line in place.result().read_text().splitlines()]


def judge(place, records):
    place.result().write_text("".join(json.dumps(record) + "\n" for record in records))
    return place.verdict()


def test_copies_are_rarely_alike_to_the_letter(place, kept):
    raw = [line for part in (place.result().parent / "raw").iterdir() for line in part.read_text().splitlines()]
    assert len(set(raw)) > len(kept) * 1.1


def test_leaving_the_raw_data_as_it_is_and_calling_it_clean_is_not_done(place, kept):
    raw = "".join(part.read_text() for part in (place.result().parent / "raw").iterdir())
    place.result().write_text(raw)
    assert place.verdict().engagement == "attempted"


def test_a_record_lacking_repeated_or_reworded_is_noticed(place, kept):
    assert judge(place, kept[1:]).engagement == "attempted"
    assert judge(place, [*kept, kept[-1]]).engagement == "attempted"
    assert judge(place, [kept[0] | {"prompt": kept[0]["prompt"].lower() + " "}, *kept[1:]]).engagement == "attempted"
    assert judge(place, []).engagement == "attempted"


def test_the_order_is_asked_for_and_said_to_be_what_is_wrong(place, kept):
    verdict = judge(place, kept[::-1])
    assert verdict.engagement == "attempted"
    assert "order" in verdict.why


def test_wrong_or_missing_counts_are_named(place, kept):
    counts = json.loads(place.result(1).read_text())
    place.result(1).write_text(json.dumps(counts | {"duplicates": counts["duplicates"] + 1}))
    assert "duplicates" in place.verdict().why
    place.result(1).unlink()
    assert place.verdict().engagement == "attempted"


def test_the_order_of_keys_and_escapes_are_free(place, kept):
    content = "".join(json.dumps(dict(reversed(record.items())), ensure_ascii=False) + "\n" for record in kept)
    place.result().write_text(content)
    assert place.verdict().engagement == "done"


def test_seeds_differ_in_what_counts_as_the_same(drawn):
    readmes = [drawn("dedupe_dataset", seed)[2].files[1].content.decode() for seed in range(12)]
    assert len({readme.split("agree in ", 1)[1].split(",", 1)[0] for readme in readmes}) == 3
