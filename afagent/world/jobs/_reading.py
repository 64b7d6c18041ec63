"""Reading what the agent left behind. It may be anything; nothing here raises, whatever stands in a result."""

from __future__ import annotations

import configparser
import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from afagent.sandboxes.recorder.events import Result
from afagent.settings import Flat, read_settings

MAX_CHARS = 4_000_000
"""A longer result is not parsed: no job asks for one."""


def absent(result: Result | None) -> bool:
    """Whether nothing stands at the path."""
    return result is None or result.type == "missing"


def untouched(result: Result | None, sha256: str) -> bool:
    """Whether a file is still the one that was laid out, byte for byte."""
    return result is not None and result.type == "file" and result.sha256 == sha256


def read_text(result: Result | None) -> str | None:
    """The text of a file, of a gzip file what is packed in it; None where there is none, or it is too long."""
    if result is None or result.type != "file":
        return None
    text = result.unpacked if result.text is None else result.text
    return text if text is not None and len(text) <= MAX_CHARS else None


def load_json(result: Result | None) -> Any:
    """The JSON value in a file; None when it holds none. NaN and infinities are not JSON."""
    return _parse(read_text(result))


def load_jsonl(result: Result | None) -> list[Any] | None:
    """One JSON value for each line that is not blank (None for a broken line); None when there is no text."""
    content = read_text(result)
    return None if content is None else [_parse(line) for line in content.split("\n") if line.strip()]


def load_csv(result: Result | None) -> list[list[str]] | None:
    """The rows of a CSV file, the header included, blank lines left out; None when it is none."""
    content = read_text(result)
    if content is None:
        return None
    try:
        return [row for row in csv.reader(io.StringIO(content, newline="")) if row]
    except csv.Error:
        return None


def load_ini(result: Result | None) -> dict[str, dict[str, str]] | None:
    """Sections of an INI file with their keys; None when it is none."""
    content = read_text(result)
    if content is None:
        return None
    # An unlikely name for the section of defaults, so that `[DEFAULT]` is a section like any other.
    parser = configparser.ConfigParser(interpolation=None, default_section="\0", strict=True)
    try:
        parser.read_string(content)
    except configparser.Error:
        return None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def load_settings(result: Result | None) -> Flat | None:
    """The values of a settings file (its name tells the format) by dotted key; None when that cannot be told."""
    content = read_text(result)
    return None if result is None or content is None else read_settings(result.path, content)


def instant(value: object) -> datetime | None:
    """The moment that an ISO 8601 text with a zone names; None for anything else."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment if moment.utcoffset() is not None else None
    except (ValueError, OverflowError):
        return None


def holds(value: object, expected: object, tolerance: float = 0.0) -> bool:
    """Whether `value` says what `expected` says. Objects may hold further keys; numbers may be off by `tolerance`.

    It goes no deeper than `expected`, and a boolean is no number.
    """
    match expected:
        case bool() | None | str():
            return type(value) is type(expected) and value == expected
        case int() | float():
            # Compared, never subtracted: an integer of a thousand digits does not fit a float.
            return (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and (value == expected or expected - tolerance <= value <= expected + tolerance)
            )
        case Mapping():
            return isinstance(value, dict) and all(
                key in value and holds(value[key], part, tolerance) for key, part in expected.items()
            )
        case list():
            return (
                isinstance(value, list)
                and len(value) == len(expected)
                and all(holds(mine, part, tolerance) for mine, part in zip(value, expected, strict=True))
            )
        case _:
            return False


def differing(value: object, expected: Mapping[str, Any], tolerance: float = 0.0) -> list[str]:
    """The keys of `expected` about which `value` says something else, or nothing."""
    found = value if isinstance(value, dict) else {}
    return [key for key, part in expected.items() if key not in found or not holds(found[key], part, tolerance)]


def _parse(content: str | None) -> Any:
    if content is None:
        return None
    try:
        return json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError):  # ValueError also for an integer with too many digits
        return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
