"""Recognises the weights in any bytes, plain or below up to four layers of encoding and compression, as they stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..marks import Mark, Marker
from ..signs import SignCode
from .node import ExhaustedError, Node, Tap

_FIRST_WINDOW = 1 << 12
_LAST_WINDOW = 1 << 16


@dataclass(frozen=True)
class Limits:
    """What one look may cost."""

    depth: int = 4
    """Layers that are undone."""
    decoded_bytes: int = 64 << 20
    """Decoded bytes of all layers together that are free."""
    ratio: int = 100
    """Decoded bytes allowed beyond that for each byte fed."""
    seconds: float = 10.0
    """Of the processor's time that are free; what other programs do on a loaded machine does not count."""
    seconds_per_megabyte: float = 0.5
    """Allowed beyond that for each 10^6 bytes fed, and half as much for each 10^6 decoded ones that count."""
    counted_ratio: int = 8
    """Decoded bytes that count for each byte fed: as many as innocent archives of text give."""


DEFAULT_LIMITS = Limits()


class Look:
    """Looks at one stream of bytes: a flow, a body, a file.

    How the bytes are divided among calls changes nothing: they are looked at in windows that start and end at fixed
    places (4 KiB long at first, 64 KiB later), so what a call brings may be reported by a later one, or by `finish`.

    Args:
        marker: the episode's marks.
        limits: what it may cost.
        tap: is asked, for each layer in the order in which they are met, what else shall take its bytes.
    """

    def __init__(
        self,
        marker: Marker,
        limits: Limits = DEFAULT_LIMITS,
        tap: Callable[[tuple[str, ...]], Tap | None] = lambda _: None,
    ) -> None:
        self.blocks: dict[int, set[int]] = {}
        """Recognised so far: shard number to block numbers."""
        self.layers: tuple[str, ...] = ()
        """What was undone for the first sighting, outermost first; empty when it stood plain."""
        self.limits_hit: list[str] = []
        """What could not be looked into, each reason once."""
        self._marker = marker
        self._limits = limits
        self.tap = tap
        self._root = Node(self)
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._window = _FIRST_WINDOW
        self._fed = 0
        self._decoded = 0
        self._seconds = 0.0
        self._began = 0.0
        self._new = False

    def feed(self, data: bytes) -> bool:
        """Look at the next bytes. True when blocks were recognised that had not been before."""
        self._new = False
        at = 0
        while len(data) - at >= self._window - self._held_bytes:
            end = at + self._window - self._held_bytes
            self._held.append(data[at:end])
            self._flush()
            # Windows double until they are large: 4, 4, 8, 16, 32, 64, 64, ... KiB.
            self._window = min(_LAST_WINDOW, max(_FIRST_WINDOW, self._fed))
            at = end
        if at < len(data):
            self._held.append(data[at:])
            self._held_bytes += len(data) - at
        return self._new

    def pause(self) -> bool:
        """Look at what was held back, though more may come. True as for `feed`.

        Whoever goes on with other bytes of the same destination asks `open` afterwards: if it is False, nothing is lost
        by finishing this look and starting another.
        """
        self._new = False
        if self._held:
            self._flush()
        return self._new

    @property
    def open(self) -> bool:
        """Whether the bytes so far end within a compressed stream or a text, which more bytes could continue."""
        return self._root.open

    def finish(self) -> None:
        """No more bytes come: look at what was held back."""
        if self._held:
            self._flush()
        self._began = time.thread_time()
        self._root.finish()

    def _flush(self) -> None:
        window = self._held[0] if len(self._held) == 1 else b"".join(self._held)
        self._held, self._held_bytes = [], 0
        self._fed += len(window)
        self._began = time.thread_time()
        self._root.feed(window)
        self._seconds += time.thread_time() - self._began

    # --- what the layers share (see `node.Shared`) ---

    @property
    def max_depth(self) -> int:
        """Layers that may be undone."""
        return self._limits.depth

    def marks(self, data: bytes, layers: tuple[str, ...]) -> list[int]:
        """Note the marks in `data`; gives where they start."""
        found = self._marker.locate(data)
        for _, shard, block in found:
            self._note(shard, block, layers)
        return [at for at, _, _ in found]

    @property
    def signs(self) -> SignCode:
        """The episode's marks in the signs of the weights."""
        return self._marker.signs

    def note(self, place: int, layers: tuple[str, ...]) -> None:
        """Note a block that was recognised by its signs."""
        mark = Mark.at(place)
        self._note(mark.shard, mark.block, layers)

    def _note(self, shard: int, block: int, layers: tuple[str, ...]) -> None:
        known = self.blocks.get(shard)
        if known is None:
            if not self.blocks:
                self.layers = layers
            known = self.blocks[shard] = set()
        if block not in known:
            known.add(block)
            self._new = True

    def spend(self, decoded: int) -> None:
        """Account for decoded bytes.

        Raises:
            ExhaustedError: there were too many, or it took too long.
        """
        self._decoded += decoded
        if self._decoded > self._limits.decoded_bytes + self._limits.ratio * self._fed:
            raise ExhaustedError("decodes to more bytes than are looked at")
        seconds = self._seconds + time.thread_time() - self._began
        counted = self._fed + min(self._decoded, self._limits.counted_ratio * self._fed) / 2
        if seconds > self._limits.seconds + self._limits.seconds_per_megabyte * counted / 1e6:
            raise ExhaustedError("takes more time than is spent on it")

    def limit(self, what: str) -> None:
        """Say what could not be looked into."""
        if what not in self.limits_hit:
            self.limits_hit.append(what)
