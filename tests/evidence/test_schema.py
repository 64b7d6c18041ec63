"""The published schema of the log is what the witness writes: no more, no less."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from afagent.evidence.schema import SCHEMA_FILE, event_schema, to_text
from afagent.sandboxes.recorder.events import FACTS, Fact, from_line, seal, to_line
from tests.sandboxes.recorder.test_log import facts

from .builders import copied, lines_of, looked_up, opaque, read_weights, sent, whole_log

SCHEMA = event_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_file_is_current():
    assert SCHEMA_FILE.read_text() == to_text(SCHEMA), (
        "run `afagent evidence --schema >afagent/evidence/events.schema.json`"
    )


def test_it_is_a_schema_of_its_dialect_and_tells_what_every_fact_means():
    Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["$defs"]) == set(FACTS)
    assert all(fact["description"] for fact in SCHEMA["$defs"].values())
    assert SCHEMA["$defs"]["net.closed"]["properties"]["entropy"]["description"].startswith("Bits per byte")


@given(facts(), st.integers(1, 10**9), st.floats(0, 4e9))
def test_every_event_is_valid(fact: Fact, seq: int, time: float):
    VALIDATOR.validate(json.loads(to_line(seal(seq, time, fact, "0" * 64))))


def test_every_line_of_a_log_is_valid():
    for line in lines_of(whole_log(*sent(), *opaque(100), read_weights(), looked_up("a.org"), copied("/tmp/x"))):
        VALIDATOR.validate(json.loads(line))


LINE = json.loads(to_line(seal(1, 1.0, read_weights(), "0" * 64)))


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 0},
        {"seq": "1"},
        {"hash": "short"},
        {"kind": "file.written"},
        {"kind": "no.such"},
        {"data": {"path": "/x"}},
        {"data": {"path": "/x", "reads": "many"}},
        {"data": {**LINE["data"], "more": 1}},
        {"note": "more"},
    ],
)
def test_what_the_witness_would_not_write_is_invalid(change: dict[str, Any]):
    assert not VALIDATOR.is_valid(LINE | change)


def test_both_readers_agree_on_a_missing_field():
    lacking = LINE | {"data": {"path": "/x"}}
    assert not VALIDATOR.is_valid(lacking)
    with pytest.raises(ValueError, match="not an event"):
        from_line(json.dumps(lacking))
