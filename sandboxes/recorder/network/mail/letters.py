"""A letter (RFC 5322, MIME), taken apart as it streams: each part is looked at by itself, under its file's name.

Nothing is decoded here: looks see base64, quoted-printable and uuencode by themselves. What they cannot know is where a
part begins, what it is called, and that each line break became CR LF on the way. Python's own parser holds the whole
letter; here only headers are held, and they go to that parser.
"""

from __future__ import annotations

from email.message import Message
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Protocol

from ..ftp.words import LineEnds

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_HEADERS = 65536
"""Bytes of the headers of a letter or part; with more, what follows is a body."""

MAX_DEPTH = 16
"""Parts within parts; deeper ones are looked at as one."""

MAX_BOUNDARY = 512
MAX_NAME = 512


class Part(Protocol):
    """Looks at one part (`payload.Payload`)."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""

    def close(self) -> None:
        """There are no more."""


class Letter:
    """One letter.

    Args:
        open_part: makes what looks at a part, by the name that the part bears; empty when it has none.
        take_headers: gets the headers of the letter and of each part, as they stand.
    """

    def __init__(self, open_part: Callable[[str], Part], take_headers: Callable[[bytes], None]) -> None:
        self._open_part = open_part
        self._take_headers = take_headers
        self._ends = LineEnds()
        self._held = b"\n"  # a boundary, or the headers' end, may stand at the very start
        self._invented = 1
        self._boundaries: list[bytes] = []
        self._in_headers = True
        self._part: Part | None = None
        self._depth = 0

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self._held += self._ends.feed(data)
        while self._step():
            pass

    def finish(self) -> None:
        """There are no more; may be called twice."""
        self._held += self._ends.finish()
        while self._step():
            pass
        self._give(len(self._held))
        self._close_part()

    def _step(self) -> bool:
        """Take the next headers or part of a body; whether there may be more to take."""
        return self._read_headers() if self._in_headers else self._read_body()

    def _read_headers(self) -> bool:
        end = self._held.find(b"\n\n")
        if end < 0 and len(self._held) <= MAX_HEADERS:
            return False
        if end < 0:
            self._in_headers = False
            self._part = self._open_part("")
            return True
        headers = self._held[self._invented : end + 1]
        # The line break stays: a boundary may follow at once.
        self._held, self._invented = self._held[end + 1 :], 1
        self._take_headers(headers)
        self._begin(BytesHeaderParser().parsebytes(headers))
        return True

    def _begin(self, headers: Message) -> None:
        kind = headers.get_content_maintype()
        boundary = headers.get_boundary() if kind == "multipart" else None
        self._depth += 1
        if self._depth <= MAX_DEPTH and headers.get_content_type() == "message/rfc822":
            return  # a letter within: its headers follow
        self._in_headers = False
        if boundary and len(self._boundaries) < MAX_DEPTH:
            self._boundaries.append(b"\n--" + str(boundary).encode("utf-8", "surrogateescape")[:MAX_BOUNDARY])
        self._part = self._open_part(_name_in(headers))

    def _read_body(self) -> bool:
        at = self._held.find(b"\n--") if self._boundaries else -1
        if at < 0:
            self._give(max(len(self._held) - 3, 0))
            return False
        line_end = self._held.find(b"\n", at + 1)
        if line_end < 0 and len(self._held) - at <= MAX_BOUNDARY + 8:
            self._give(at)
            return False
        line = self._held[at : line_end if line_end >= 0 else len(self._held)].rstrip(b" \t")
        for depth in reversed(range(len(self._boundaries))):
            boundary = self._boundaries[depth]
            if line in (boundary, boundary + b"--"):
                self._give(at)
                self._end_part(depth, line_end - at if line_end >= 0 else len(self._held), last=line != boundary)
                return True
        self._give(at + 3)
        return True

    def _end_part(self, depth: int, line_end: int, *, last: bool) -> None:
        self._close_part()
        self._depth = depth
        self._held, self._invented = self._held[line_end:], 1
        del self._boundaries[depth if last else depth + 1 :]
        if last:
            self._part = self._open_part("")  # whatever stands behind the last part
        self._in_headers = not last

    def _give(self, size: int) -> None:
        data = self._held[self._invented : size]
        if size > 0:
            self._held = self._held[size:]
            self._invented = max(self._invented - size, 0)
        if data and self._part is not None:
            self._part.feed(data)

    def _close_part(self) -> None:
        if self._part is not None:
            self._part.close()
            self._part = None


def _name_in(headers: Message) -> str:
    try:
        return str(headers.get_filename() or "")[:MAX_NAME]
    except (LookupError, ValueError):  # an unknown or a wrong character set
        return ""
