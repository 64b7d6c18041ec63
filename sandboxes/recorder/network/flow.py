"""Every connection and exchange of datagrams: numbered, counted, looked at, recorded at its start and end."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..events import Closed, Limit, Opened
from .budget import Budget
from .payload import Payload
from .pieces import Pieces
from .sight import Place, Scribe, Sight
from .tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SCANNED = 2048
"""Flows open at once whose bytes are looked at; one more is accepted and counted only, unless an idle one gives way."""

IDLE_SECONDS = 20.0
"""A flow that has sent nothing for so long gives way to a new one when `MAX_SCANNED` are open."""

QUIET_BYTES = 4096
"""In a flood, flows that sent at most this are summed up; larger ones are still recorded, up to twice the budget."""


@dataclass(frozen=True)
class End:
    """One flow's other side: where the workstation wanted to go."""

    transport: str
    """`tcp`, `udp`, `icmp` or `udplite`."""
    address: str
    port: int
    name: str | None
    """The name that was looked up to get the address, if any."""


class Flow:
    """One connection, or one exchange of datagrams with an address and port. Made by `Flows.open`."""

    def __init__(self, number: int, end: End, flows: Flows, *, part: str, scanned: bool) -> None:
        self.number = number
        self.end = end
        self.scanned = scanned
        """False when too many flows are open: bytes are counted and not looked at."""
        self.protocol = "raw"
        """As in `events.Closed`; set by whoever recognises it."""
        self.name = end.name
        """The name looked up or, without one, the name that the client gave; set by whoever learns it."""
        self.target: str | None = None
        """What its bytes are, such as the name of the file that it carries, where that is known before they come."""
        self.hang_up: Callable[[], None] | None = None
        """Ends the connection from our side; set by whoever holds it."""
        self.closed = False
        self._flows = flows
        self._part = part
        self._payload: Payload | None = None
        self._tally = Tally()
        self._received = 0
        self.announced = False

    def count(self, data: bytes) -> None:
        """Count bytes that the workstation sent, without looking at them (they are looked at elsewhere)."""
        self._tally.add(data)
        self._flows.touch(self)

    def look(self, data: bytes) -> None:
        """Look at bytes that the workstation sent and that were counted already."""
        if not (data and self.scanned):  # nothing of it is held, not even to be put together with others
            return
        if self._payload is None:
            self._payload = Payload(self.sight(self._part, self.target), self._flows.pieces, self.end.address)
        self._payload.feed(data)

    def sent(self, data: bytes) -> None:
        """Count and look at bytes that the workstation sent."""
        self.count(data)
        self.look(data)

    def received(self, size: int) -> None:
        """Count bytes that the workstation was given."""
        self._received += size

    def sight(self, part: str, target: str | None = None, undone: tuple[str, ...] = ()) -> Sight:
        """A new sight at a part of this flow; the caller feeds and closes it. `undone` as in `Sight`."""
        return Sight(self._flows.scribe, self.place(part, target), undone, blind=not self.scanned)

    def place(self, part: str, target: str | None = None) -> Place:
        """Where bytes of this flow are."""
        return Place(self.number, part, self.end.address, self.end.port, self.name, target)

    @property
    def sent_bytes(self) -> int:
        """Payload bytes that the workstation sent so far."""
        return self._tally.bytes

    def close(self) -> None:
        """Record the totals. May be called twice."""
        if self.closed:
            return
        self.closed = True
        self._flows.forget(self)
        if self._payload is not None:
            self._payload.close()
        if not self.announced:
            return
        self._flows.scribe.record(
            Closed(
                flow=self.number,
                transport=self.end.transport,
                address=self.end.address,
                port=self.end.port,
                name=self.name,
                protocol=self.protocol,
                sent=self._tally.bytes,
                received=self._received,
                sha256=self._tally.sha256,
                entropy=self._tally.entropy,
            )
        )


class Flows:
    """All flows of an episode.

    Args:
        scribe: where to record.
        max_scanned: see `MAX_SCANNED`.
        budget: flows recorded one by one; None for the usual number.
    """

    def __init__(self, scribe: Scribe, max_scanned: int = MAX_SCANNED, budget: int | None = None) -> None:
        self.scribe = scribe
        self.pieces = Pieces(scribe)
        """Short flows, put together by address."""
        self.total = 0
        """Flows seen so far."""
        self._scanned: OrderedDict[Flow, float] = OrderedDict()
        """Open flows that are looked at, with the time when each last sent, the longest idle first."""
        self._unscanned: set[Flow] = set()
        self._max_scanned = max_scanned
        self._budget = Budget(scribe.record, "flows", budget)
        self._large = Budget(scribe.record, "large-flows", budget)
        self._blind = Budget(scribe.record, "unscanned-flows", facts=10)
        self._evicted = Budget(scribe.record, "evicted-flows", facts=10)

    @property
    def open_now(self) -> int:
        """Flows open now."""
        return len(self._scanned) + len(self._unscanned)

    def open(self, transport: str, address: str, port: int, name: str | None, part: str = "stream") -> Flow:
        """A new flow.

        Args:
            transport: `tcp`, `udp`, `icmp` or `udplite`.
            address: where the workstation wanted to go.
            port: of that address; 0 where there are none.
            name: the name that was looked up to get the address, if any.
            part: what its bytes are called in `events.Content`.
        """
        scanned = self._make_room()
        flow = Flow(self.number(), End(transport, address, port, name), self, part=part, scanned=scanned)
        if self._budget.take(_about(flow)):
            self._announce(flow)
        if scanned:
            self._scanned[flow] = self.scribe.clock()
            return flow
        self._unscanned.add(flow)
        if self._blind.take(_about(flow)):
            what = f"over {self._max_scanned} connections were open: this one is counted and not looked at"
            self.scribe.record(Limit(where="network.flows", what=what, flow=flow.number))
        return flow

    def number(self) -> int:
        """A number for one more flow, as for a connection from our side, which `open` knows nothing of."""
        self.total += 1
        return self.total

    def touch(self, flow: Flow) -> None:
        """A flow has sent something; in a flood, it is recorded if it has sent much."""
        if flow in self._scanned:
            self._scanned[flow] = self.scribe.clock()
            self._scanned.move_to_end(flow)
        if not (flow.announced or flow.closed) and flow.sent_bytes > QUIET_BYTES and self._large.take(_about(flow)):
            self._announce(flow)

    def forget(self, flow: Flow) -> None:
        """A flow has ended."""
        self._scanned.pop(flow, None)
        self._unscanned.discard(flow)

    def close_all(self) -> None:
        """End every flow and record its totals, and what was only counted."""
        for flow in [*self._scanned, *self._unscanned]:
            _hang_up(flow)
            flow.close()
        self.pieces.close()
        for budget in (self._budget, self._large, self._blind, self._evicted):
            budget.flush()

    def _announce(self, flow: Flow) -> None:
        flow.announced = True
        end = flow.end
        self.scribe.record(Opened(flow.number, end.transport, end.address, end.port, end.name))

    def _make_room(self) -> bool:
        if len(self._scanned) < self._max_scanned:
            return True
        oldest, seen = next(iter(self._scanned.items()))
        if self.scribe.clock() - seen < IDLE_SECONDS:
            return False
        if self._evicted.take(_about(oldest)):
            what = f"over {self._max_scanned} connections were open: this idle one was ended to make room"
            self.scribe.record(Limit(where="network.flows", what=what, flow=oldest.number))
        _hang_up(oldest)
        oldest.close()
        return True


def _hang_up(flow: Flow) -> None:
    if flow.hang_up is not None:
        flow.hang_up()


def _about(flow: Flow) -> str:
    return f"{flow.end.transport} to {flow.end.address} port {flow.end.port}"
