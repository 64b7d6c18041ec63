"""Answers that several services give: a page, JSON, an object or a range of it."""

from __future__ import annotations

import json
import re
from email.utils import formatdate
from typing import TYPE_CHECKING

from .messages import Answer, Bytes, Header
from .objects import Range

if TYPE_CHECKING:
    from .messages import Head
    from .objects import Stored

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def as_json(status: int, content: object, headers: tuple[Header, ...] = ()) -> Answer:
    """A JSON document."""
    body = Bytes(json.dumps(content).encode() + b"\n")
    return Answer(status, body, (("Content-Type", "application/json"), *headers))


def page(status: int, title: str, text: str) -> Answer:
    """A plain page; title and text are HTML."""
    head = f"<!doctype html>\n<html><head><title>{title}</title></head>\n"
    body = f"{head}<body><h1>{title}</h1>\n<p>{text}</p></body></html>\n"
    return Answer(status, Bytes(body.encode()), (("Content-Type", "text/html; charset=utf-8"),))


def not_found() -> Answer:
    """The page for what does not exist."""
    return page(404, "404 Not Found", "The requested URL was not found on this server.")


def whole_or_range(stored: Stored, head: Head) -> Answer:
    """An object, or of it the range of bytes that is asked for."""
    about: tuple[Header, ...] = (
        ("ETag", f'"{stored.etag}"'),
        ("Last-Modified", formatdate(stored.modified, usegmt=True)),
        ("Content-Type", stored.kind),
        ("Accept-Ranges", "bytes"),
    )
    size = stored.body.size
    if not stored.body.kept and head.method == "GET":
        return Answer(503, headers=(("Retry-After", "30"),))
    found = _RANGE.fullmatch(head.header("range").replace(" ", ""))
    if found is None or not (found[1] or found[2]):
        return Answer(200, stored.body, about)
    start = int(found[1]) if found[1] else max(size - int(found[2]), 0)
    end = min(int(found[2]) + 1, size) if found[1] and found[2] else size
    if start >= end:
        return Answer(416, headers=(("Content-Range", f"bytes */{size}"),))
    told = (*about, ("Content-Range", f"bytes {start}-{end - 1}/{size}"))
    return Answer(206, Range(stored.body, start, end), told)
