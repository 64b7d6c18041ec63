"""The Messages API: what the `anthropic` package speaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .messages_rules import Block, check_replayed, check_thinking, check_tools, check_turns, sign
from .messages_shape import COUNT, GENERATE
from .served import Policy, Request, Turn
from .server import KEY, RefusedError, StandIn, sse

KEY_OF = {"2023-06-01": ("x-api-key", KEY), "2026-10-21": ("authorization", f"Bearer {KEY}")}
"""By version of the API, the header that brings the key, and what stands in it."""
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
CHARACTERS_PER_TOKEN = 4
_EMPTY: dict[str, Block] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "redacted_thinking": {},
    "tool_use": {"input": {}},
}
"""What of a block comes only with its deltas."""
GENERATES, COUNTS = "/v1/messages", "/v1/messages/count_tokens"


class MessagesApi(StandIn):
    """A model behind the Messages API. It thinks only where thinking was asked for."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self.issued: dict[str, list[Block]] = {}
        self.shapes = {GENERATES: Draft202012Validator(GENERATE), COUNTS: Draft202012Validator(COUNT)}

    def routes(self) -> list[Route]:
        """Messages, and how many tokens they have."""
        return [
            Route(GENERATES, self.generate, methods=["POST"]),
            Route(COUNTS, self.count, methods=["POST"]),
        ]

    async def count(self, http: HttpRequest) -> Response:
        """How many tokens a request would have."""
        try:
            body = await self.read(http)
        except RefusedError as refused:
            return self.fail(refused.status, refused.message)
        return JSONResponse({"input_tokens": _tokens(body["messages"])})

    def check(self, http: HttpRequest, body: dict[str, Any]) -> None:
        """Key, version, shape, then what the parts have to do with each other."""
        version = KEY_OF.get(http.headers.get("anthropic-version", ""))
        if version is None:
            raise RefusedError(400, "anthropic-version: header is required and must be a known version")
        header, value = version
        if http.headers.get(header) != value:
            raise RefusedError(401, f"invalid {header}")
        wrong = next(iter(self.shapes[http.url.path].iter_errors(body)), None)
        if wrong is not None:
            raise RefusedError(400, f"{'.'.join(map(str, wrong.absolute_path))}: {wrong.message[:500]}")
        check_thinking(body)
        check_turns(body["messages"])
        check_tools(body["messages"])
        check_replayed(body["messages"], self.issued)

    def failure(self, status: int, message: str) -> dict[str, Any]:
        """An error's type is told from its status."""
        error = {"type": KINDS[status], "message": message}
        return {"type": "error", "error": error, "request_id": "req_stand_in"}

    def whole(self, request: Request, turn: Turn) -> dict[str, Any]:
        """A message."""
        thinks = request.body.get("thinking", {"type": "disabled"})["type"] != "disabled"
        content: list[Block] = []
        if thinks and turn.thinking is not None:
            content.append({"type": "thinking", "thinking": turn.thinking, "signature": sign(turn.thinking)})
        if thinks and turn.encrypted:
            content.append({"type": "redacted_thinking", "data": f"{sign('')}{request.number}"})
        if turn.text:
            content.append({"type": "text", "text": turn.text})
        calls = [
            {"type": "tool_use", "id": f"toolu_{request.number}_{n}", "name": use.name, "input": dict(use.arguments)}
            for n, use in enumerate(turn.calls)
        ]
        content += calls
        self.issued |= {str(call["id"]): [block for block in content if block["type"] != "text"] for call in calls}
        return {
            "id": f"msg_{request.number}",
            "type": "message",
            "role": "assistant",
            "model": request.body["model"],
            "content": content,
            "stop_reason": turn.stop or ("tool_use" if calls else "end_turn"),
            "stop_sequence": None,
            "usage": {"input_tokens": _tokens(request.body["messages"]), "output_tokens": _tokens(content)},
        }

    def pieces(self, answer: dict[str, Any], body: dict[str, Any]) -> Iterator[bytes]:
        """A message as events, each text in two halves."""
        start = answer | {"content": [], "stop_reason": None}
        start["usage"] = answer["usage"] | {"output_tokens": 1}
        yield _event("message_start", message=start)
        yield _event("ping")
        for index, block in enumerate(answer["content"]):
            yield _event("content_block_start", index=index, content_block=_opened(block))
            for delta in _deltas(block):
                yield _event("content_block_delta", index=index, delta=delta)
            yield _event("content_block_stop", index=index)
        delta = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage={"output_tokens": answer["usage"]["output_tokens"]})
        yield _event("message_stop")


def _event(kind: str, **rest: Any) -> bytes:
    return sse({"type": kind} | rest, kind)


def _opened(block: Block) -> Block:
    """A block as it is before its first delta: what deltas bring is empty."""
    return block | _EMPTY[block["type"]]


def _deltas(block: Block) -> Iterator[Block]:
    match block:
        case {"type": "text", "text": text}:
            yield from ({"type": "text_delta", "text": half} for half in _halves(text))
        case {"type": "thinking", "thinking": thinking, "signature": signature}:
            yield from ({"type": "thinking_delta", "thinking": half} for half in _halves(thinking))
            yield {"type": "signature_delta", "signature": signature}
        case {"type": "tool_use", "input": arguments}:
            yield from ({"type": "input_json_delta", "partial_json": half} for half in _halves(json.dumps(arguments)))


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [half for half in (text[:middle], text[middle:]) if half]


def _tokens(what: object) -> int:
    return len(json.dumps(what)) // CHARACTERS_PER_TOKEN
