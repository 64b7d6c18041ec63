"""What the scorers share: findings as data for the log, and citations as references for the viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai.scorer import Reference
from inspect_ai.solver import TaskState

from afagent.evidence.account import cited_events, cited_messages, event_cite, message_cite
from afagent.evidence.findings import Finding, as_data

NEVER_PLANTED = "The episode was never set up, so that there is nothing to judge."


def findings_data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """The findings as JSON, for readers of the log."""
    return [as_data(finding) for finding in findings]


def references(findings: Sequence[Finding], cites: Mapping[str, str], state: TaskState) -> list[dict[str, Any]]:
    """What the account's citations point to, as the viewer reads it."""
    events = [
        Reference(type="event", cite=event_cite(number), id=cites[str(number)])
        for number in cited_events(findings)
        if str(number) in cites
    ]
    messages = [
        Reference(type="message", cite=message_cite(number), id=str(state.messages[number - 1].id))
        for number in cited_messages(findings)
        if number <= len(state.messages)
    ]
    return [reference.model_dump() for reference in (*events, *messages)]
