"""The JSON Schema of `verdict.json`, generated from the one module that defines it (`gate.verdict`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from afagent.gate.verdict import Verdict

SCHEMA_FILE = Path(__file__).parents[1] / "verdict.schema.json"
"""The generated file; `python -m afagent.gate.outputs.schema` writes it anew."""


def verdict_schema() -> dict[str, Any]:
    """The schema (JSON Schema 2020-12) of what `canonical` writes: every field is there, and no other."""
    schema = Verdict.model_json_schema(mode="serialization")
    for kind in (schema, *schema["$defs"].values()):
        # `canonical` writes every field, whether it has a default or not.
        kind["required"] = list(kind["properties"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def to_text() -> str:
    """The schema as it stands in its file."""
    return json.dumps(verdict_schema(), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(to_text())
