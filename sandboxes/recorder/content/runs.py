"""A run of text that is being decoded, at every alignment until one proves right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .texts import Grouped, Kind, Lines, TextDecoder

_DOUBT_BYTES = 1 << 14
"""When this much at once shows nothing at the alignment that had proved right, the others are tried again."""


_SMALL_TEXT = 1024
"""In a shorter text marks are looked for, but no further layers, unless it begins with one: tokens and identifiers come
by the thousand."""


class Sink(Protocol):
    """Where decoded bytes go."""

    alive: bool

    @property
    def open(self) -> bool:
        """Whether something has begun in them and not ended."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""

    def glance(self, data: bytes) -> bool:
        """Look at few bytes for marks only. True where a further layer begins with them: they are to be fed then."""

    def finish(self) -> None:
        """No more bytes come."""


class Run:
    """Feeds a run's text to one decoder for each alignment.

    Args:
        kind: what the run is written in.
        sink: makes a place for the decoded bytes of one alignment.
    """

    def __init__(self, kind: Kind, sink: Callable[[], Sink]) -> None:
        self.kind = kind
        self.ended = False
        self.alive = False
        """Whether the last bytes fed held something that was recognised."""
        self._sink = sink
        self._taker = kind.taker()
        self._tried: list[tuple[TextDecoder, Sink]] = []
        self._settled = False
        self._name = b""
        """At the end of the text before it was interrupted: of its alphabet, but none of it if it goes on."""

    def feed(self, data: bytes, spend: Callable[[int], None]) -> int:
        """Decode as far as the run goes; gives how many bytes of `data` follow it. `spend` may raise to stop it."""
        self._name = b""
        text, rest = self._taker.take(data)
        self.ended = self._taker.ended
        if not self._tried:
            self._tried = self._all()
            if self.ended and len(text) < _SMALL_TEXT:
                self._glance(text)
                return min(len(rest), len(data))
        before = self._tried
        decoded = self._decode(before, text, spend)
        if self._settled and not self.alive and decoded >= _DOUBT_BYTES:
            others = self._all()
            self._decode(others, text, spend)
            self._tried = before + others
            self._settled = False
        if self.alive:
            kept = [(decoder, sink) for decoder, sink in self._tried if sink.alive]
            for _, sink in (pair for pair in self._tried if pair not in kept):
                sink.finish()
            self._tried, self._settled = kept, True
        return min(len(rest), len(data))

    @property
    def doubtful(self) -> bool:
        """Whether it may well be something else: of a weak kind, with nothing in it so far."""
        return self.kind.weak and not self._settled and not self.open

    @property
    def open(self) -> bool:
        """Whether something has begun in what was decoded and not ended."""
        return any(sink.open for _, sink in self._tried)

    def interrupt(self) -> None:
        """The text breaks off, and may go on behind other things."""
        self._take(self._taker.finish())
        self._name = self._taker.name if isinstance(self._taker, Lines) else b""
        self._end_groups()
        self._taker, self.ended = self.kind.taker(), False

    def finish(self, behind: bytes = b"") -> None:
        """No more text comes.

        Args:
            behind: of a text that was interrupted, what stands behind it: the last part may be too short to be found.
        """
        last = self._taker.last_word(behind) if isinstance(self._taker, Lines) else b""
        self._take(last or self._name + self._last())
        self._end_groups()
        for _, sink in self._tried:
            sink.finish()
        self._tried = []

    def _last(self) -> bytes:
        last = self._taker.finish()
        return last + self._taker.name if isinstance(self._taker, Lines) else last

    def _take(self, text: bytes) -> None:
        for decoder, sink in self._tried:
            if text and (out := decoder.feed(text)):
                sink.feed(out)

    def _end_groups(self) -> None:
        for decoder, sink in self._tried:
            if isinstance(decoder, Grouped) and (out := decoder.end_group()):
                sink.feed(out)

    def _glance(self, text: bytes) -> None:
        """Look at a short text that has ended; only what begins a further layer goes on."""
        whole = text + self._last()
        begun = [sink.glance(decoder.feed(whole)) for decoder, sink in self._tried]
        self._tried = [pair for pair, goes_on in zip(self._all(), begun, strict=True) if goes_on]
        self._take(text)

    def _all(self) -> list[tuple[TextDecoder, Sink]]:
        return [(decoder, self._sink()) for decoder in self.kind.decoders()]

    def _decode(self, tried: list[tuple[TextDecoder, Sink]], text: bytes, spend: Callable[[int], None]) -> int:
        decoded = 0
        self.alive = False
        for decoder, sink in tried:
            sink.alive = False
            out = decoder.feed(text)
            if out:
                spend(len(out))
                sink.feed(out)
                decoded += len(out)
                self.alive = self.alive or sink.alive
        return decoded
