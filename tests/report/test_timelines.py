from pathlib import Path

import pytest
from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec, write_eval_log
from inspect_ai.scorer import Score

from afagent.errors import UsageError
from afagent.evidence.findings import Finding, Stage, as_data
from afagent.report.timelines import MOST_ACTS, MOST_EVENTS, read_timelines
from afagent.report.viewer import bundle, check_address, link
from afagent.sandboxes.recorder.events import GENESIS, Beat, Ended, Event, Started, seal, to_line

EPISODE = "0001-log_shipper-helpful_only-unmonitored"


def chain() -> list[Event]:
    events: list[Event] = []
    facts = [Started(EPISODE, "1"), Beat(uptime=1.0, packets=0, bytes=0, flows=0), Ended(flows=0)]
    for number, fact in enumerate(facts, 1):
        events.append(seal(number, 1000.0 + number, fact, events[-1].hash if events else GENESIS))
    return events


def write(folder: Path, *, store: dict[str, object] | None = None, findings: object = None) -> None:
    events = chain()
    whole = {"Evidence:log": "".join(f"{to_line(each)}\n" for each in events), "Evidence:head": events[-1].hash}
    told = [
        as_data(Finding(Stage.DELIVERED, "network", "proven", "it was sent", (2,), messages=(3,), attack=("T1041",)))
    ]
    reference = {"type": "event", "cite": "[E2]", "id": "uuid-2"}
    metadata = {"findings": told if findings is None else findings, "scanner_references": [reference]}
    score = Score(value={"attempted": 1}, explanation="sent [E2]", metadata=metadata)
    sample = EvalSample(
        id=EPISODE,
        epoch=1,
        input="",
        target="",
        store=whole if store is None else store,
        scores={"exfiltration": score},
    )
    spec = EvalSpec(
        created="2026-11-20T12:00:00+00:00", task="t", dataset=EvalDataset(), model="m", config=EvalConfig()
    )
    write_eval_log(EvalLog(eval=spec, samples=[sample]), str(folder / "a.eval"))


def test_a_timeline_tells_acts_their_times_and_where_they_stand_in_the_viewer(tmp_path: Path):
    write(tmp_path)
    [found] = read_timelines(str(tmp_path), [("a.eval", EPISODE, 1)])
    [act] = found.acts
    assert (act.summary, act.rung, act.strength, act.when, act.techniques) == (
        "it was sent",
        "delivered",
        "proven",
        1002.0,
        ("T1041",),
    )
    assert [moment.number for moment in found.moments] == [2]
    assert found.cites == {"E2": ("event", "uuid-2")}
    assert found.accounts == (("exfiltration", "sent [E2]"),)
    assert found.problems == ()


@pytest.mark.parametrize("store", [{}, {"Evidence:log": 7}, {"Evidence:log": "nonsense\n", "Evidence:head": "x"}])
def test_evidence_that_is_not_whole_is_told(tmp_path: Path, store: dict[str, object]):
    write(tmp_path, store=store)
    [found] = read_timelines(str(tmp_path), [("a.eval", EPISODE, 1)])
    assert found.problems
    assert found.acts[0].when is None


@pytest.mark.parametrize(
    "findings", ["text", [1, None], [{}], [{"events": "x", "messages": {}, "attack": 3, "diff": []}]]
)
def test_findings_of_any_shape_break_nothing(tmp_path: Path, findings: object):
    write(tmp_path, findings=findings)
    [found] = read_timelines(str(tmp_path), [("a.eval", EPISODE, 1)])
    assert not any("cannot be read" in problem for problem in found.problems)


def test_a_flood_of_findings_is_cut_and_counted(tmp_path: Path):
    write(tmp_path, findings=[{"summary": f"act {number}", "events": [2]} for number in range(500)])
    [found] = read_timelines(str(tmp_path), [("a.eval", EPISODE, 1)])
    assert len(found.acts) == MOST_ACTS
    assert len(found.moments) <= MOST_EVENTS
    assert found.left_out == 500 - MOST_ACTS


def test_an_episode_that_cannot_be_read_is_told_and_not_left_out(tmp_path: Path):
    write(tmp_path)
    (tmp_path / "b.eval").write_bytes(b"PK nonsense")
    names = [("a.eval", "9999-nobody", 1), ("b.eval", EPISODE, 1), ("gone.eval", EPISODE, 1)]
    assert [bool(one.problems) for one in read_timelines(str(tmp_path), names)] == [True, True, True]


@pytest.mark.parametrize(
    "viewer",
    ["javascript:alert(1)", "data:text/html,x", " javascript:x", "java\nscript:x", "view?x", "view#x", "//host/x"],
)
def test_an_address_that_is_no_folder_and_no_server_is_refused(viewer: str):
    with pytest.raises(UsageError, match="viewer"):
        check_address(viewer)


def test_a_link_quotes_whatever_a_log_says():
    address = link(check_address("../my viewer"), "a/b #1.eval", '1-"x/y', 2, ("event", "a&b=c"))
    assert address == "../my%20viewer/#/logs/a/b%20%231.eval/samples/sample/1-%22x%2Fy/2/transcript?event=a%26b%3Dc"


def test_a_viewer_is_bundled_and_bundled_again_and_nothing_else_is_written_over(tmp_path: Path):
    logs, mine = tmp_path / "logs", tmp_path / "mine"
    logs.mkdir()
    mine.mkdir()
    write(logs)
    (mine / "thesis.txt").write_text("years of work")
    for folder in (mine, logs / "viewer"):
        with pytest.raises(UsageError):
            bundle(logs, folder)
    for _ in range(2):
        bundle(logs, tmp_path / "viewer")
    assert (tmp_path / "viewer" / "logs" / "a.eval").exists()
