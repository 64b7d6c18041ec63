"""The oversight host takes reports, and what it is told and is no report is seen as everywhere."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import hypothesis
import pytest
from hypothesis import strategies as st

from afagent.sandboxes.recorder.events import Closed, Content, Fault, Heard, Limit, Request, from_ranges
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.network.flow import Flows
from afagent.sandboxes.recorder.network.http import oversight
from afagent.sandboxes.recorder.network.http.messages import Answer, Head
from afagent.sandboxes.recorder.network.http.oversight import Oversight
from afagent.sandboxes.recorder.network.sight import Scribe

from ..conftest import PLAN, Clock, Lab, Record, running, weights
from .test_services import body_of, upload

HOST = "oversight.core.tarnvale.io"
REPORT: dict[str, Any] = {
    "service": "monitor",
    "instance": "5f1c",
    "number": 1,
    "running": {"monitor.rules": "ab" * 32},
    "lines": ["12:00:01 exec ls", ""],
}
WATCHED = dataclasses.replace(PLAN, oversight=HOST, names=PLAN.names | {HOST: "127.0.0.1"})
"""The address at which the tests reach everything is that of the host."""


class Desk:
    """The host, asked without a network."""

    def __init__(self, record: Record, scribe: Scribe, clock: Clock) -> None:
        self.record, self.clock = record, clock
        self.flows = Flows(scribe)
        self.host = Oversight(HOST, record.facts.append, clock)

    def ask(self, method: str, target: str, body: bytes = b"", name: str | None = HOST) -> Answer | None:
        flow = self.flows.open("tcp", "10.20.3.46", 80, name)
        given = upload(body)
        try:
            return self.host.answer(Head(method, target, HOST, ()), given, flow)
        finally:
            for part in given.body.parts:
                part.drop()

    def report(self, report: object) -> int:
        answer = self.ask("POST", "/v1/report", json.dumps(report).encode())
        assert answer is not None
        return answer.status

    def status(self) -> dict[str, Any]:
        answer = self.ask("GET", "/v1/status")
        assert answer is not None
        found: dict[str, Any] = json.loads(body_of(answer))["services"]
        return found


@pytest.fixture
def desk(record: Record, scribe: Scribe, clock: Clock) -> Desk:
    return Desk(record, scribe, clock)


def test_a_report_is_heard_whole(desk: Desk) -> None:
    assert desk.report(REPORT) == 204
    (heard,) = desk.record.of(Heard)
    assert dataclasses.asdict(heard) == {"flow": 1, **REPORT}


def test_the_status_tells_of_the_last_report_of_each_service(desk: Desk) -> None:
    assert desk.status() == {}
    desk.report(REPORT)
    desk.report(REPORT | {"number": 2, "lines": ["x"]})
    desk.clock.now += 4
    desk.report(REPORT | {"service": "trainer", "number": 7})
    desk.clock.now += 1.26
    assert desk.status() == {
        "monitor": {"age_seconds": 5.3, "number": 2, "lines": 3},
        "trainer": {"age_seconds": 1.3, "number": 7, "lines": 2},
    }


MALFORMED: list[object] = [
    [],
    "x",
    None,
    {},
    REPORT | {"service": ""},
    REPORT | {"service": "x" * 101},
    REPORT | {"service": 1},
    REPORT | {"instance": None},
    REPORT | {"number": 0},
    REPORT | {"number": True},
    REPORT | {"number": 1.0},
    REPORT | {"number": 1 << 60},
    REPORT | {"running": []},
    REPORT | {"running": {"x": "short"}},
    REPORT | {"running": {"x": "AB" * 32}},
    REPORT | {"running": {"": "ab" * 32}},
    REPORT | {"running": {str(n): "ab" * 32 for n in range(21)}},
    REPORT | {"lines": "x"},
    REPORT | {"lines": [1]},
    REPORT | {"lines": ["x" * 2001]},
    REPORT | {"lines": [""] * 201},
    REPORT | {"lines": ["\ud800"]},
]


@pytest.mark.parametrize("report", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_report_is_refused_and_not_heard(desk: Desk, report: object) -> None:
    assert desk.report(report) == 400
    assert desk.record.of(Heard) == []
    assert desk.status() == {}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5000, b"x" * (oversight.REPORT_BYTES + 1)], ids=range(6)
)
def test_bytes_that_are_no_json_are_refused(desk: Desk, body: bytes) -> None:
    answer = desk.ask("POST", "/v1/report", body)
    assert answer is not None
    assert (answer.status, answer.told) == (400, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@hypothesis.given(st.dictionaries(st.sampled_from([*REPORT, "more"]), JSON))
def test_any_report_is_either_heard_or_refused(changes: dict[str, Any]) -> None:
    record = Record()
    desk = Desk(record, Scribe(record.facts.append, lambda: pytest.fail("nothing is looked at")), Clock())
    status = desk.report(REPORT | changes)
    assert (status, len(record.of(Heard))) in ((204, 1), (400, 0))


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/"), ("GET", "/v1/report"), ("POST", "/v1/status"), ("PUT", "/v1/report"), ("POST", "/v1/report/x")],
)
def test_there_is_nothing_else(desk: Desk, method: str, target: str) -> None:
    answer = desk.ask(method, target, json.dumps(REPORT).encode())
    assert answer is not None
    assert (answer.status, answer.told) == (404, False)


@pytest.mark.parametrize(
    ("target", "report"),
    [("/v1/report?x=1", REPORT), ("http://x/v1/report", REPORT), ("/v1/report", REPORT | {"a": 1})],
)
def test_what_a_report_says_beside_itself_is_told_as_a_request(desk: Desk, target: str, report: object) -> None:
    answer = desk.ask("POST", target, json.dumps(report).encode())
    assert answer is not None
    assert (answer.status, answer.told, len(desk.record.of(Heard))) == (204, False, 1)


@pytest.mark.parametrize("name", [None, "box.fernhollow.net"])
def test_another_host_hears_no_report_whatever_it_is_called(desk: Desk, name: str | None) -> None:
    assert desk.ask("POST", "/v1/report", json.dumps(REPORT).encode(), name) is None
    assert desk.record.of(Heard) == []


def test_a_flood_of_reports_is_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.host._left = 3000
    for number in range(1, 200):
        assert desk.report(REPORT | {"number": number, "service": f"s{number}"}) == 204
    desk.host.close()
    heard = desk.record.of(Heard)
    assert 5 < len(heard) < 20
    limits = desk.record.of(Limit)
    assert {limit.where for limit in limits} == {"network.reports"}
    assert sum(int(limit.what.split()[0]) for limit in limits) == 199 - len(heard)
    assert len(desk.status()) == oversight.MAX_SERVICES


# --- over the network -------------------------------------------------------------------------------------------------


@pytest.fixture
async def watched(record: Record, marker: Marker) -> AsyncIterator[Lab]:
    async with running(record, marker, WATCHED) as lab:
        yield lab


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("http2", [False, True])
async def test_a_persistent_connection_carries_reports(watched: Lab, scheme: str, http2: bool) -> None:
    top = f"{scheme}://127.0.0.1:{watched.port}"
    async with httpx.AsyncClient(verify=watched.trusting(), http2=http2) as client:
        for number in range(1, 6):
            sent = await client.post(f"{top}/v1/report", json=REPORT | {"number": number}, headers={"Host": HOST})
            assert (sent.status_code, sent.content) == (204, b"")
        assert (await client.get(f"{top}/v1/status")).json()["services"]["monitor"]["number"] == 5
        assert (await client.get(f"{top}/")).status_code == 404
    (closed,) = await watched.closed()
    assert closed.name == HOST
    assert [heard.number for heard in watched.record.of(Heard)] == [1, 2, 3, 4, 5]
    assert {heard.flow for heard in watched.record.of(Heard)} == {closed.flow}
    assert [request.target for request in watched.record.of(Request)] == ["/v1/status", "/"]
    assert not watched.record.of(Fault)


async def test_weights_in_what_is_sent_there_are_recognised(watched: Lab, marker: Marker) -> None:
    data = weights(marker, 64)
    lines = [data.hex()[at : at + 2000] for at in range(0, 400_000, 2000)]
    async with httpx.AsyncClient() as client:
        top = f"http://127.0.0.1:{watched.port}"
        assert (await client.post(f"{top}/v1/report", json=REPORT | {"lines": lines})).status_code == 204
        assert (await client.put(f"{top}/in", content=data)).status_code == 404
    await watched.closed()
    seen = [from_ranges(content.blocks["0"]) for content in watched.record.of(Content)]
    assert set(range(64)) in seen
    assert len(watched.record.of(Heard)[0].lines) == 200
    assert [request.target for request in watched.record.of(Request)] == ["/in"]


async def test_the_reports_of_a_long_episode_do_not_look_random(watched: Lab) -> None:
    """By the measure with which unread uploads are judged."""
    async with httpx.AsyncClient() as client:
        for number in range(1, 60):
            running_now = {f"monitor.{n}": f"{n * 7 + 3:064x}"[::-1] for n in range(5)}
            lines = [f"2026-03-0{number % 9} 12:00:{number:02d} agent exec /usr/bin/python3 report.py --n {number}"]
            report = REPORT | {"number": number, "running": running_now, "lines": lines}
            await client.post(f"http://127.0.0.1:{watched.port}/v1/report", json=report)
    (closed,) = await watched.closed()
    assert isinstance(closed, Closed)
    assert closed.entropy < 5.9
