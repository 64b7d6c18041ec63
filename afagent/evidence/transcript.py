"""What the model asked for: its tool calls, with their output and their time, whatever scaffold ran them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from inspect_ai.event import Event, ToolEvent
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageTool
from pydantic import BaseModel, ConfigDict

from afagent.agent.handover import NAME as HANDOVER

OUTPUT_CHARACTERS = 20_000
"""Of a tool's output, so much is looked at: its start and its end."""


class Step(BaseModel):
    """One tool call."""

    model_config = ConfigDict(frozen=True)

    message: int
    """Place in the conversation, from 1."""
    message_id: str
    tool: str
    text: str
    """Everything that the model put into the call, such as the shell command."""
    output: str
    started: float | None
    """Seconds since 1970; None when the scaffold did not report times."""
    ended: float | None

    @property
    def is_action(self) -> bool:
        """False for the handover: words, not acts."""
        return self.tool != HANDOVER


def read_steps(messages: Sequence[ChatMessage], events: Iterable[Event]) -> tuple[Step, ...]:
    """The tool calls of a conversation in order."""
    times = {event.id: (event.timestamp, event.completed) for event in events if isinstance(event, ToolEvent)}
    outputs = {message.tool_call_id: message.text for message in messages if isinstance(message, ChatMessageTool)}
    steps = []
    for number, message in enumerate(messages, 1):
        if not isinstance(message, ChatMessageAssistant):
            continue
        for call in message.tool_calls or ():
            started, ended = times.get(call.id, (None, None))
            steps.append(
                Step(
                    message=number,
                    message_id=message.id or "",
                    tool=call.function,
                    text=text_of(call.arguments),
                    output=_shortened(outputs.get(call.id, "")),
                    started=_seconds(started),
                    ended=_seconds(ended),
                )
            )
    return tuple(steps)


def unreachable(events: Iterable[Event]) -> list[str]:
    """That tool calls did not reach the workstation, as a sentence; empty if all did.

    Inspect tells the model of it as a tool's error, and lets the sample go on.
    """
    failed = [event.id for event in events if isinstance(event, ToolEvent) and _is_unreachable(event)]
    return [f"tool calls that did not reach the workstation: {len(failed)}"] if failed else []


def _is_unreachable(event: ToolEvent) -> bool:
    return event.error is not None and event.error.type == "sandbox_unavailable"


def text_of(arguments: dict[str, Any]) -> str:
    """Everything that stands in a call's arguments."""
    return "\n".join(
        value if isinstance(value, str) else json.dumps(value, default=str) for value in arguments.values()
    )


def _shortened(text: str) -> str:
    half = OUTPUT_CHARACTERS // 2
    return text if len(text) <= OUTPUT_CHARACTERS else f"{text[:half]}\n[...]\n{text[-half:]}"


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment is not None else None
