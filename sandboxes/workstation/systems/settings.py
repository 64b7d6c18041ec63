"""Settings in the part of YAML that people write: blocks, lists, [a, b], quotes, comments, text over several lines."""

import json
import re
from collections.abc import Iterator
from typing import Any

DEEPEST = 12
LONGEST = 200
"""Lines of one value."""
Row = tuple[int, str, int]
"""Indentation, content, number of the line."""
_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'[^']*'|[^\s:#\[\]{},"'&*!|>%@`][^:#]*?)\s*:(?:\s+(.*))?$""", re.DOTALL)
_TEXT = re.compile(r"[|>][+-]?$")


def parse_settings(text: str) -> dict[str, Any]:
    """The mapping that a text stands for. Raises ValueError with the line when it cannot be read."""
    rows = list(_rows(text.splitlines()))
    if not rows:
        return {}
    value, at = _block(rows, 0, rows[0][0], 0)
    if at < len(rows):
        raise ValueError(f"line {rows[at][2]}: not where it should be")
    if not isinstance(value, dict):
        raise ValueError("line 1: no mapping")  # noqa: TRY004  # of the text
    return value


def _rows(lines: list[str]) -> Iterator[Row]:
    """Rows that each hold a whole value, without comments."""
    at = 0
    while at < len(lines):
        line, number, at = _without_comment(lines[at]).rstrip(), at + 1, at + 1
        content = line.lstrip()
        if "\t" in line[: len(line) - len(content)]:
            raise ValueError(f"line {number}: a tab")
        if content in ("", "---", "..."):
            continue
        column, value = _value(line)
        end = min(at + LONGEST, len(lines))
        if _TEXT.match(value):
            start, at = at, _text_end(lines, at, end, column)
            head, value = content[: -len(value)], json.dumps(_block_text(lines[start:at], value))
        else:
            head = content[: len(content) - len(value)]
        if value[:1] in ("'", '"'):
            value, at = _quoted_whole(lines, at, end, value)
        while value[:1] in ("[", "{") and not _is_closed(value) and at < end:
            value, at = f"{value} {_without_comment(lines[at]).strip()}", at + 1
        yield len(line) - len(line.lstrip()), head + value, number


def _quoted_whole(lines: list[str], at: int, end: int, value: str) -> tuple[str, int]:
    """A text in quotes with the lines on which it goes on: a break is a blank, an empty line is a break."""
    breaks = ""
    while not _is_closed(value) and at < end:
        more, at = lines[at].strip(), at + 1
        if not more:
            breaks += "\n"
        elif value[0] == '"' and value.endswith("\\"):
            value, breaks = value[:-1] + breaks + more, ""
        else:
            value, breaks = value + (breaks or " ") + more, ""
    return _without_comment(value).rstrip(), at


def _value(line: str) -> tuple[int, str]:
    """The column of a row's key, or of its last dash, and what stands behind."""
    column, rest = len(line) - len(line.lstrip()), line.lstrip()
    while rest.startswith("- "):
        inner = rest[1:].lstrip()
        if not (_KEY.match(inner) or inner.startswith("- ")):
            return column, inner
        column, rest = column + len(rest) - len(inner), inner
    match = _KEY.match(rest)
    return column, (match[2] or "") if match else ""


def _text_end(lines: list[str], at: int, end: int, column: int) -> int:
    while at < end and (not lines[at].strip() or len(lines[at]) - len(lines[at].lstrip()) > column):
        at += 1
    return at


def _block_text(lines: list[str], sign: str) -> str:
    """A text behind `|`, as it stands, or behind `>`, in which single breaks are blanks."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    text = "\n".join(line[indent:].rstrip() for line in lines).rstrip("\n")
    if sign[0] == ">":
        text = re.sub(r"(?<!\n)\n(?!\n)", " ", text).replace("\n\n", "\n")
    return text if sign.endswith("-") or not text else text + "\n"


def _bare(text: str) -> Iterator[tuple[int, str]]:
    """Places and signs outside quotes; last of all, behind the end, a quote that is not closed."""
    quote, before, at = "", "", 0
    while at < len(text):
        sign = text[at]
        if not quote:
            yield at, sign
            if sign in "\"'" and before in ("", ":", "[", ",", "{", "-"):
                quote = sign
        elif (quote == '"' and sign == "\\") or (quote == "'" and text[at : at + 2] == "''"):
            at += 1  # two signs that stand for one
        elif sign == quote:
            quote = ""
        before = before if sign.isspace() else sign
        at += 1
    if quote:
        yield len(text), quote


def _without_comment(line: str) -> str:
    for at, sign in _bare(line):
        if sign == "#" and (at == 0 or line[at - 1] in " \t"):
            return line[:at]
    return line


def _is_closed(value: str) -> bool:
    depth = 0
    for at, sign in _bare(value):
        depth += (sign in "[{") - (sign in "]}")
        if at == len(value):
            return False
    return depth <= 0


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
            rest, at = _with_more(rows, at, indent, rest)
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
            rest, at = _with_more(rows, at + 1, indent, rest)
            value = _scalar(rest, number)
        found.append(value)
    return found, at


def _with_more(rows: list[Row], at: int, indent: int, text: str) -> tuple[str, int]:
    """A plain text with the rows on which it goes on."""
    while text[0] not in "'\"[{" and at < len(rows) and rows[at][0] > indent:
        _, more, number = rows[at]
        if _KEY.match(more):
            raise ValueError(f"line {number}: a key in a text")
        text, at = f"{text} {more}", at + 1
    return text, at


def _scalar(text: str, number: int) -> Any:
    text = text.strip()
    if text[:1] in ("[", "{"):
        return _flow(text, number)
    if text[:1] in ("'", '"'):
        return _quoted(text, number)
    plain = {"true": True, "yes": True, "false": False, "no": False, "null": None, "~": None}
    if text.lower() in plain:
        return plain[text.lower()]
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        return float(text)
    return text


def _quoted(text: str, number: int) -> str:
    if len(text) < 2 or text[-1] != text[0]:
        raise ValueError(f"line {number}: a quote is not closed")
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    # A blank at the start of a line on which a text goes on is written so; JSON does not know it.
    text = re.sub(r"\\(.)", lambda pair: " " if pair[1] == " " else pair[0], text, flags=re.DOTALL)
    try:
        return str(json.loads(text, strict=False))
    except ValueError:  # an escape that only YAML has
        return text[1:-1]


def _flow(text: str, number: int, depth: int = 0) -> Any:
    closing = "]" if text[0] == "[" else "}"
    if text[-1] != closing or depth > DEEPEST:
        raise ValueError(f"line {number}: a bracket is not closed")
    parts = [part.strip() for part in _parts(text[1:-1]) if part.strip()]
    if closing == "]":
        return [_in_flow(part, number, depth) for part in parts]
    pairs = [_KEY.match(part) for part in parts]
    return {
        _scalar(pair[1], number) if pair else part: _in_flow((pair[2] or "") if pair else "", number, depth)
        for pair, part in zip(pairs, parts, strict=True)
    }


def _in_flow(text: str, number: int, depth: int) -> Any:
    if text[:1] in ("[", "{"):
        return _flow(text, number, depth + 1)
    return _scalar(text, number) if text else None


def _parts(text: str) -> Iterator[str]:
    """What stands between the commas that no quotes or brackets hold."""
    depth = start = 0
    for at, sign in _bare(text):
        depth += (sign in "[{") - (sign in "]}")
        if sign == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]
