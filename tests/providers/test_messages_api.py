"""The server itself: a request that the provider refuses is refused in its way, and remembered."""

from __future__ import annotations

import httpx
import pytest

from .messages_api import MessagesApi
from .messages_rules import sign
from .served import ToolUse, Turn, always
from .server import KEY, serving

HEADERS = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
ASKED = {"role": "user", "content": "What time is it?"}
BODY = {"model": "stand-in", "max_tokens": 4096, "messages": [ASKED]}
CALL = {"type": "tool_use", "id": "toolu_0_0", "name": "clock", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_0_0", "content": "noon"}
THOUGHT = {"type": "thinking", "thinking": "I look.", "signature": sign("I look.")}
THINKING = {"type": "enabled", "budget_tokens": 1024}


def turns(*contents):
    roles = ("assistant", "user")
    return [ASKED, *({"role": roles[at % 2], "content": content} for at, content in enumerate(contents))]


REFUSED = {
    "no max_tokens": ({"max_tokens": None}, "max_tokens"),
    "an unknown field": ({"temprature": 1}, "temprature"),
    "an unknown role": ({"messages": [ASKED | {"role": "tool"}]}, "messages.0"),
    "no messages": ({"messages": []}, "messages"),
    "the model speaks first": ({"messages": [{"role": "assistant", "content": "Hello."}]}, "first message"),
    "the model speaks last": ({"messages": turns("It is")}, "prefill"),
    "an empty text": ({"messages": [ASKED | {"content": " "}]}, "non-whitespace"),
    "a small budget": ({"thinking": THINKING | {"budget_tokens": 1023}}, "budget_tokens"),
    "a budget that leaves no room": ({"thinking": THINKING | {"budget_tokens": 4096}}, "budget_tokens"),
    "a forced tool with thinking": ({"thinking": THINKING, "tool_choice": {"type": "any"}}, "tool_choice"),
    "the result of no call": ({"messages": turns("Well.", [RESULT])}, "unexpected tool_use_id"),
    "a call without a result": ({"messages": turns([THOUGHT, CALL], "Well?")}, "without tool_result"),
    "two results of a call": ({"messages": turns([THOUGHT, CALL], [RESULT, RESULT])}, "single result"),
    "thinking left out": ({"messages": turns([CALL], [RESULT])}, "must remain"),
    "thinking changed": ({"messages": turns([THOUGHT | {"thinking": "I lie."}, CALL], [RESULT])}, "signature"),
    "a call changed": ({"messages": turns([THOUGHT, CALL | {"input": {"zone": "UTC"}}], [RESULT])}, "must remain"),
}


@pytest.fixture(scope="module")
def service():
    """A server that answers its first request with a thought and the call of a tool."""
    api = MessagesApi(always(Turn(thinking="I look.", calls=(ToolUse("clock", {}),))))
    with serving(api) as url:
        yield api, f"{url}/v1/messages"
        api.complaints.clear()


@pytest.fixture
def post(service):
    """Sends a request after that first one."""
    api, url = service
    if not api.requests:
        assert httpx.post(url, json=BODY | {"thinking": THINKING}, headers=HEADERS).status_code == 200

    def send(changes, headers=HEADERS):
        body = {key: value for key, value in (BODY | changes).items() if value is not None}
        return httpx.post(url, json=body, headers=headers)

    return send


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED)
def test_what_the_provider_refuses_is_refused_and_remembered(service, post, changes, words):
    answer = post(changes)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert words in answer.json()["error"]["message"]
    assert words in service[0].complaints[-1]


def test_a_whole_turn_that_comes_back_unchanged_is_taken(post):
    assert post({"messages": turns([THOUGHT, CALL], [RESULT])}).status_code == 200


@pytest.mark.parametrize("key", [{}, {"x-api-key": "another"}], ids=["no key", "another key"])
def test_nobody_comes_in_without_the_key(post, key):
    answer = post({}, {"anthropic-version": "2023-06-01"} | key)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")


def test_a_request_that_was_refused_fails_the_test_around_it():
    api = MessagesApi(always(Turn("Hello.")))
    with pytest.raises(AssertionError, match="max_tokens"), serving(api) as url:
        httpx.post(f"{url}/v1/messages", json={"model": "stand-in", "messages": [ASKED]}, headers=HEADERS)
