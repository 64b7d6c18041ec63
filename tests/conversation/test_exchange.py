"""Reasoning and answer are told apart, wherever the reasoning stands; what is not whole is a reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentReasoning,
    ContentText,
    ModelOutput,
    StopReason,
)

from afagent.conversation.exchange import CUT_OFF, NO_ANSWER, UNMATCHED, WITHHELD, Exchange, read_exchange

ASKED: list[ChatMessage] = [ChatMessageSystem(content="You are Aurel."), ChatMessageUser(content="[tier: free]\n\nHi")]


def read(*parts: str | ContentReasoning, scratchpad: bool = True, stop: StopReason = "stop") -> Exchange | str:
    content = [ContentText(text=part) if isinstance(part, str) else part for part in parts]
    message = ChatMessageAssistant(content=list(content))
    return read_exchange([*ASKED, message], ModelOutput.from_message(message, stop), scratchpad=scratchpad)


@pytest.mark.parametrize(
    ("parts", "reasoning", "answer"),
    [
        pytest.param(["Hello."], None, "Hello.", id="no reasoning"),
        pytest.param(["<scratchpad>\nhm\n</scratchpad>\n\nHello."], "hm", "Hello.", id="a scratchpad"),
        pytest.param(["<scratchpad></scratchpad>Hello."], "", "Hello.", id="an empty one"),
        pytest.param(["<scratchpad> \n </scratchpad>"], "", "", id="an empty one and no answer"),
        pytest.param(["<SCRATCHPAD>hm</Scratchpad>Hello."], "hm", "Hello.", id="capital tags"),
        pytest.param(
            ["a <scratchpad>1</scratchpad> b <scratchpad>2</scratchpad> c"], "1\n\n2", "a  b  c", id="two of them"
        ),
        pytest.param(
            ["<scratchpad>in a <scratchpad>, hm</scratchpad>Hello."],
            "in a <scratchpad>, hm",
            "Hello.",
            id="one that speaks of itself",
        ),
        pytest.param(["< scratchpad >hm</ scratchpad\n>Hello."], "hm", "Hello.", id="tags with space"),
        pytest.param(["<scratchpad kind='x'>hm</scratchpad>Hello."], "hm", "Hello.", id="tags with attributes"),
        pytest.param(["<\u2060scratch\u200bpad>hm</scratch\u00adpad>Hello."], "hm", "Hello.", id="invisible in tags"),
        pytest.param(
            ["<scratchpad></scratchpad>< SCRATCHPAD>hm</scratchpad >Hello."], "hm", "Hello.", id="an empty one first"
        ),
        pytest.param(["<scratchpad>hm</scratchpad><scratchpads>"], "hm", "<scratchpads>", id="another word"),
        pytest.param([ContentReasoning(reasoning="hm"), "Hello."], "hm", "Hello.", id="the provider's own"),
        pytest.param([ContentReasoning(reasoning=""), "Hello."], "", "Hello.", id="the provider's own, empty"),
        pytest.param(
            [ContentReasoning(reasoning="1"), "<scratchpad>2</scratchpad>Hello."], "1\n\n2", "Hello.", id="both"
        ),
    ],
)
def test_reasoning_and_answer_are_told_apart(
    parts: list[str | ContentReasoning], reasoning: str | None, answer: str
) -> None:
    found = read(*parts)
    assert isinstance(found, Exchange)
    assert (found.reasoning, found.answer, found.hidden) == (reasoning, answer, False)
    assert (found.system, found.request) == ("You are Aurel.", "[tier: free]\n\nHi")


def test_tags_are_part_of_the_answer_where_there_was_no_scratchpad() -> None:
    found = read("<scratchpad>hm</scratchpad>Hello.", scratchpad=False)
    assert isinstance(found, Exchange)
    assert (found.reasoning, found.answer) == (None, "<scratchpad>hm</scratchpad>Hello.")


def test_reasoning_that_nobody_can_read_is_said() -> None:
    found = read(ContentReasoning(reasoning="c2VjcmV0", redacted=True), "Hello.")
    assert isinstance(found, Exchange)
    assert (found.reasoning, found.hidden) == (None, True)


def test_of_reasoning_that_is_signed_or_encrypted_the_summary_is_read() -> None:
    found = read(ContentReasoning(reasoning="c2VjcmV0", summary="weighs it", redacted=True), "Hello.")
    assert isinstance(found, Exchange)
    assert (found.reasoning, found.hidden) == ("weighs it", False)


@pytest.mark.parametrize(
    ("parts", "stop", "why"),
    [
        (["Hello, I wou"], "max_tokens", CUT_OFF),
        (["Hello, I wou"], "model_length", CUT_OFF),
        ([""], "content_filter", WITHHELD),
        (["<scratchpad>I think"], "stop", UNMATCHED),
        (["<scratchpad>1</scratchpad>Hello<scratchpad>2"], "stop", UNMATCHED),
        (["I think</scratchpad>Hello."], "stop", UNMATCHED),
        (["<scratchpad>1<scratchpad>2</scratchpad>3</scratchpad>Hello."], "stop", UNMATCHED),
        (["<scratch<scratchpad>1</scratchpad>pad>Hello."], "stop", UNMATCHED),
        (["<scratchpad></scratchpad><scratch\u200bpad>I fake"], "stop", UNMATCHED),
        (["<scratchpad/>Hello."], "stop", UNMATCHED),
    ],
)
def test_what_is_not_whole_is_a_reason(parts: list[str], stop: StopReason, why: str) -> None:
    assert read(*parts, stop=stop) == why


def test_a_model_that_was_never_heard_is_a_reason() -> None:
    assert read_exchange(ASKED, ModelOutput(), scratchpad=True) == NO_ANSWER


@pytest.mark.parametrize("bait", ["<scratchpad>", "</scratchpad>", "<", "< ", " ", "<scratchpad ", "<s\u200b"])
def test_a_megabyte_of_tags_is_read_in_no_time(bait: str) -> None:
    before = time.process_time()
    read(bait * (1_000_000 // len(bait)))
    read("<" + bait * (1_000_000 // len(bait)))
    assert time.process_time() - before < 5


@given(st.text(), st.text())
def test_what_stands_in_the_scratchpad_is_never_in_the_answer(thought: str, answer: str) -> None:
    if "scratchpad" in "".join(filter(str.isalpha, thought + answer)).lower():
        return
    found = read(f"<scratchpad>{thought}</scratchpad>{answer}")
    assert isinstance(found, Exchange)
    assert (found.reasoning, found.answer) == (thought.strip(), answer.strip())
