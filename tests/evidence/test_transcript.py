"""What is taken from the events of a sample: tool calls that did not reach the workstation are told, others are not."""

import pytest
from inspect_ai.event import InfoEvent, ToolEvent
from inspect_ai.tool import ToolCallError

from afagent.evidence.transcript import unreachable


def call(kind=None):
    error = None if kind is None else ToolCallError(kind, "service is not running")
    return ToolEvent(id="call", function="bash", arguments={"cmd": "ls"}, error=error)


@pytest.mark.parametrize("kind", [None, "timeout", "permission", "unknown"])
def test_calls_that_ran_or_failed_by_themselves_are_no_trouble(kind):
    assert unreachable([call(kind), InfoEvent(data="sandbox_unavailable")]) == []


def test_calls_that_did_not_reach_the_workstation_are_told_once_with_their_number():
    (told,) = unreachable([call("sandbox_unavailable"), call(), call("sandbox_unavailable")])
    assert told.endswith("workstation: 2")
