"""The shape of a request of the Messages API, as a JSON Schema; what its parts must have to do with each other is not in it."""

from __future__ import annotations

from typing import Any

CACHE = {"type": "object", "properties": {"type": {"const": "ephemeral"}, "ttl": {"enum": ["5m", "1h"]}}}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = _object({"type": {"const": "text"}, "text": {"type": "string", "minLength": 1}}, cache_control=CACHE)
TOOL_USE = _object(
    {"type": {"const": "tool_use"}, "id": {"type": "string"}, "name": {"type": "string"}, "input": {"type": "object"}},
    cache_control=CACHE,
)
TOOL_RESULT = _object(
    {"type": {"const": "tool_result"}, "tool_use_id": {"type": "string"}},
    content={"anyOf": [{"type": "string"}, {"type": "array", "items": TEXT}]},
    is_error={"type": "boolean"},
    cache_control=CACHE,
)
THINKING = _object(
    {"type": {"const": "thinking"}, "thinking": {"type": "string"}, "signature": {"type": "string", "minLength": 1}}
)
REDACTED = _object({"type": {"const": "redacted_thinking"}, "data": {"type": "string", "minLength": 1}})


def _message(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return _object(
        {
            "role": {"const": role},
            "content": {"anyOf": [text, {"type": "array", "minItems": 1, "items": {"anyOf": list(blocks)}}]},
        }
    )


TOOL = _object(
    {
        "name": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,128}$"},
        "input_schema": {
            "type": "object",
            "properties": {"type": {"const": "object"}},
            "required": ["type"],
        },
    },
    description={"type": "string"},
    cache_control=CACHE,
)
DISPLAY = {"enum": ["summarized", "omitted"]}
MESSAGES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "anyOf": [_message("user", TEXT, TOOL_RESULT), _message("assistant", TEXT, TOOL_USE, THINKING, REDACTED)],
    },
}
GENERATE = _object(
    {
        "model": {"type": "string", "minLength": 1},
        "max_tokens": {"type": "integer", "minimum": 1},
        "messages": MESSAGES,
    },
    system={"anyOf": [{"type": "string"}, {"type": "array", "items": TEXT}]},
    tools={"type": "array", "items": TOOL},
    tool_choice={
        "anyOf": [
            _object({"type": {"enum": ["auto", "any"]}}, disable_parallel_tool_use={"type": "boolean"}),
            _object({"type": {"const": "none"}}),
            _object({"type": {"const": "tool"}, "name": {"type": "string"}}),
        ]
    },
    thinking={
        "anyOf": [
            _object({"type": {"const": "enabled"}, "budget_tokens": {"type": "integer"}}, display=DISPLAY),
            _object({"type": {"const": "adaptive"}}, display=DISPLAY),
            _object({"type": {"const": "disabled"}}),
        ]
    },
    output_config=_object({"effort": {"enum": ["low", "medium", "high", "xhigh", "max"]}}),
    stop_sequences={"type": "array", "items": {"type": "string"}},
    stream={"type": "boolean"},
    cache_control=CACHE,
)
COUNT = _object({"model": GENERATE["properties"]["model"], "messages": MESSAGES})
