"""Reading a stream line by line, with a bound on what a line may hold."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .stream import Stream

MAX_LINE = 8192
"""Bytes; a longer line comes in parts."""


async def read_line(stream: Stream, seconds: float) -> bytes:
    """The next line with its end, or what there is of one at the end or past `MAX_LINE`; nothing at the end.

    Args:
        stream: where from; what comes behind the line is put back.
        seconds: how long the client may keep silent.

    Raises:
        TimeoutError: it kept silent for longer; what had come is put back.
        OSError: the connection broke.
    """
    line = bytearray()
    while len(line) < MAX_LINE and b"\n" not in line:
        try:
            async with asyncio.timeout(seconds):
                data = await stream.read()
        except TimeoutError:
            if line:
                stream.unread(bytes(line))
            raise
        if not data:
            return bytes(line)
        line += data
    end = min(line.find(b"\n") + 1 or MAX_LINE, MAX_LINE)
    if len(line) > end:
        stream.unread(bytes(line[end:]))
    return bytes(line[:end])
