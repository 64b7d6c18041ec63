"""One layer of what is looked at: finds marks in its bytes and opens what is encoded in them.

The rule that keeps this fast: bytes that are **explained** are not searched for encodings. Explained are plain weights
(marks no further apart than two blocks), and what an open decoder takes. A beginning that turns out to be none is
closed at its first error; a real one has to last for `PROOF_BYTES` before it explains anything.

What is not explained is also looked at for weights of which every byte was changed (`altered`).
"""

from __future__ import annotations

from typing import Protocol

from . import altered, keyed, spotting
from .keyed import Keyed, KeyedDecoder
from .runs import Run
from .streams import BrokenError, Decoder, MissingError

PROOF_BYTES = 256
"""What a compressed stream must have taken without error to be believed."""

_MAX_OPEN = 8
_MARK_TAIL = 43
_MARK_BYTES = 44
_CHAIN_BYTES = 2 * 4096
_HELD_BYTES = 384


class ExhaustedError(Exception):
    """The look's budget for decoded bytes or for time is spent."""


class Shared(altered.Shared, Protocol):
    """What all layers of one look have in common."""

    @property
    def max_depth(self) -> int:
        """Layers that may be undone."""

    def marks(self, data: bytes, layers: tuple[str, ...]) -> list[int]:
        """Note the marks in `data`; gives where they start."""

    def spend(self, decoded: int) -> None:
        """Account for decoded bytes.

        Raises:
            ExhaustedError: there were too many.
        """

    def limit(self, what: str) -> None:
        """Say what could not be looked into."""


class Node:
    """The bytes of one layer, as they stream."""

    __slots__ = (
        "_altered",
        "_held",
        "_judged",
        "_layers",
        "_look",
        "_open",
        "_run",
        "_since",
        "_started",
        "_tail",
        "alive",
    )

    def __init__(self, look: Shared, layers: tuple[str, ...] = ()) -> None:
        self._look = look
        self._layers = layers
        self._tail = b""
        self._held = b""
        """The last unexplained bytes; something may begin in them that is only seen with the next."""
        self._judged = 0
        self._since: int | None = None
        """Bytes since the last mark's end, while that is near enough."""
        self._open: list[_Opened] = []
        self._run: Run | None = None
        self._started = False
        self._altered = altered.Altered(look, layers)
        self.alive = False
        """Whether the last bytes fed held marks, or something that a deeper layer recognised."""

    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the layer."""
        if not self._started:
            self._started = True
            self._refuse(data)
        before = len(self._tail)
        seam = self._tail + data[:_MARK_TAIL]
        marks = [at - before for at in self._look.marks(seam, self._layers)] + self._look.marks(data, self._layers)
        self._tail = data[-_MARK_TAIL:] if len(data) >= _MARK_TAIL else seam[-_MARK_TAIL:]
        self.alive = bool(marks)
        explained = self._continue(data)
        if explained:
            self._held, self._judged, self._since = b"", 0, None
        if explained < len(data) and not self._is_plain(data, explained, marks):
            self._search(data[explained:])
            self.alive = self._altered.feed(data[max(explained, *marks) if marks else explained :]) or self.alive

    def glance(self, data: bytes) -> None:
        """Look at bytes that nothing follows, for marks only."""
        self.alive = bool(self._look.marks(data, self._layers))

    def finish(self) -> None:
        """No more bytes come."""
        held, self._since = self._held, None
        self._held = b""
        if held and not self._open and not self._run:
            self._search(held)
        for opened in self._open:
            opened.node.finish()
        self._open.clear()
        if self._run:
            self._run.finish()
            self._run = None
        self.alive = self._altered.finish() or self.alive

    def _refuse(self, data: bytes) -> None:
        for magic, what in spotting.CLOSED.items():
            if data.startswith(magic):
                self._look.limit(what)

    def _is_plain(self, data: bytes, start: int, marks: list[int]) -> bool:
        """Whether plain weights go on through `data`; if so, what follows their last mark is held."""
        last = None if self._since is None or self._open or self._run else -self._since
        chained = last is not None
        for at in marks:
            chained = chained and last is not None and at - last < _CHAIN_BYTES
            last = at + _MARK_BYTES if at >= start else last
        self._since = len(data) - last if last is not None and len(data) - last < _CHAIN_BYTES else None
        if not chained or last is None or self._since is None:
            return False
        self._held = (self._held + data)[-self._since :] if self._since else b""
        self._judged = 0
        return True

    def _continue(self, data: bytes) -> int:
        """Feed what is open; gives where the unexplained bytes begin."""
        explained = 0
        for opened in list(self._open):
            left = self._take(opened, data)
            if opened.proven:
                explained = max(explained, len(data) - left)
        if self._run is not None and not explained:
            explained = len(data) - self._take_text(self._run, data)
        return explained

    def _search(self, data: bytes) -> None:
        """Open what begins in the held bytes and `data`."""
        buffer = self._held + data
        judged = self._judged
        spans: list[tuple[int, int]] = []
        if spotting.has_text(buffer):
            spans = self._search_text(buffer)
            if not spans and spotting.is_text(buffer):
                # Compressed streams begin in text only at its very end.
                judged = max(judged, len(buffer) - _HELD_BYTES)
        start = 0
        if spans != [(0, len(buffer))]:
            start = self._search_streams(buffer, judged, spans)
        start = max([start, *(end for _, end in spans)])
        keep = max(start, len(buffer) - _HELD_BYTES)
        self._held = buffer[keep:]
        self._judged = max(0, len(buffer) - spotting.LOOKAHEAD + 1 - keep)

    # --- compressed streams ---

    def _search_streams(self, buffer: bytes, start: int, spans: list[tuple[int, int]]) -> int:
        """Gives where the bytes that an opened stream explains end, or 0."""
        explained = 0
        kinds = spotting.find_streams(buffer, start, len(buffer) - spotting.LOOKAHEAD + 1)
        below: list[tuple[int, type[Decoder] | Keyed]] = [*kinds, *keyed.find_keyed(buffer)]
        for at, kind in sorted(below, key=lambda found: found[0]):
            if at < explained or any(a <= at < b for a, b in spans):
                continue
            if len(self._layers) >= self._look.max_depth:
                if kind.NAME != "zlib":
                    self._look.limit(f"nested deeper than {self._look.max_depth}: {kind.NAME}")
                continue
            opened = self._open_stream(kind)
            if opened is not None:
                left = self._take(opened, buffer[at:])
                if opened.proven:
                    explained = len(buffer) - left
        return explained

    def _open_stream(self, kind: type[Decoder] | Keyed) -> _Opened | None:
        if len(self._open) >= _MAX_OPEN:
            self._look.limit("more streams at once than can be followed")
            return None
        try:
            opened = _Opened(kind(), Node(self._look, (*self._layers, kind.NAME)))
        except MissingError as problem:
            self._look.limit(f"no decoder for {problem}")
            return None
        self._open.append(opened)
        return opened

    def _take(self, opened: _Opened, data: bytes) -> int:
        """Feed an open stream; gives how many bytes it left over."""
        try:
            for piece in opened.decoder.feed(data):
                self._look.spend(len(piece))
                opened.node.feed(piece)
                self.alive = self.alive or opened.node.alive
        except Exception as problem:  # a decoder's own fault must not stop the look either; it is said
            if not isinstance(problem, BrokenError):
                self._look.limit(f"{opened.decoder.NAME}: {problem}")
            elif opened.taken >= PROOF_BYTES:
                self._look.limit(f"{opened.decoder.NAME}: broken off")
            opened.proven = False
            self._close(opened)
            return len(data)
        left = min(len(opened.decoder.rest), len(data)) if opened.decoder.ended else 0
        opened.taken += len(data) - left
        opened.proven = opened.decoder.ended or opened.taken >= PROOF_BYTES
        if opened.decoder.ended:
            self._close(opened)
        return left

    def _close(self, opened: _Opened) -> None:
        self._open.remove(opened)
        opened.node.finish()

    # --- text ---

    def _search_text(self, buffer: bytes) -> list[tuple[int, int]]:
        """Open the runs in the buffer one after another; gives the spans that they explain."""
        spans = []
        start = 0
        finder = spotting.TextFinder(buffer)
        while self._run is None and start < len(buffer) and (found := finder.find(start)):
            at, kind = found
            if len(self._layers) >= self._look.max_depth:
                self._look.limit(f"nested deeper than {self._look.max_depth}: {kind.name}")
                break
            layers = (*self._layers, kind.name)
            self._run = Run(kind, lambda layers=layers: Node(self._look, layers))  # type: ignore[misc]  # bound now
            start = len(buffer) - self._take_text(self._run, buffer[at:])
            start = max(start, at + 1)
            spans.append((at, start))
        return spans

    def _take_text(self, run: Run, data: bytes) -> int:
        """Feed the open run; gives how many bytes it left over."""
        try:
            left = run.feed(data, self._look.spend)
        except ExhaustedError as problem:
            self._look.limit(f"{run.kind.name}: {problem}")
            left, run.ended = 0, True
        self.alive = self.alive or run.alive
        if run.ended:
            run.finish()
            self._run = None
        return left


class _Opened:
    """A compressed stream that is being decoded."""

    __slots__ = ("decoder", "node", "proven", "taken")

    def __init__(self, decoder: Decoder | KeyedDecoder, node: Node) -> None:
        self.decoder = decoder
        self.node = node
        self.taken = 0
        self.proven = False
