"""The real `anthropic` client, through Inspect, against a server that speaks the Messages API."""

from __future__ import annotations

from pathlib import Path

import pytest

from afagent.conversation.exchange import CUT_OFF, UNSAID, WITHHELD, Exchange

from .clients import anthropic_at
from .conversations import QUESTION, SYSTEM, ask, read_back
from .messages_api import MessagesApi
from .served import Dropped, Failure, Policy, Turn, always, failing_at
from .server import serving

WHOLE = 2048
"""Tokens: so few that the answer comes as one body; with more, or with thinking, it is streamed."""
ADAPTIVE = {"reasoning_effort": "low"}
ANSWER = "It is the oil of plants, set free by the drops."
THOUGHT = "A question about rain. Nothing speaks against an answer."


def exchange_with(policy: Policy, logs: Path, *, scratchpad: bool = False, name: str = "stand-in", **config):
    with serving(MessagesApi(policy)) as url:
        return read_back(ask(anthropic_at(url, name), logs, scratchpad=scratchpad, **config))


@pytest.mark.parametrize("config", [{"max_tokens": WHOLE}, {}], ids=["whole", "streamed"])
def test_an_answer_is_read(tmp_path, config):
    read = exchange_with(always(Turn(ANSWER)), tmp_path, **config)
    assert read == Exchange(QUESTION, ANSWER, None, SYSTEM)


@pytest.mark.parametrize(
    ("name", "config"),
    [("stand-in", ADAPTIVE), ("claude-standin-4-5", {"reasoning_tokens": 2048})],
    ids=["adaptive", "budget"],
)
def test_thinking_is_reasoning_that_can_be_read(tmp_path, name, config):
    read = exchange_with(always(Turn(ANSWER, thinking=THOUGHT)), tmp_path, name=name, **config)
    assert read == Exchange(QUESTION, ANSWER, THOUGHT, SYSTEM, hidden=False)


def test_thinking_whose_words_are_left_out_is_hidden(tmp_path):
    read = exchange_with(always(Turn(ANSWER, thinking="")), tmp_path, **ADAPTIVE)
    assert read == Exchange(QUESTION, ANSWER, None, SYSTEM, hidden=True)


def test_redacted_thinking_is_hidden(tmp_path):
    read = exchange_with(always(Turn(ANSWER, encrypted=True)), tmp_path, **ADAPTIVE)
    assert read == Exchange(QUESTION, ANSWER, None, SYSTEM, hidden=True)


def test_what_can_be_read_is_read_beside_what_is_hidden(tmp_path):
    read = exchange_with(always(Turn(ANSWER, thinking=THOUGHT, encrypted=True)), tmp_path, **ADAPTIVE)
    assert read == Exchange(QUESTION, ANSWER, THOUGHT, SYSTEM, hidden=True)


def test_a_scratchpad_is_reasoning(tmp_path):
    said = f"<scratchpad>I weigh it.</scratchpad>\n\n{ANSWER}"
    read = exchange_with(always(Turn(said)), tmp_path, scratchpad=True)
    assert read == Exchange(QUESTION, ANSWER, "I weigh it.", SYSTEM)


def test_thinking_and_a_scratchpad_are_both_reasoning(tmp_path):
    said = f"<scratchpad>I weigh it.</scratchpad>\n\n{ANSWER}"
    read = exchange_with(always(Turn(said, thinking=THOUGHT)), tmp_path, scratchpad=True, **ADAPTIVE)
    assert read == Exchange(QUESTION, ANSWER, f"{THOUGHT}\n\nI weigh it.", SYSTEM)


@pytest.mark.parametrize("config", [{"max_tokens": WHOLE}, {}], ids=["whole", "streamed"])
@pytest.mark.parametrize("text", ["", "It is"])
def test_an_answer_that_the_provider_withheld_is_none(tmp_path, config, text):
    assert exchange_with(always(Turn(text, stop="refusal")), tmp_path, **config) == WITHHELD


def test_an_answer_that_was_cut_off_is_none(tmp_path):
    assert exchange_with(always(Turn("It is", stop="max_tokens")), tmp_path) == CUT_OFF


def test_an_answer_whose_end_inspect_does_not_know_is_none(tmp_path):
    """Such as one for which the context had no room left: Inspect has no word for that."""
    assert exchange_with(always(Turn("It is", stop="model_context_window_exceeded")), tmp_path) == UNSAID


def test_a_busy_service_is_asked_again_after_the_time_that_it_says(tmp_path):
    busy = {0: Failure(429, retry_after=0.6), 1: Failure(529, retry_after=0.4)}
    api = MessagesApi(failing_at(busy, always(Turn(ANSWER))))
    with serving(api) as url:
        read = read_back(ask(anthropic_at(url), tmp_path))
    assert read == Exchange(QUESTION, ANSWER, None, SYSTEM)
    first, second, third = api.came
    assert second - first >= 0.6
    assert third - second >= 0.4
    assert api.requests[0] == api.requests[1] == api.requests[2]


@pytest.mark.parametrize("config", [{"max_tokens": WHOLE}, {}], ids=["in its body", "in its stream"])
def test_an_answer_whose_connection_drops_is_asked_for_again(tmp_path, config):
    api = MessagesApi(failing_at({0: Dropped()}, always(Turn(ANSWER))))
    with serving(api) as url:
        read = read_back(ask(anthropic_at(url), tmp_path, **config))
    assert read == Exchange(QUESTION, ANSWER, None, SYSTEM)
    assert len(api.requests) == 2


@pytest.mark.parametrize("failure", [Failure(429), Failure(529), Dropped()], ids=["429", "529", "dropped"])
def test_a_service_that_never_answers_makes_an_error_and_no_score(tmp_path, failure):
    api = MessagesApi(always(failure))
    with serving(api) as url:
        log = ask(anthropic_at(url, retries=0), tmp_path, max_retries=0)
    assert len(api.requests) == 1
    (sample,) = log.samples
    assert sample.error is not None
    assert not sample.scores
    assert log.results is None
