"""A look that finds marks in plain bytes: enough to see that the right bytes are fed to the right look."""

from __future__ import annotations

from afagent.sandboxes.recorder.marks import MARK_BYTES, Marker


class PlainLook:
    """Marks in the bytes as they stand; no decoding."""

    def __init__(self, marker: Marker) -> None:
        self.blocks: dict[int, set[int]] = {}
        self.layers: tuple[str, ...] = ()
        self.limits_hit: list[str] = []
        self._marker = marker
        self._tail = b""

    def feed(self, data: bytes) -> bool:
        window = self._tail + data
        new = False
        for mark in self._marker.find(window):
            known = self.blocks.setdefault(mark.shard, set())
            new = new or mark.block not in known
            known.add(mark.block)
        self._tail = window[-(MARK_BYTES - 1) :]
        return new

    open = False

    def pause(self) -> bool:
        return False

    def finish(self) -> None:
        pass
