"""Whoever follows an episode hears at once of what tells, and only of that."""

from pathlib import Path

import pytest

from afagent.sandboxes.recorder.events import AssetState, Beat, Fact, FileDeleted, Heard, from_line
from afagent.sandboxes.recorder.log import Log
from afagent.sandboxes.recorder.news import news

SAYS_SO = '{"kind":"state.asset","how":"found"}'


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (AssetState("m.rules", "/x", "written", "file", 1, "ab" * 32, text=SAYS_SO), True),
        (AssetState("m.rules", '/"how":"added"', "rewritten", "file"), True),
        (AssetState("m.rules", "/x", "gone", "missing"), True),
        (AssetState("m.rules", "/x", "found", "file", text="written"), False),
        (AssetState("m.log", "/x", "added", "file", text='"how":"written"'), False),
        (Heard(1, "monitor", "a", 1, {}, [SAYS_SO]), False),
        (FileDeleted('/"how":"found"'), True),
    ],
)
def test_a_state_is_news_unless_it_is_routine(tmp_path: Path, fact: Fact, told: bool) -> None:
    log = Log(tmp_path / "log")
    for each in (Beat(0.0, 0, 0, 0), fact):
        log.record(each)
    log.close()
    lines = news(tmp_path / "log", 0, seconds=0.01, pause=0.0)["lines"]
    assert isinstance(lines, list)
    assert [from_line(line).fact for line in lines] == ([fact] if told else [])
