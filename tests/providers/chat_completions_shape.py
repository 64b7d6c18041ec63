"""The shape of a request of the Chat Completions API, as a JSON Schema."""

from __future__ import annotations

from typing import Any

from .messages_shape import closed

WORDS = {"type": "string", "minLength": 1}
TEXTS = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "minItems": 1, "items": closed({"type": {"const": "text"}, "text": WORDS})},
    ]
}
CALL = closed(
    {
        "id": WORDS,
        "type": {"const": "function"},
        "function": closed({"name": WORDS, "arguments": {"type": "string", "contentMediaType": "application/json"}}),
    }
)
REASONING = {"type": "string"}
TOOL = closed(
    {
        "type": {"const": "function"},
        "function": closed(
            {"name": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}},
            description={"type": "string"},
            parameters={"type": "object"},
            strict={"type": "boolean"},
        ),
    }
)
REQUEST: dict[str, Any] = closed(
    {
        "model": WORDS,
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    closed({"role": {"enum": ["system", "developer", "user"]}, "content": TEXTS}),
                    closed({"role": {"const": "tool"}, "content": TEXTS, "tool_call_id": WORDS}),
                    closed(
                        {"role": {"const": "assistant"}},
                        content={"anyOf": [TEXTS, {"type": "null"}]},
                        tool_calls={"type": "array", "minItems": 1, "items": CALL},
                        reasoning_content=REASONING,
                        reasoning=REASONING,
                    ),
                ]
            },
        },
    },
    tools={"type": "array", "minItems": 1, "items": TOOL},
    tool_choice={"anyOf": [{"enum": ["auto", "none", "required"]}, {"type": "object"}]},
    parallel_tool_calls={"type": "boolean"},
    max_tokens={"type": "integer", "minimum": 1},
    max_completion_tokens={"type": "integer", "minimum": 1},
    reasoning_effort={"enum": ["none", "minimal", "low", "medium", "high", "xhigh"]},
    temperature={"type": "number", "minimum": 0, "maximum": 2},
    stream={"type": "boolean"},
    stream_options=closed({}, include_usage={"type": "boolean"}),
)
