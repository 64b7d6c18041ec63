"""Looking for weights in one stream of bytes, and recording what is recognised."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ..events import Fact, Fault, Limit
from ..kept import Origin
from ..marks import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..kept import Keeping, Kept

REPORT_SECONDS = 3.0
"""A sight that keeps growing is recorded this often, and once more at its end."""


class Looking(Protocol):
    """What is needed of `content.look.Look`."""

    blocks: dict[int, set[int]]
    layers: tuple[str, ...]
    limits_hit: list[str]

    @property
    def open(self) -> bool:
        """Whether more bytes could continue what has begun."""

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; True when something new was recognised."""

    def pause(self) -> bool:
        """Look at all that was fed, though more may come. True as for `feed`."""

    def finish(self) -> None:
        """There are no more bytes."""


@dataclass(frozen=True)
class Scribe:
    """What every part of the network needs to tell what it saw."""

    record: Callable[[Fact], object]
    new_look: Callable[[], Looking]
    clock: Callable[[], float] = time.monotonic
    """Seconds; only differences matter."""
    kept: Kept | None = None
    """Where payloads are kept in which nothing is recognised, if anywhere."""

    def fault(self, where: str, problem: BaseException) -> None:
        """Record an error inside the witness."""
        self.record(Fault(where=f"network.{where}", what=f"{type(problem).__name__}: {problem}"[:500]))


@dataclass(frozen=True)
class Place:
    """Which bytes are looked at."""

    flow: int
    part: str
    """As in `events.Content`."""
    address: str
    port: int
    name: str | None
    target: str | None = None


class Sight:
    """One stream of bytes being looked at. The look is made with the first bytes, so that an idle sight costs nothing.

    Args:
        scribe: where to record.
        place: which bytes these are.
        undone: layers that the caller removed before feeding, outermost first.
        blind: look at nothing.
    """

    def __init__(self, scribe: Scribe, place: Place, undone: tuple[str, ...] = (), *, blind: bool = False) -> None:
        self.place = place
        self._scribe = scribe
        self._undone = undone
        self._look: Looking | None = None
        self._keeping: Keeping | None = scribe.kept.begin() if scribe.kept and not blind else None
        self._over = blind
        self.broken = False
        """Whether the look failed; to look at the same bytes again would fail again."""
        self._fed = 0
        self._reported = 0
        self._report_at = 0.0

    @property
    def found(self) -> bool:
        """Whether anything was recognised yet."""
        return self._look is not None and bool(self._look.blocks)

    @property
    def _explained(self) -> bool:
        """Whether what was recognised accounts for most of the bytes; else something may be hidden beside it."""
        blocks = sum(map(len, self._look.blocks.values())) if self._look else 0
        return 2 * blocks * BLOCK_BYTES > self._fed

    def feed(self, data: bytes, flow: int | None = None) -> None:
        """Look at the next bytes.

        Args:
            data: the bytes.
            flow: the flow that they came on, where one sight goes over several.
        """
        if self._keeping is not None:
            # Also what the look breaks on.
            self._keeping.feed(data, recognised=self._explained, open=self._look is not None and self._look.open)
        self._fed += len(data)
        if self._over or not data:
            return
        if flow is not None and flow != self.place.flow:
            self.place = replace(self.place, flow=flow)
        try:
            if self._look is None:
                self._look = self._scribe.new_look()
            if self._look.feed(data) and self._scribe.clock() >= self._report_at:
                self._report()
        except Exception as problem:  # a decoder that breaks on hostile bytes ends this sight only
            self._scribe.fault(f"look.{self.place.part}", problem)
            self._over = self.broken = True
            self._report()

    def close(self) -> None:
        """There are no more bytes: record what is still to be told. May be called twice."""
        look, over = self._look, self._over
        self._over = True
        if look is None:
            return
        is_open = False
        if not over:
            try:
                look.pause()
                is_open = look.open
                look.finish()
            except Exception as problem:  # as above
                self._scribe.fault(f"look.{self.place.part}", problem)
        self._report()
        for what in look.limits_hit:
            self._scribe.record(Limit(where=f"content.{self.place.part}", what=what, flow=self.place.flow))
        if self._keeping is not None:
            self._keeping.close(self._origin, recognised=self._explained, open=is_open)
        self._look = self._keeping = None

    @property
    def _origin(self) -> Origin:
        place = self.place
        return Origin(
            part=place.part,
            flow=place.flow,
            address=place.address,
            port=place.port,
            name=place.name,
            target=place.target,
            layers=self._undone,
        )

    def _report(self) -> None:
        look = self._look
        if look is None:
            return
        size = sum(map(len, look.blocks.values()))
        if size == self._reported:
            return
        self._reported = size
        self._report_at = self._scribe.clock() + REPORT_SECONDS
        self._scribe.record(self._origin.content(look.layers, look.blocks))
