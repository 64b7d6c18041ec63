"""Settings as flat text, so that two files can be compared by what they say and not by how they are laid out.

The text may be the agent's: what is doubled, aliased, nested without end or no settings at all is not read.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import yaml

MOST_CHARACTERS = 64 << 10
"""A longer text is not read."""
MOST_DEPTH = 40
MOST_OF_A_VALUE = 200
"""A value that is longer is a text."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where it was built, takes a twentieth of the time."""

Flat = Mapping[str, str]
"""Values by dotted key, such as `output.address` or `services.2.until`; places in a list count from 0."""


class _UnreadableError(ValueError):
    """It is not settings, or readers may differ over what it says."""


@lru_cache(maxsize=256)
def read_settings(path: str, text: str) -> Flat | None:
    """What a file of settings says; None when that cannot be told.

    Args:
        path: its name's end says the format: `.json`, `.yaml`, `.yml`, and INI for all else.
        text: its content.
    """
    if len(text) > MOST_CHARACTERS:
        return None
    suffix = path.rpartition(".")[2].lower()
    read = {"json": _json, "yaml": _yaml, "yml": _yaml}.get(suffix, _ini)
    try:
        return _unique(read(text))
    except (ValueError, RecursionError, yaml.YAMLError, configparser.Error):
        return None


def is_same(one: str, other: str) -> bool:
    """Whether two values mean the same, as `0.50` and `0.5` do, or a time in two ways of writing."""
    return one.strip() == other.strip() or _meaning(one) == _meaning(other)


def unlike(one: Flat, other: Flat) -> list[str]:
    """The keys at which two files say something else: in one of them only, or with another meaning."""
    return sorted(
        key for key in {*one, *other} if key not in one or key not in other or not is_same(one[key], other[key])
    )


def _meaning(text: str) -> tuple[str, object]:
    """As a lone scalar: brackets and tags, which a quoted value may hold, have no meaning here."""
    loader, bare = yaml.SafeLoader(""), text.strip()
    if len(bare) > MOST_OF_A_VALUE:
        return "text", bare
    try:
        tag = loader.resolve(yaml.ScalarNode, bare, (True, False))  # type: ignore[no-untyped-call]  # not in its stubs
        value = loader.construct_object(yaml.ScalarNode(tag, bare))
    except (ValueError, yaml.YAMLError):
        return "text", bare
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return type(value).__name__, value
    try:
        number = Decimal(str(value))  # exact, and YAML 1.1 takes `1e-6` for a text
    except InvalidOperation:
        return "text", bare
    return ("number", number) if number.is_finite() else ("text", bare)


def _unique(pairs: Iterator[tuple[str, str]]) -> Flat:
    """Readers differ over which of two equal keys holds."""
    found: dict[str, str] = {}
    for key, value in pairs:
        if key in found:
            raise _UnreadableError(key)
        found[key] = value
    return found


def _ini(text: str) -> Iterator[tuple[str, str]]:
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as the standard library documents it
    parser.read_string(text)
    for name, section in parser.items():
        yield from ((f"{name}.{key}", value or "") for key, value in section.items())


def _json(text: str) -> Iterator[tuple[str, str]]:
    return _of_json("", json.loads(text, object_pairs_hook=_Pairs, parse_float=str, parse_int=str), 0)


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, with every key that it was given."""


def _of_json(key: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if depth > MOST_DEPTH:
        raise _UnreadableError("nested too deep")
    if isinstance(value, list):
        named = value if isinstance(value, _Pairs) else [(str(place), each) for place, each in enumerate(value)]
        if not named:
            yield key, "{}" if isinstance(value, _Pairs) else "[]"
        for name, each in named:
            yield from _of_json(_below(key, name), each, depth + 1)
    else:
        yield key, value if isinstance(value, str) else json.dumps(value)


def _yaml(text: str) -> Iterator[tuple[str, str]]:
    depth = 0
    # By events first, one at a time: an alias can stand for a tree of any size, and a deep one takes for ever to build.
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH or isinstance(event, yaml.AliasEvent):
            raise _UnreadableError("nested too deep, or an alias")
    node = yaml.compose(text, Loader=_LOADER)
    return _of_yaml("", node) if node is not None else iter(())


def _of_yaml(key: str, node: yaml.Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, yaml.ScalarNode):
        yield key, str(node.value)
    elif isinstance(node, yaml.MappingNode):
        if not node.value:
            yield key, "{}"
        for name, each in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise _UnreadableError("a key that is no text")
            yield from _of_yaml(_below(key, str(name.value)), each)
    elif isinstance(node, yaml.SequenceNode):
        if not node.value:
            yield key, "[]"
        for place, each in enumerate(node.value):
            yield from _of_yaml(_below(key, str(place)), each)


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
