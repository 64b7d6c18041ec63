"""The datagrams of each place, held to be compared at the end: what lies between their headers is looked at alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..events import Limit
from .frames import layout_of, payloads
from .pieces import words_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .flow import Flow
    from .pieces import Pieces
    from .sight import Scribe

MAX_HELD_BYTES = 48 << 20
"""Of all flows' datagrams; what comes later is looked at as it arrives only."""

_DATAGRAM_BYTES = 50
"""That a datagram takes beside its bytes."""

_FEED_BYTES = 1 << 16


class HeldDatagrams:
    """Holds datagrams, and looks at what they carry once their flow ends.

    Args:
        scribe: where to record.
        pieces: where the words of texts are put together.
    """

    def __init__(self, scribe: Scribe, pieces: Pieces) -> None:
        self._scribe = scribe
        self._pieces = pieces
        self._held: dict[Flow, list[bytes]] = {}
        self._size = 0
        self._is_told = False

    def add(self, flow: Flow, datagram: bytes) -> None:
        """Take one datagram of a flow."""
        if not flow.scanned or not datagram:
            return
        words = words_in(datagram)
        if words != [datagram]:
            self._pieces.add(f"{flow.end.address} port {flow.end.port}", words, flow.place("datagrams"))
        self._size += len(datagram) + _DATAGRAM_BYTES
        if self._size <= MAX_HELD_BYTES:
            self._held.setdefault(flow, []).append(datagram)
            return
        self._size -= len(datagram) + _DATAGRAM_BYTES
        if not self._is_told:
            self._is_told = True
            what = f"over {MAX_HELD_BYTES} bytes came in datagrams: later ones are looked at as they came only"
            self._scribe.record(Limit(where="network.datagrams", what=what, flow=flow.number))

    def close(self, flow: Flow) -> None:
        """A flow ends: look at what its datagrams carry, and forget them."""
        datagrams = self._held.pop(flow, [])
        self._size -= sum(len(datagram) + _DATAGRAM_BYTES for datagram in datagrams)
        layout = layout_of(datagrams)
        if layout is None:
            return
        for read in payloads(datagrams, layout):
            sight = flow.sight("datagrams", undone=("datagrams' headers",))
            for data in _joined(read()):
                sight.feed(data)
            sight.close()

    def close_all(self) -> None:
        """Every flow ends."""
        for flow in list(self._held):
            self.close(flow)


def _joined(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer parts."""
    held = bytearray()
    for part in parts:
        held += part
        if len(held) >= _FEED_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)
