"""Checks a record against the published classes of OCSF: required attributes, types, enumerations, constraints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PUBLISHED: dict[str, Any] = json.loads(Path(__file__).with_name("ocsf-1.8.0.json").read_text())
"""An extract of the release: the classes and objects that the exporter may use."""

_TYPES: dict[str, type | tuple[type, ...]] = {
    "integer_t": int,
    "long_t": int,
    "timestamp_t": int,
    "port_t": int,
    "boolean_t": bool,
    "float_t": (int, float),
    "json_t": object,
}


def faults(record: dict[str, Any]) -> list[str]:
    """What is wrong with a record; nothing for a valid one."""
    published = PUBLISHED["classes"].get(str(record.get("class_uid")))
    if published is None:
        return [f"no class {record.get('class_uid')}"]
    found = list(_of_object(published, record, "record"))
    if record.get("category_uid") != published["category"]:
        found.append("category_uid is another class's")
    if record.get("type_uid") != published["uid"] * 100 + record.get("activity_id", 0):
        found.append("type_uid is not of this class and activity")
    return found


def _of_object(published: dict[str, Any], value: dict[str, Any], where: str) -> Iterator[str]:
    attributes = published["attributes"]
    yield from (f"{where}.{name} is missing" for name, a in attributes.items() if "required" in a and name not in value)
    one_of = published.get("at_least_one")
    if one_of and not set(one_of) & set(value):
        yield f"{where} has none of {one_of}"
    for name, part in value.items():
        if name not in attributes:
            yield f"{where}.{name} is not published"
            continue
        parts = part if attributes[name].get("array") else [part]
        if not isinstance(parts, list):
            yield f"{where}.{name} is no list"
            continue
        for each in parts:
            yield from _of_value(attributes[name], each, f"{where}.{name}")


def _of_value(published: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    kind = published["type"]
    if "enum" in published and value not in published["enum"]:
        yield f"{where} has no value {value}"
    if kind in PUBLISHED["objects"]:
        if isinstance(value, dict):
            yield from _of_object(PUBLISHED["objects"][kind], value, where)
        else:
            yield f"{where} is no object"
    elif kind == "object":
        if not isinstance(value, dict):
            yield f"{where} is no object"
    elif not isinstance(value, _TYPES.get(kind, str)) or (_TYPES.get(kind) is int and isinstance(value, bool)):
        yield f"{where} is no {kind}"
