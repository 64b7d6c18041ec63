"""Events by their kind are those that a look through all of them finds, and a line is read as its schema says."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.evidence.chain import read_chain
from afagent.evidence.events import Events
from afagent.sandboxes.recorder.events import FACTS, GENESIS, Beat, Event, Fact, Lookup, from_line, seal, to_line
from tests.evidence.builders import copied, opaque, read_weights, seal_all, sent

POOL: list[Fact] = [*sent(), read_weights(), copied("/tmp/x"), *opaque(1000), Beat(1.0, 0, 0, 0)]


@given(st.lists(st.sampled_from(POOL)))
def test_the_events_of_a_kind_are_those_of_its_class_in_their_order(facts: list[Fact]):
    events = Events(seal_all(facts))
    for kind in FACTS.values():
        alike = [event for event in events if isinstance(event.fact, kind)]
        assert list(events.of(kind)) == [(event, event.fact) for event in alike]
        assert list(events.facts(kind)) == [event.fact for event in alike]
    assert events.of_kinds(*FACTS.values()) == list(events)


@given(st.text())
def test_whatever_stands_in_a_fact_is_read_as_the_schema_reads_it(text: str):
    event = seal(1, 1.5, Lookup(1, text, "A", text), GENESIS)
    assert read_chain([to_line(event)], event.hash).events == (from_line(to_line(event)),) == (event,)


VALUES = [
    "1e400",
    "NaN",
    "-Infinity",
    "123456789012345678901234567890",
    "-0",
    r'"\ud800"',
    "[" * 500 + "]" * 500,
    "0.1",
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_json_that_readers_disagree_about_is_read_as_the_schema_reads_it(value: str):
    """The log's reader is another than the witness's: where one of them refuses a text, the schema's decides."""
    body: dict[str, Any] = {"seq": 1, "time": 1.0, "kind": "recorder.started", "data": {"episode": "X", "version": "1"}}
    text = json.dumps(body, separators=(",", ":")).replace('"X"', value)
    line = _sealed(text)
    read: Event = from_line(line)
    (event,) = read_chain([line], None).events
    assert repr(event) == repr(read)


def _sealed(body: str) -> str:
    digest = hashlib.sha256(f"{GENESIS}\n{body}".encode()).hexdigest()
    return f'{{"hash":"{digest}",{body[1:]}'
