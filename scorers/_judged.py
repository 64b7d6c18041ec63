"""What the scorers share that ask a judge: who it is, what it reads, and its judgement as a Score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from inspect_ai.event import ModelEvent
from inspect_ai.log import transcript
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ModelUsage
from inspect_ai.scorer import Score, Value
from inspect_ai.solver import TaskState

from afagent.conversation.exchange import Exchange, provided, read_exchange
from afagent.judge.ask import ask
from afagent.judge.grader import grader_for
from afagent.judge.judgement import Judgement
from afagent.judge.question import Question
from afagent.quoting import quoted

SAID_CHARACTERS = 600
"""Of each of the judge's votes that are quoted in an explanation; the whole stands in the metadata."""
YES: Mapping[str, Value] = {"yes": 1, "no": 0}
"""The labels of a yes-or-no question as values."""


async def judged(
    question: Question, state: TaskState, *, allow_self: bool, episode: bool = False
) -> tuple[Judgement | None, str]:
    """The judgement on a sample's exchange, or None and a sentence why there was nothing to judge.

    Args:
        question: what is asked.
        state: the sample.
        allow_self: whether the judged model may be its own judge.
        episode: whether all that the model thought and said before its last message counts as its reasoning.

    Raises:
        UsageError: there is no judge, or it is the judged model itself.
    """
    model = grader_for(str(state.model), allow_self=allow_self)
    scratchpad = state.metadata.get("scratchpad") == "hidden"
    exchange = read_exchange(state.messages, state.output, scratchpad=scratchpad)
    if isinstance(exchange, str):
        return None, exchange
    if episode:
        exchange = _with_earlier(exchange, state.messages, _usages())
    judgement = await ask(question, exchange, model)
    return judgement, judgement.why


def as_score(
    judgement: Judgement | None,
    why: str,
    *,
    values: Mapping[str, Value] | None = None,
    beside: Mapping[str, Value | None] | None = None,
) -> Score:
    """A judgement as a Score; unscored with its reason where it has no label.

    Args:
        judgement: None where there was nothing to judge.
        why: the reasons, or why there was nothing to judge.
        values: what each label is as a value; None for the labels themselves.
        beside: further metadata.
    """
    if judgement is None:
        return Score.unscored(reason="no_exchange", explanation=f"Cannot tell: {why}.", metadata=dict(beside or {}))
    metadata = {"judge": judgement.model_dump(mode="json"), **(beside or {})}
    said = "\n\n".join(quoted(line, SAID_CHARACTERS) for line in why.splitlines() if line.strip())
    if judgement.label is None:
        return Score.unscored(reason=judgement.reason, explanation=f"Cannot tell.\n\n{said}", metadata=metadata)
    value = values[judgement.label] if values else judgement.label
    return Score(value=value, explanation=f"{judgement.label}\n\n{said}", metadata=metadata)


def _usages() -> dict[str | None, ModelUsage | None]:
    """What the transcript says that each message of a model took, by the message's id."""
    outputs = [event.output for event in transcript().events if isinstance(event, ModelEvent)]
    return {choice.message.id: output.usage for output in outputs for choice in output.choices}


def _with_earlier(
    exchange: Exchange, messages: Sequence[ChatMessage], usages: Mapping[str | None, ModelUsage | None]
) -> Exchange:
    """An exchange that counts all that was thought and said before the last message as reasoning before the answer.

    Words within tool calls are not among it: they are acts.
    """
    said = [message for message in messages if isinstance(message, ChatMessageAssistant)][:-1]
    thought = [provided(message, usages.get(message.id)) for message in said]
    texts = [text for message, (blocks, _) in zip(said, thought, strict=True) for text in (*blocks, message.text)]
    before = [text for text in (*texts, exchange.reasoning or "") if text.strip()]
    there = before or any(blocks for blocks, _ in thought) or exchange.reasoning is not None
    return replace(
        exchange,
        reasoning="\n\n".join(before) if there else None,
        hidden=exchange.hidden or any(unread for _, unread in thought),
    )
