"""The JSON Schema of the witness's log, generated from the one package that defines it (`recorder.events`)."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from afagent.sandboxes.recorder.events import FACTS, Event, Fact

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_FILE = Path(__file__).with_name("events.schema.json")
"""The generated file; `afagent evidence --schema` prints what it should hold."""


def event_schema() -> dict[str, Any]:
    """The schema of one line of the log (JSON Schema 2020-12): every kind of fact, its fields and what they mean."""
    about = _attribute_docs(Event)
    return {
        "$schema": DIALECT,
        "title": "An event of the witness",
        "description": "One line of the log. Each event is sealed onto the one before it.",
        "type": "object",
        "properties": {
            "hash": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": about["hash"]},
            "seq": {"type": "integer", "minimum": 1, "description": about["seq"]},
            "time": {"type": "number", "description": about["time"]},
            "kind": {"enum": list(FACTS)},
            "data": {"type": "object"},
        },
        "required": ["hash", "seq", "time", "kind", "data"],
        "additionalProperties": False,
        "oneOf": [
            {"properties": {"kind": {"const": name}, "data": {"$ref": f"#/$defs/{name}"}}, "required": ["kind", "data"]}
            for name in FACTS
        ],
        "$defs": {name: _fact_schema(kind) for name, kind in FACTS.items()},
    }


def to_text(schema: dict[str, Any]) -> str:
    """The schema as it stands in its file."""
    return json.dumps(schema, indent=2) + "\n"


def _fact_schema(kind: type[Fact]) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema()
    about = _attribute_docs(kind)
    properties = {
        name: {key: value for key, value in field.items() if key != "title"}
        | ({"description": about[name]} if name in about else {})
        for name, field in schema.get("properties", {}).items()
    }
    return {
        "title": kind.__name__,
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "type": "object",
        "properties": properties,
        # The log writes every field, whether it has a default or not.
        "required": list(properties),
        "additionalProperties": False,
    }


def _attribute_docs(kind: type) -> dict[str, str]:
    """The strings that stand below the fields of a class, by field; Python itself does not keep them."""
    (definition,) = ast.parse(inspect.cleandoc("\n" + inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            docs[field.target.id] = " ".join(str(below.value.value).split())
    return docs
