"""One layer of what is looked at: finds marks in its bytes and opens what is encoded in them.

The rule that keeps this fast: bytes that are **explained** are not searched for encodings. Explained are plain weights
(marks no further apart than two blocks), and what an open decoder takes. A beginning that turns out to be none is
closed at its first error; a real one has to last (see `opened`) before it explains anything.

What is not explained is also looked at for weights of which every byte was changed (`altered`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from . import altered, escapes, spotting
from .bare import Bare, find_bare
from .finding import TextFinder
from .keyed import Keyed, find_keyed
from .opened import Opened
from .runs import Run
from .streams import Decoder, MissingError
from .texts import Kind
from .widened import find as find_widened

_MAX_OPEN = 8
_MARK_TAIL = 43
_MARK_BYTES = 44
_CHAIN_BYTES = 2 * 4096
_HELD_BYTES = 384


class ExhaustedError(Exception):
    """The look's budget for decoded bytes or for time is spent."""


Tap = Callable[[bytes], bool]
"""Takes bytes of one layer; True when it recognised something in them."""


class Shared(altered.Shared, Protocol):
    """What all layers of one look have in common."""

    @property
    def max_depth(self) -> int:
        """Layers that may be undone."""

    def marks(self, data: bytes, layers: tuple[str, ...]) -> list[int]:
        """Note the marks in `data`; gives where they start."""

    def tap(self, layers: tuple[str, ...]) -> Tap | None:
        """What also takes the bytes of a new layer, if anything."""

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
        "_interrupted",
        "_judged",
        "_layers",
        "_look",
        "_open",
        "_run",
        "_since",
        "_started",
        "_tail",
        "_tap",
        "alive",
    )

    def __init__(self, look: Shared, layers: tuple[str, ...] = ()) -> None:
        self._look = look
        self._layers = layers
        self._tap = look.tap(layers)
        self._tail = b""
        self._held = b""
        """The last unexplained bytes; something may begin in them that is only seen with the next."""
        self._judged = 0
        self._since: int | None = None
        """Bytes since the last mark's end, while that is near enough."""
        self._open: list[Opened] = []
        self._run: Run | None = None
        self._interrupted: Run | None = None
        """A text that ended within something, which may go on where text of its kind comes again."""
        self._started = False
        self._altered = altered.Altered(look, layers)
        self.alive = False
        """Whether the last bytes fed held marks, or something that a deeper layer recognised."""

    @property
    def open(self) -> bool:
        """Whether something has begun and not ended."""
        return bool(self._open) or self._run is not None or self._interrupted is not None

    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the layer."""
        if not self._started:
            self._started = True
            self._refuse(data)
        before = len(self._tail)
        seam = self._tail + data[:_MARK_TAIL]
        marks = [at - before for at in self._look.marks(seam, self._layers)] + self._look.marks(data, self._layers)
        self._tail = data[-_MARK_TAIL:] if len(data) >= _MARK_TAIL else seam[-_MARK_TAIL:]
        self.alive = bool(marks) or (self._tap is not None and self._tap(data))
        if not self._open and not (self._run and self._run.open) and spotting.repeats(data):
            self._pass_over()
            return
        explained = self._continue(data)
        if explained:
            self._held, self._judged, self._since = b"", 0, None
        if explained < len(data) and not self._is_plain(data, explained, marks):
            self._search(data[explained:])
            self.alive = self._altered.feed(data[max(explained, *marks) if marks else explained :]) or self.alive

    def _pass_over(self) -> None:
        """The last bytes fed hold nothing, and what came before does not go on behind them."""
        self._held, self._judged, self._since = b"", 0, None
        self._end_run()
        self._altered.finish()

    def glance(self, data: bytes) -> bool:
        """Look at few bytes for marks only. True where a compressed stream begins with them: it is to be fed."""
        self.alive = bool(self._look.marks(data, self._layers))
        return bool(spotting.streams_at(data[: spotting.LOOKAHEAD]))

    def finish(self) -> None:
        """No more bytes come."""
        held, self._since = self._held, None
        self._held = b""
        if held and not self._open and not self._run:
            self._search(held)
            held = self._held
        for opened in self._open:
            opened.finish(self._look)
        self._open.clear()
        self._end_run()
        self._give_up(held)
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
        since = self._since
        self._held = b"" if not since else data[-since:] if since <= len(data) else (self._held + data)[-since:]
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
            if self._is_doubtful():
                return 0
        return explained

    def _search(self, data: bytes) -> None:
        """Open what begins in the held bytes and `data`."""
        buffer = self._held + data
        judged = self._judged
        spans: list[tuple[int, int]] = []
        if self._run is None and (widened := find_widened(buffer)) is not None:
            spans = self._follow(buffer, *widened)
            if self._is_doubtful():
                spans = []
        elif spotting.has_text(buffer) or escapes.may_stand_in_binary(buffer):
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
        end = len(buffer) - spotting.LOOKAHEAD + 1
        for at, kind in spotting.find_streams(buffer, start, end):
            if at >= explained and not any(a <= at < b for a, b in spans):
                explained = max(explained, self._try(kind, buffer, at))
        for at, guess in self._guesses(buffer, start, end):
            if at >= explained and not any(a <= at < b for a, b in spans):
                explained = max(explained, self._try(guess, buffer, at, guessed=True))
        return explained

    def _guesses(self, buffer: bytes, start: int, end: int) -> Iterator[tuple[int, type[Decoder] | Bare | Keyed]]:
        """What may begin where without a mark of its format that can be seen."""
        for at in spotting.find_beginnings(buffer, start, end):
            for kind in find_bare(buffer[at : at + spotting.LOOKAHEAD]):
                yield at, kind
        if not any(opened.doubtful for opened in self._open):
            yield from find_keyed(buffer, begins=start == 0)

    def _try(self, kind: type[Decoder] | Bare | Keyed, buffer: bytes, at: int, *, guessed: bool = False) -> int:
        """Open what begins at `at`; gives where the bytes that it explains end, or 0."""
        if len(self._layers) >= self._look.max_depth:
            if not guessed and kind.NAME != "zlib":
                self._look.limit(f"nested deeper than {self._look.max_depth}: {kind.NAME}")
            return 0
        opened = self._open_stream(kind, guessed=guessed)
        if opened is None:
            return 0
        left = self._take(opened, buffer[at:])
        return len(buffer) - left if opened.proven else 0

    def _open_stream(self, kind: type[Decoder] | Bare | Keyed, *, guessed: bool) -> Opened | None:
        if len(self._open) >= _MAX_OPEN:
            self._look.limit("more streams at once than can be followed")
            return None
        try:
            node = Node(self._look, (*self._layers, kind.NAME))
            weak = isinstance(kind, Keyed) and kind.weak
            opened = Opened(kind(), node, guessed=guessed, weak=weak)
        except MissingError as problem:
            if not guessed:
                self._look.limit(f"no decoder for {problem}")
            return None
        self._open.append(opened)
        return opened

    def _take(self, opened: Opened, data: bytes) -> int:
        """Feed an open stream; gives how many bytes it left over."""
        left = opened.take(data, self._look)
        self.alive = self.alive or opened.node.alive
        if opened.over:
            self._open.remove(opened)
        return left

    # --- text ---

    def _is_doubtful(self) -> bool:
        return self._run is not None and self._run.doubtful

    def _search_text(self, buffer: bytes) -> list[tuple[int, int]]:
        """Open the runs in the buffer one after another; gives the spans that they explain."""
        spans: list[tuple[int, int]] = []
        start = 0
        finder = TextFinder(buffer)
        if self._run is not None:
            # What it may well not be goes on beside it only while nothing better is found.
            if (found := finder.find(0, weak=False)) is None:
                return []
            self._end_run()
            spans += self._follow(buffer, *found)
            start = max([1, *(end for _, end in spans)])
        while self._run is None and start < len(buffer) and (found := finder.find(start)):
            taken = self._follow(buffer, *found)
            if not taken:
                break
            spans += taken
            start = taken[0][1]
        return spans

    def _follow(self, buffer: bytes, at: int, kind: Kind) -> list[tuple[int, int]]:
        """Open the run that begins at `at`; gives the span that it explains, or nothing where it cannot be opened."""
        if len(self._layers) >= self._look.max_depth:
            self._look.limit(f"nested deeper than {self._look.max_depth}: {kind.name}")
            return []
        left = self._go_on(kind, buffer[at:])
        if left is None:
            layers = (*self._layers, kind.name)
            self._run = Run(kind, lambda: Node(self._look, layers))
            left = self._take_text(self._run, buffer[at:])
        return [(at, max(len(buffer) - left, at + 1))]

    def _go_on(self, kind: Kind, data: bytes) -> int | None:
        """Feed text to the run that was interrupted; gives how many bytes it left over, None if it broke off."""
        run = self._interrupted
        if run is None or run.kind.name != kind.name:
            return None
        self._run, self._interrupted = run, None
        left = self._take_text(run, data)
        if run.open or run.alive:
            return left
        self._end_run()
        return None

    def _take_text(self, run: Run, data: bytes) -> int:
        """Feed the open run; gives how many bytes it left over."""
        try:
            left = run.feed(data, self._look.spend)
        except Exception as problem:  # the budget is spent, or a decoder has a fault; it is said
            self._look.limit(f"{run.kind.name}: {problem}")
            left, run.ended = 0, True
        self.alive = self.alive or run.alive
        if run.ended:
            self._end_run()
        return left

    def _end_run(self) -> None:
        run, self._run = self._run, None
        if run is not None and run.open:
            self._give_up()
            run.interrupt()
            self._interrupted = run
        elif run is not None:
            run.finish()

    def _give_up(self, held: bytes = b"") -> None:
        """The text that was interrupted does not go on; what is held stands behind it."""
        if self._interrupted is not None:
            self._interrupted.finish(held)
            self._interrupted = None
