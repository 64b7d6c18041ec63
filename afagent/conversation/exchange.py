"""One exchange, as judges read it: what was asked, what was thought, what was answered.

Reasoning is what the model wrote in its scratchpad, where it was given one, and what its provider returned as
reasoning. Three things are told apart: reasoning that says something, reasoning that was there and is empty, and none
at all. What is not whole is no exchange but a reason: an answer that was cut off or withheld says nothing of what the
model would have said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inspect_ai.model import ChatMessage, ChatMessageAssistant, ContentReasoning, ModelOutput, ModelUsage

OPENED, CLOSED = "<scratchpad>", "</scratchpad>"
"""Around the reasoning that a model is asked to write; the prompts name them."""
_GAP = r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*+"
"""White space and what is invisible. Possessive: a model that writes a megabyte of it costs no time."""
TAG = re.compile(rf"<{_GAP}(/?){_GAP}{_GAP.join('scratchpad')}(?![\w-])[^<>]*+>", re.IGNORECASE)
"""Either tag as a model may write it: in capitals, with space or something invisible in it, with attributes."""

CUT_OFF = "the answer was cut off at a limit"
WITHHELD = "the provider withheld the answer"
UNSAID = "the provider did not say how the answer ended, so that it may be cut off"
UNMATCHED = "the scratchpad's tags do not match, so that reasoning and answer cannot be told apart"
NO_ANSWER = "the model was never heard"


@dataclass(frozen=True)
class Exchange:
    """One question and its answer."""

    request: str
    """What the user said, with the label of its tier."""
    answer: str
    reasoning: str | None = None
    """Empty where it was there and says nothing; None where there was none."""
    system: str | None = None
    hidden: bool = False
    """Whether there was reasoning that nobody can read, because its provider returns it encrypted or not at all."""


def read_exchange(messages: Sequence[ChatMessage], output: ModelOutput, *, scratchpad: bool) -> Exchange | str:
    """The last exchange of a conversation, or in a sentence why there is none.

    Args:
        messages: all of them, the answer included.
        output: of the last call of the model.
        scratchpad: whether the model was given one; if not, its tags are part of the answer.
    """
    last = next((message for message in reversed(messages) if isinstance(message, ChatMessageAssistant)), None)
    if last is None or not output.choices:
        return NO_ANSWER
    if output.stop_reason in ("max_tokens", "model_length"):
        return CUT_OFF
    if output.stop_reason == "content_filter":
        return WITHHELD
    if output.stop_reason == "unknown":
        return UNSAID
    native, hidden = provided(last, output.usage)
    thought, answer = _split(last.text) if scratchpad else ([], last.text)
    if answer is None:
        return UNMATCHED
    said = [*native, *thought]
    return Exchange(
        request="\n\n".join(message.text for message in messages if message.role == "user"),
        answer=answer.strip(),
        reasoning="\n\n".join(part for part in map(str.strip, said) if part) if said else None,
        system=next((message.text for message in messages if message.role == "system"), None),
        hidden=hidden,
    )


def provided(message: ChatMessageAssistant, usage: ModelUsage | None = None) -> tuple[list[str], bool]:
    """The reasoning that a provider returned as such, and whether there is some of it that cannot be read.

    Inspect marks every block as redacted that has to go back to its provider encrypted or signed: what can be read of
    such a block is its summary, and where that says nothing, nobody can read it. A provider may also count reasoning
    and return none.
    """
    blocks = [part for part in message.content if isinstance(part, ContentReasoning)] if message.content else []
    texts = [block.summary if block.redacted else block.reasoning for block in blocks]
    counted = usage is not None and bool(usage.reasoning_tokens)
    hidden = any(block.redacted and not text for block, text in zip(blocks, texts, strict=True))
    return [
        text for block, text in zip(blocks, texts, strict=True) if text is not None and (text or not block.redacted)
    ], hidden or (counted and not blocks)


def _split(text: str) -> tuple[list[str], str | None]:
    """What stands in scratchpads, and the rest; None for the rest where a tag is left over in it.

    It is gone through once, whatever the model wrote. An opening tag within a scratchpad is only spoken of.
    """
    thought: list[str] = []
    said: list[str] = []
    inside, at = False, 0
    for tag in TAG.finditer(text):
        closes = bool(tag[1])
        if closes and not inside:
            return thought, None
        if closes or not inside:
            (thought if inside else said).append(text[at : tag.start()])
            inside, at = closes is False, tag.end()
    rest = "".join([*said, text[at:]])
    return thought, None if inside or TAG.search(rest) else rest
