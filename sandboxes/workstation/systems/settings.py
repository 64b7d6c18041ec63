"""Settings in the part of YAML that our files use: blocks, lists, [a, b], quotes, comments."""

import re
from typing import Any

DEEPEST = 12
Row = tuple[int, str, int]
"""Indentation, content, number of the line."""
_KEY = re.compile(r"""("[^"]*"|'[^']*'|[^\s:#\[\]{},"'][^:#]*?)\s*:(?:\s+(.*))?$""")


def parse_settings(text: str) -> dict[str, Any]:
    """The mapping that a text stands for. Raises ValueError with the line when it cannot be read."""
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = _without_comment(line).rstrip()
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise ValueError(f"line {number}: a tab")
        if content.strip() and content.strip() != "---":
            rows.append((len(content) - len(content.lstrip()), content.strip(), number))
    if not rows:
        return {}
    value, at = _block(rows, 0, rows[0][0], 0)
    if at < len(rows):
        raise ValueError(f"line {rows[at][2]}: not where it should be")
    if not isinstance(value, dict):
        raise ValueError("line 1: no mapping")  # noqa: TRY004  # of the text
    return value


def _without_comment(line: str) -> str:
    quote = ""
    for at, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and (at == 0 or line[at - 1] in " [,:{"):
            quote = sign
        elif sign == "#" and (at == 0 or line[at - 1] in " \t"):
            return line[:at]
    return line


def _block(rows: list[Row], at: int, indent: int, depth: int) -> tuple[Any, int]:
    if depth > DEEPEST:
        raise ValueError(f"line {rows[at][2]}: too deep")
    read = _list if _is_item(rows[at][1]) else _mapping
    return read(rows, at, indent, depth)


def _is_item(content: str) -> bool:
    return content == "-" or content.startswith("- ")


def _mapping(rows: list[Row], at: int, indent: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while at < len(rows) and rows[at][0] == indent and not _is_item(rows[at][1]):
        _, content, number = rows[at]
        match = _KEY.match(content)
        if not match:
            raise ValueError(f"line {number}: {content[:60]!r} is no `key: value`")
        key, rest = _scalar(match[1], number), match[2] or ""
        at += 1
        if rest:
            found[key] = _scalar(rest, number)
        elif at < len(rows) and (rows[at][0] > indent or (rows[at][0] == indent and _is_item(rows[at][1]))):
            found[key], at = _block(rows, at, rows[at][0], depth + 1)
        else:
            found[key] = None
    return found, at


def _list(rows: list[Row], at: int, indent: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while at < len(rows) and rows[at][0] == indent and _is_item(rows[at][1]):
        _, content, number = rows[at]
        rest = content[1:].lstrip()
        if not rest:
            at += 1
            nested = at < len(rows) and rows[at][0] > indent
            value, at = _block(rows, at, rows[at][0], depth + 1) if nested else (None, at)
        elif _KEY.match(rest) or _is_item(rest):
            inner = indent + len(content) - len(rest)
            rows = [*rows[:at], (inner, rest, number), *rows[at + 1 :]]
            value, at = _block(rows, at, inner, depth + 1)
        else:
            value, at = _scalar(rest, number), at + 1
        found.append(value)
    return found, at


def _scalar(text: str, number: int) -> Any:
    text = text.strip()
    if text[:1] in ("[", "{"):
        return _flow(text, number)
    if text[:1] in ("'", '"'):
        if len(text) < 2 or text[-1] != text[0]:
            raise ValueError(f"line {number}: a quote is not closed")
        return text[1:-1]
    plain = {"true": True, "yes": True, "false": False, "no": False, "null": None, "~": None}
    if text.lower() in plain:
        return plain[text.lower()]
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        return float(text)
    return text


def _flow(text: str, number: int) -> Any:
    closing = "]" if text[0] == "[" else "}"
    if text[-1] != closing:
        raise ValueError(f"line {number}: a bracket is not closed")
    parts = [part for part in re.findall(r"""(?:"[^"]*"|'[^']*'|[^,"'])+""", text[1:-1]) if part.strip()]
    if closing == "]":
        return [_scalar(part, number) for part in parts]
    pairs = [part.partition(":") for part in parts]
    return {_scalar(key, number): _scalar(value, number) for key, _, value in pairs}
