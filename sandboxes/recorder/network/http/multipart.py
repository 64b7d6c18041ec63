"""A body of several parts (`multipart/*`), taken apart as it streams."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .packed import FRAMING, Packed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MAX_HEADERS = 16384
"""Bytes of a part's headers; with more, what follows is taken as it stands."""

_NAME = re.compile(rb'(?:file)?name\*?=(?:"([^"\r\n]{1,512})"|([^\s;"]{1,512}))', re.IGNORECASE)
_FILE_NAME = re.compile(rb'filename\*?=(?:"([^"\r\n]{1,512})"|([^\s;"]{1,512}))', re.IGNORECASE)


class Multipart:
    """See `carriers.Carrier`.

    Args:
        boundary: what stands between the parts, without the dashes before it.
    """

    def __init__(self, boundary: bytes) -> None:
        self._delimiter = b"\r\n--" + boundary
        self._held = b"\r\n"  # the first delimiter may stand at the very start
        self._invented = 2
        """Bytes of `_held` that are not the client's."""
        self._part = FRAMING
        self._parts = 0
        self._name = ""
        self._in_headers = False
        self._over = False

    def feed(self, data: bytes) -> Iterator[Packed]:
        """See `carriers.Carrier`."""
        self._held += data
        while not self._over:
            if self._in_headers:
                if not (yield from self._take_headers()):
                    return
            else:
                at = self._held.find(self._delimiter)
                if at < 0:
                    keep = len(self._delimiter) - 1
                    yield from self._give(len(self._held) - keep)
                    return
                yield from self._give(at)
                self._part, self._name, self._in_headers = FRAMING, "", True
        yield from self._give(len(self._held))

    def finish(self) -> Iterator[Packed]:
        """See `carriers.Carrier`."""
        yield from self._give(len(self._held))

    def _take_headers(self) -> Generator[Packed, None, bool]:
        """The delimiter and the headers behind it, once they are whole; its result says whether they were."""
        end = self._held.find(b"\r\n\r\n", len(self._delimiter))
        rest = self._held[len(self._delimiter) : len(self._delimiter) + 2]
        if rest == b"--" or (end < 0 and len(self._held) > MAX_HEADERS):
            self._over = True
            return True
        if end < 0:
            return False
        self._name = _name_in(self._held[:end])
        yield from self._give(end + 4)
        self._parts += 1
        self._part, self._in_headers = self._parts, False
        return True

    def _give(self, size: int) -> Iterator[Packed]:
        data = self._held[self._invented : max(size, 0)]
        if size > 0:
            self._held = self._held[size:]
            self._invented = max(self._invented - size, 0)
        if data:
            yield Packed(data, self._part, self._name)


def _name_in(headers: bytes) -> str:
    found = _FILE_NAME.search(headers) or _NAME.search(headers)
    return (found[1] or found[2]).decode("utf-8", "replace") if found else ""
