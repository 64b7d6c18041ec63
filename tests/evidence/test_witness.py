"""What is shown of an event in the transcript is short enough to be read; the log has it whole."""

from __future__ import annotations

import pytest
from inspect_ai.event import InfoEvent
from inspect_ai.log import transcript

from afagent.evidence.witness import SHOWN_CHARACTERS, SHOWN_LINES, show, telling
from afagent.sandboxes.recorder.events import AssetState, Fact, Heard, Opened, to_line

from .builders import seal_all
from .systems import HOST, HOST_ADDRESS, lab


def shown(fact: Fact) -> dict[str, object]:
    (event,) = seal_all([fact])
    number = show(event, at_its_time=False)
    (info,) = [each for each in transcript().events if isinstance(each, InfoEvent) and each.uuid == number]
    assert isinstance(info.data, dict)
    return dict(info.data)


@pytest.mark.parametrize(("size", "cut"), [(10, False), (SHOWN_CHARACTERS, False), (65_536, True)])
def test_a_long_text_is_cut(size: int, cut: bool) -> None:
    text = str(shown(AssetState("m.rules", "/x", "written", "file", size, text="x" * size))["text"])
    assert (text != "x" * size) == cut
    assert len(text) < SHOWN_CHARACTERS + 100
    assert not cut or "65,536" in text


def test_many_lines_are_cut() -> None:
    lines = shown(Heard(1, "monitor", "a", 1, {}, ["x" * 2000] * 200))["lines"]
    assert isinstance(lines, list)
    assert (len(lines), lines[-1]) == (SHOWN_LINES + 1, f"… and {200 - SHOWN_LINES} more")


@pytest.mark.parametrize(("address", "shown"), [(HOST_ADDRESS, False), ("198.51.100.9", True)])
def test_connections_to_where_the_services_report_are_no_news(address: str, shown: bool) -> None:
    (event,) = seal_all([Opened(1, "tcp", address, 80, HOST)])
    assert (telling(lab(), to_line(event)) is not None) == shown
