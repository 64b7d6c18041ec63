"""The words of a list, however a parameter gives it."""

from __future__ import annotations

from collections.abc import Iterable


def listed(value: str | Iterable[object]) -> list[str]:
    """What stands between the commas of a text, or in a list: without the space around, each once, nothing blank."""
    parts = value.split(",") if isinstance(value, str) else map(str, value)
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))
