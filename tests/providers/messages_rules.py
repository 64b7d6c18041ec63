"""What the parts of a request of the Messages API must have to do with each other; each rule raises `RefusedError`."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from .server import RefusedError

LEAST_BUDGET = 1024
"""Tokens, of thinking that has a budget."""
SECRET = b"of the served model alone"

Block = dict[str, Any]


def sign(thinking: str) -> str:
    """What shows that thinking came from the served model, and was not changed."""
    return hmac.digest(SECRET, thinking.encode(), hashlib.sha256).hex()


def blocks(message: Mapping[str, Any], kind: str | None = None) -> list[Block]:
    """The blocks of a message, or those of one kind."""
    content = message["content"]
    listed = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [block for block in listed if kind in (None, block["type"])]


def check_thinking(body: Mapping[str, Any]) -> None:
    """A budget is large enough and leaves room for an answer, and no tool is forced."""
    thinking = body.get("thinking", {"type": "disabled"})
    if thinking["type"] != "enabled":
        return
    if not LEAST_BUDGET <= thinking["budget_tokens"] < body["max_tokens"]:
        raise RefusedError(400, f"thinking.budget_tokens: at least {LEAST_BUDGET} and less than max_tokens")
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        raise RefusedError(400, "tool_choice: thinking may not be enabled where it forces tool use")


def check_turns(messages: list[dict[str, Any]]) -> None:
    """The user speaks first and last, and says something besides blanks."""
    if messages[0]["role"] != "user":
        raise RefusedError(400, "messages: the first message must use the user role")
    if messages[-1]["role"] != "user":
        raise RefusedError(400, "messages: this model does not support prefill; the last message must be the user's")
    if any(not block["text"].strip() for message in messages for block in blocks(message, "text")):
        raise RefusedError(400, "messages: text content blocks must contain non-whitespace text")


def check_tools(messages: list[dict[str, Any]]) -> None:
    """Every call of a tool is answered in the next message, before any text, and nothing else is."""
    for at, (before, after) in enumerate(pairwise([{"content": "", "role": "user"}, *messages])):
        called = {block["id"] for block in blocks(before, "tool_use")}
        answered = [block["tool_use_id"] for block in blocks(after, "tool_result")]
        if unknown := set(answered) - called:
            raise RefusedError(400, f"messages.{at}: unexpected tool_use_id in tool_result blocks: {sorted(unknown)}")
        if missing := called - set(answered):
            raise RefusedError(400, f"messages.{at}: tool_use ids without tool_result blocks: {sorted(missing)}")
        if len(set(answered)) < len(answered):
            raise RefusedError(400, f"messages.{at}: each tool_use must have a single result")
        kinds = [block["type"] for block in blocks(after)]
        if answered and "tool_result" in kinds[len(answered) :]:
            raise RefusedError(400, f"messages.{at}: tool_result blocks must come first")


def check_replayed(messages: list[dict[str, Any]], issued: Mapping[str, list[Block]]) -> None:
    """Thinking is the model's own; in a turn that called tools it comes back whole, with the calls, unchanged.

    Args:
        messages: of the request.
        issued: by the id of a call the blocks of the turn that made it.
    """
    for at, block in _thinking(messages):
        signed = block["signature"] if block["type"] == "thinking" else block["data"]
        known = [b for turn in issued.values() for b in turn]
        if block["type"] == "thinking" and block["thinking"] and signed != sign(block["thinking"]):
            raise RefusedError(400, f"messages.{at}: invalid signature in thinking block")
        if block["type"] == "redacted_thinking" and block not in known and not signed.startswith(sign("")):
            raise RefusedError(400, f"messages.{at}: invalid data in redacted_thinking block")
    for at, message in enumerate(messages):
        for call in blocks(message, "tool_use")[:1]:
            own = [block for block in issued.get(call["id"], []) if block["type"] != "text"]
            if own != [_plain(block) for block in blocks(message) if block["type"] != "text"]:
                raise RefusedError(400, f"messages.{at}: thinking and calls must remain as they were in the response")


def _plain(block: Block) -> Block:
    """A block without marks for the cache."""
    return {key: value for key, value in block.items() if key != "cache_control"}


def _thinking(messages: list[dict[str, Any]]) -> Iterator[tuple[int, Block]]:
    for at, message in enumerate(messages):
        for block in blocks(message):
            if block["type"] in ("thinking", "redacted_thinking"):
                yield at, block
