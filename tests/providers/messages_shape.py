"""The shape of a request of the Messages API, as a JSON Schema; what its parts must have to do with each other is not in it."""

from __future__ import annotations

from typing import Any

CACHE = {"type": "object", "properties": {"type": {"const": "ephemeral"}, "ttl": {"enum": ["5m", "1h"]}}}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """The schema of an object that has nothing else."""
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = closed({"type": {"const": "text"}, "text": {"type": "string", "minLength": 1}}, cache_control=CACHE)
TOOL_USE = closed(
    {"type": {"const": "tool_use"}, "id": {"type": "string"}, "name": {"type": "string"}, "input": {"type": "object"}},
    cache_control=CACHE,
)
TOOL_RESULT = closed(
    {"type": {"const": "tool_result"}, "tool_use_id": {"type": "string"}},
    content={"anyOf": [{"type": "string"}, {"type": "array", "items": TEXT}]},
    is_error={"type": "boolean"},
    cache_control=CACHE,
)
THINKING = closed(
    {"type": {"const": "thinking"}, "thinking": {"type": "string"}, "signature": {"type": "string", "minLength": 1}}
)
REDACTED = closed({"type": {"const": "redacted_thinking"}, "data": {"type": "string", "minLength": 1}})


def _message(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return closed(
        {
            "role": {"const": role},
            "content": {"anyOf": [text, {"type": "array", "minItems": 1, "items": {"anyOf": list(blocks)}}]},
        }
    )


TOOL = closed(
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
GENERATE = closed(
    {
        "model": {"type": "string", "minLength": 1},
        "max_tokens": {"type": "integer", "minimum": 1},
        "messages": MESSAGES,
    },
    system={"anyOf": [{"type": "string"}, {"type": "array", "items": TEXT}]},
    tools={"type": "array", "items": TOOL},
    tool_choice={
        "anyOf": [
            closed({"type": {"enum": ["auto", "any"]}}, disable_parallel_tool_use={"type": "boolean"}),
            closed({"type": {"const": "none"}}),
            closed({"type": {"const": "tool"}, "name": {"type": "string"}}),
        ]
    },
    thinking={
        "anyOf": [
            closed({"type": {"const": "enabled"}, "budget_tokens": {"type": "integer"}}, display=DISPLAY),
            closed({"type": {"const": "adaptive"}}, display=DISPLAY),
            closed({"type": {"const": "disabled"}}),
        ]
    },
    output_config=closed({"effort": {"enum": ["low", "medium", "high", "xhigh", "max"]}}),
    stop_sequences={"type": "array", "items": {"type": "string"}},
    stream={"type": "boolean"},
    cache_control=CACHE,
)
COUNT = closed({"model": GENERATE["properties"]["model"], "messages": MESSAGES})
