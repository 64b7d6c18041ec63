"""Flows are numbered, counted, looked at and recorded, within bounds that are told."""

from __future__ import annotations

import hashlib
import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.sandboxes.recorder.events import Closed, Content, Fault, Limit, Opened
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network.budget import Budget
from afagent.sandboxes.recorder.network.flow import IDLE_SECONDS, Flows
from afagent.sandboxes.recorder.network.sight import REPORT_SECONDS, Scribe
from afagent.sandboxes.recorder.network.tally import Tally

from .conftest import Clock, Record, weights


def test_a_flow_is_recorded_at_its_start_and_with_its_totals_at_its_end(scribe: Scribe, record: Record) -> None:
    flow = Flows(scribe).open("tcp", "85.7.9.11", 4444, "box.fernhollow.net")
    flow.sent(b"abc")
    flow.sent(b"def")
    flow.received(7)
    flow.close()
    flow.close()
    digest = hashlib.sha256(b"abcdef").hexdigest()
    assert record.facts == [
        Opened(1, "tcp", "85.7.9.11", 4444, "box.fernhollow.net"),
        Closed(
            1,
            "tcp",
            "85.7.9.11",
            4444,
            "box.fernhollow.net",
            "raw",
            6,
            7,
            digest,
            round(math.log2(6), 4),
        ),
    ]


@pytest.mark.parametrize("size", [40, 700])
def test_short_flows_to_one_address_are_put_together(scribe: Scribe, record: Record, marker: Marker, size: int) -> None:
    flows = Flows(scribe)
    data = weights(marker, 8)
    for port, at in enumerate(range(0, len(data), size), 1024):
        flow = flows.open("udp", "85.7.9.11", port, None, part="datagrams")
        flow.sent(data[at : at + size])
        flow.close()
    flows.close_all()
    assert record.of(Content)[-1].blocks == {"0": "0-7"}


def test_weights_are_recorded_when_first_seen_then_sparingly_then_at_the_end(
    scribe: Scribe, record: Record, clock: Clock, marker: Marker
) -> None:
    flow = Flows(scribe).open("tcp", "85.7.9.11", 4444, None)
    data = weights(marker, 6)
    flow.sent(data[:8192])
    flow.sent(data[8192:12288])
    assert [content.blocks for content in record.of(Content)] == [{"0": "0-1"}]
    clock.now += REPORT_SECONDS
    flow.sent(data[12288:16384])
    assert record.of(Content)[1].blocks == {"0": "0-3"}
    flow.sent(data[16384:])
    flow.close()
    assert [content.blocks for content in record.of(Content)] == [{"0": "0-1"}, {"0": "0-3"}, {"0": "0-5"}]
    assert record.of(Content)[0].part == "stream"


def test_a_decoder_that_breaks_is_a_fault_and_the_flow_goes_on(record: Record) -> None:
    class Broken:
        def __init__(self) -> None:
            self.blocks: dict[int, set[int]] = {}
            self.layers: tuple[str, ...] = ()
            self.limits_hit: list[str] = []
            self.open = False

        def feed(self, data: bytes) -> bool:
            raise MemoryError("a bomb")

        def pause(self) -> bool:
            return False

        def finish(self) -> None: ...

    flow = Flows(Scribe(record.facts.append, Broken)).open("tcp", "85.7.9.11", 1, None)
    flow.sent(b"x")
    flow.sent(b"y")
    flow.close()
    assert [fault.what for fault in record.of(Fault)] == ["MemoryError: a bomb"]
    assert record.of(Closed)[0].sent == 2


def test_beyond_the_cap_flows_are_counted_and_the_log_says_that_they_were_not_looked_at(
    scribe: Scribe, record: Record, marker: Marker
) -> None:
    flows = Flows(scribe, max_scanned=2)
    first, _, third = (flows.open("tcp", "85.7.9.11", port, None) for port in (1, 2, 3))
    third.sent(weights(marker, 2))
    third.close()
    assert not record.of(Content)
    assert record.of(Closed)[0].sent == 8192
    assert [limit.flow for limit in record.of(Limit)] == [third.number]
    first.close()
    assert flows.open("tcp", "85.7.9.11", 4, None).scanned


def test_an_idle_flow_gives_way_so_that_silent_connections_cannot_blind_the_witness(
    scribe: Scribe, record: Record, clock: Clock
) -> None:
    flows = Flows(scribe, max_scanned=2)
    idle, busy = (flows.open("tcp", "85.7.9.11", port, None) for port in (1, 2))
    hung_up: list[int] = []
    idle.hang_up = lambda: hung_up.append(idle.number)
    clock.now += IDLE_SECONDS
    busy.sent(b"x")
    assert flows.open("tcp", "85.7.9.11", 3, None).scanned
    assert (idle.closed, busy.closed, hung_up) == (True, False, [1])
    assert record.of(Limit)[0].flow == idle.number


def test_a_flood_of_flows_is_summed_up_and_large_ones_are_still_recorded(scribe: Scribe, record: Record) -> None:
    flows = Flows(scribe, budget=10)
    for i in range(3000):
        flow = flows.open("tcp", "85.7.9.11", i, None)
        flow.sent(b"x" * (5000 if i == 2000 else 5))
        flow.close()
    flows.close_all()
    assert [opened.flow for opened in record.of(Opened)] == [*range(1, 11), 2001]
    assert [closed.flow for closed in record.of(Closed)] == [*range(1, 11), 2001]
    assert sum(int(limit.what.split()[0]) for limit in record.of(Limit)) == 2990
    assert len(record.of(Limit)) < 10
    assert flows.total == 3000


def test_at_the_end_every_open_flow_is_closed_with_its_totals(scribe: Scribe, record: Record) -> None:
    flows = Flows(scribe)
    for port in range(5):
        flows.open("tcp", "85.7.9.11", port, None).sent(b"x" * port)
    flows.close_all()
    assert [closed.sent for closed in record.of(Closed)] == [0, 1, 2, 3, 4]
    assert flows.open_now == 0


def test_a_budget_is_never_silent(record: Record) -> None:
    budget = Budget(record.facts.append, "lookups", facts=2)
    assert [budget.take(str(i)) for i in range(4)] == [True, True, False, False]
    budget.flush()
    budget.flush()
    assert [limit.what.split()[0] for limit in record.of(Limit)] == ["1", "1"]


@given(st.lists(st.binary(max_size=5000), max_size=20))
def test_a_tally_does_not_depend_on_how_the_bytes_are_cut(pieces: list[bytes]) -> None:
    one, many = Tally(), Tally()
    whole = b"".join(pieces)
    one.add(whole)
    for piece in pieces:
        many.add(piece)
    assert (one.bytes, one.sha256) == (many.bytes, many.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert 0 <= one.entropy <= 8


def test_entropy_tells_random_bytes_from_text_and_zeros() -> None:
    found = []
    for data in (bytes(1 << 20), b"the quick brown fox " * 50_000, os.urandom(1 << 20)):
        tally = Tally()
        for at in range(0, len(data), 65536):
            tally.add(data[at : at + 65536])
        found.append(tally.entropy)
    assert found[0] == 0
    assert 3 < found[1] < 5
    assert found[2] > 7.9
