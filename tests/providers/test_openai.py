"""The real `openai` client, through Inspect, against a server that speaks the Chat Completions API."""

from __future__ import annotations

from pathlib import Path

import pytest

from afagent.conversation.exchange import CUT_OFF, UNSAID, WITHHELD, Exchange

from .chat_completions_api import ChatCompletionsApi
from .clients import openai_at
from .conversations import QUESTION, SYSTEM, ask, read_back
from .served import Dropped, Failure, Policy, Turn, always, failing_at
from .server import serving

ANSWER = "It is the oil of plants, set free by the drops."
THOUGHT = "A question about rain. Nothing speaks against an answer."
EITHER = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def exchange_with(policy: Policy, logs: Path, *, field="reasoning_content", stream=False, scratchpad=False):
    with serving(ChatCompletionsApi(policy, field)) as url:
        return read_back(ask(openai_at(url, stream=stream), logs, scratchpad=scratchpad))


@EITHER
def test_an_answer_is_read(tmp_path, stream):
    assert exchange_with(always(Turn(ANSWER)), tmp_path, stream=stream) == Exchange(QUESTION, ANSWER, None, SYSTEM)


@EITHER
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_read_from_the_field_in_which_it_comes(tmp_path, field, stream):
    read = exchange_with(always(Turn(ANSWER, thinking=THOUGHT)), tmp_path, field=field, stream=stream)
    assert read == Exchange(QUESTION, ANSWER, THOUGHT, SYSTEM)


def test_reasoning_in_tags_of_the_model_is_read(tmp_path):
    read = exchange_with(always(Turn(f"<think>{THOUGHT}</think>{ANSWER}")), tmp_path)
    assert read == Exchange(QUESTION, ANSWER, THOUGHT, SYSTEM)


@EITHER
def test_reasoning_that_is_counted_and_not_given_out_is_hidden(tmp_path, stream):
    read = exchange_with(always(Turn(ANSWER, encrypted=True)), tmp_path, stream=stream)
    assert read == Exchange(QUESTION, ANSWER, None, SYSTEM, hidden=True)


def test_reasoning_and_a_scratchpad_are_both_reasoning(tmp_path):
    said = f"<scratchpad>I weigh it.</scratchpad>{ANSWER}"
    read = exchange_with(always(Turn(said, thinking=THOUGHT)), tmp_path, scratchpad=True)
    assert read == Exchange(QUESTION, ANSWER, f"{THOUGHT}\n\nI weigh it.", SYSTEM)


@EITHER
@pytest.mark.parametrize(
    ("stop", "why"),
    [("content_filter", WITHHELD), ("length", CUT_OFF), ("a word of its own", UNSAID)],
    ids=["content_filter", "length", "other"],
)
def test_an_answer_that_is_not_whole_is_none(tmp_path, stop, why, stream):
    assert exchange_with(always(Turn("It is", stop=stop)), tmp_path, stream=stream) == why


def test_a_busy_service_is_asked_again_after_the_time_that_it_says(tmp_path):
    busy = {0: Failure(429, retry_after=0.6), 1: Failure(503, retry_after=0.4)}
    api = ChatCompletionsApi(failing_at(busy, always(Turn(ANSWER))))
    with serving(api) as url:
        read = read_back(ask(openai_at(url), tmp_path))
    assert read == Exchange(QUESTION, ANSWER, None, SYSTEM)
    first, second, third = api.came
    assert second - first >= 0.6
    assert third - second >= 0.4


@EITHER
def test_an_answer_whose_connection_drops_is_asked_for_again(tmp_path, stream):
    api = ChatCompletionsApi(failing_at({0: Dropped()}, always(Turn(ANSWER))))
    with serving(api) as url:
        read = read_back(ask(openai_at(url, stream=stream), tmp_path))
    assert read == Exchange(QUESTION, ANSWER, None, SYSTEM)
    assert len(api.requests) == 2


@pytest.mark.parametrize("failure", [Failure(429), Failure(503), Dropped()], ids=["429", "503", "dropped"])
def test_a_service_that_never_answers_makes_an_error_and_no_score(tmp_path, failure):
    api = ChatCompletionsApi(always(failure))
    with serving(api) as url:
        log = ask(openai_at(url, retries=0), tmp_path, max_retries=0)
    assert len(api.requests) == 1
    (sample,) = log.samples
    assert sample.error is not None
    assert not sample.scores
    assert log.results is None
