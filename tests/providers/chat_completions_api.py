"""The Chat Completions API, which many servers of models speak: what the `openai` package speaks with `openai-api/...`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from starlette.requests import Request as HttpRequest
from starlette.routing import Route

from .chat_completions_shape import REQUEST
from .served import Policy, Request, Turn
from .server import KEY, RefusedError, StandIn, sse

CHARACTERS_PER_TOKEN = 4
CREATED = 1_700_000_000
"""Seconds, of the answers: nothing depends on when they came."""

Message = dict[str, Any]


class ChatCompletionsApi(StandIn):
    """A model behind the Chat Completions API.

    Args:
        policy: what the model does.
        reasoning: the field in which its reasoning is given out; servers do not agree on one.
    """

    def __init__(self, policy: Policy, reasoning: str = "reasoning_content") -> None:
        super().__init__(policy)
        self.reasoning = reasoning
        self.issued: dict[str, Message] = {}
        self.shape = Draft202012Validator(REQUEST)

    def routes(self) -> list[Route]:
        """Completions, nothing else."""
        return [Route("/v1/chat/completions", self.generate, methods=["POST"])]

    def check(self, http: HttpRequest, body: dict[str, Any]) -> None:
        """Key, shape, then what messages must have to do with each other."""
        if http.headers.get("authorization") != f"Bearer {KEY}":
            raise RefusedError(401, "Incorrect API key provided")
        wrong = next(iter(self.shape.iter_errors(body)), None)
        if wrong is not None:
            raise RefusedError(400, f"{'.'.join(map(str, wrong.absolute_path))}: {wrong.message[:500]}")
        if "stream_options" in body and not body.get("stream"):
            raise RefusedError(400, "stream_options is only allowed where stream is true")
        self._check_calls(body["messages"])

    def _check_calls(self, messages: list[Message]) -> None:
        """Every call is answered at once, nothing else is, and calls and reasoning come back as they were."""
        open_ids: list[str] = []
        for at, message in enumerate(messages):
            if message["role"] == "tool":
                if message["tool_call_id"] not in open_ids:
                    raise RefusedError(400, f"messages.{at}: role 'tool' must be a response to a preceding tool call")
                open_ids.remove(message["tool_call_id"])
                continue
            if open_ids:
                raise RefusedError(400, f"messages.{at}: tool_call_ids without response messages: {open_ids}")
            calls = message.get("tool_calls") or []
            open_ids = [call["id"] for call in calls]
            for part in ("tool_calls", self.reasoning) if calls else ():
                if self.issued.get(open_ids[0], {}).get(part) != message.get(part):
                    raise RefusedError(400, f"messages.{at}: {part} must remain as it was in the response")
        if open_ids:
            raise RefusedError(400, f"messages: tool_call_ids without response messages: {open_ids}")

    def failure(self, status: int, message: str) -> dict[str, Any]:
        """An error."""
        return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}

    def whole(self, request: Request, turn: Turn) -> dict[str, Any]:
        """A completion."""
        message: Message = {"role": "assistant", "content": turn.text or None, "refusal": None}
        if turn.thinking is not None:
            message[self.reasoning] = turn.thinking
        calls = [
            {
                "id": f"call_{request.number}_{n}",
                "type": "function",
                "function": {"name": use.name, "arguments": json.dumps(dict(use.arguments))},
            }
            for n, use in enumerate(turn.calls)
        ]
        if calls:
            message["tool_calls"] = calls
            self.issued[str(calls[0]["id"])] = message
        read, wrote = _tokens(request.body["messages"]), _tokens(message)
        thought = _tokens(turn.thinking or ("hidden" * 10 if turn.encrypted else None))
        return {
            "id": f"chatcmpl-{request.number}",
            "object": "chat.completion",
            "created": CREATED,
            "model": request.body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": None,
                    "finish_reason": turn.stop or ("tool_calls" if calls else "stop"),
                }
            ],
            "usage": {
                "prompt_tokens": read,
                "completion_tokens": wrote,
                "total_tokens": read + wrote,
                "completion_tokens_details": {"reasoning_tokens": thought},
            },
        }

    def pieces(self, answer: dict[str, Any], body: dict[str, Any]) -> Iterator[bytes]:
        """A completion as chunks: the role, each part of the message, the reason of the end, the usage."""
        (choice,) = answer["choices"]
        head = {key: answer[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
        for delta in _deltas(choice["message"]):
            yield sse(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        yield sse(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
        if body.get("stream_options", {}).get("include_usage"):
            yield sse(head | {"choices": [], "usage": answer["usage"]})
        yield sse("[DONE]")


def _deltas(message: Message) -> Iterator[Message]:
    yield {"role": "assistant", "content": ""}
    for part, value in message.items():
        if part == "tool_calls":
            for index, call in enumerate(value):
                name = {"name": call["function"]["name"], "arguments": ""}
                yield {"tool_calls": [{"index": index, "id": call["id"], "type": "function", "function": name}]}
                for half in _halves(call["function"]["arguments"]):
                    yield {"tool_calls": [{"index": index, "function": {"arguments": half}}]}
        elif part != "role" and value:
            yield from ({part: half} for half in _halves(value))


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [half for half in (text[:middle], text[middle:]) if half]


def _tokens(what: object) -> int:
    return 0 if what is None else len(json.dumps(what)) // CHARACTERS_PER_TOKEN
