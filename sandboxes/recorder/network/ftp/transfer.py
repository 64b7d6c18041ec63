"""The contents that FTP carries: taken, looked at, kept for the client to find again, and given back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...events import Limit
from ..sight import Place, Sight
from .shelf import Entry, Shelf, Shelves
from .words import LineEnds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..sight import Scribe
    from .data import Data

REVIEW_BYTES = 4 << 30
"""Of files that came in several transfers, looked at whole once more at the end."""


class Files:
    """What lies on all FTP servers of an episode.

    Args:
        scribe: where to record.
    """

    def __init__(self, scribe: Scribe) -> None:
        self.scribe = scribe
        self.shelves = Shelves()
        self._composed: dict[int, tuple[Entry, Place]] = {}

    def compose(self, entry: Entry, place: Place) -> None:
        """A file came in several transfers: each was looked at by itself, so the whole is still to be."""
        self._composed[id(entry)] = entry, place

    def close(self) -> None:
        """Nothing more comes: look at the composed files whole, and forget all."""
        left = REVIEW_BYTES
        for entry, place in self._composed.values():
            left -= entry.size
            if left < 0 or entry.content is None:
                what = (
                    f"{str(place.target)[:200]!r} came in {entry.parts} transfers and could not be looked at as a whole"
                )
                self.scribe.record(Limit(where="network.ftp", what=what, flow=place.flow))
                continue
            sight = Sight(self.scribe, place)
            for data in entry.chunks():
                sight.feed(data)
            sight.close()
        self.shelves.close()


async def receive(files: Files, shelf: Shelf, path: str, offset: int | None, data: Data, *, text: bool) -> None:
    """Take a file into a shelf, from byte `offset` on (None: anew), and look at it.

    In text mode (which a client may well use for other files) the line ends of the transfer are undone, as a server
    does; the bytes are looked at before and after that.
    """
    kept = shelf.write(path, offset)
    place = data.flow.place("stream", path)
    ends = LineEnds() if text else None
    undone = data.flow.sight("stream", path, ("line ends",)) if text else None
    try:
        while True:
            piece = await data.stream.read()
            data.flow.sent(piece)
            plain = piece if ends is None else ends.feed(piece) if piece else ends.finish()
            if undone is not None:
                undone.feed(plain)
            if kept is not None:
                kept.write(plain)
            if not piece:
                break
    finally:
        if undone is not None:
            undone.close()
        if kept is not None and kept.entry.parts > 1:
            files.compose(kept.entry, place)


async def give(chunks: Iterable[bytes], data: Data, *, text: bool = False) -> None:
    """Send a file's content, or a listing."""
    for chunk in chunks:
        out = chunk.replace(b"\n", b"\r\n") if text else chunk
        await data.stream.write(out)
        data.flow.received(len(out))
        await asyncio.sleep(0)
