"""Looking into payloads of which the bytes stand in another order: turned around, or swapped within words.

Values are recognised in any such order as they stream (`content.alignment`); a compressed stream is not, since its
beginning may be the last that comes. So what was kept until the end is looked at once more in each order in which it
begins as something that can be undone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .content.look import Look
from .content.spotting import is_text
from .events import Fact, Fault, Limit
from .kept import Payload
from .opening.judge import beginnings

TURN_SECONDS = 30.0
"""Of processor time, for all payloads of an episode. What was not tried by then is a limit."""
CHUNK_BYTES = 1 << 20
HEAD_BYTES = 512

Order = Callable[[Path, int], Iterator[bytes]]
"""A file's bytes in another order, in chunks of at most so many bytes."""


@dataclass
class Turner:
    """Looks at payloads in other orders.

    Args:
        new_look: makes a look.
        record: where to tell.
        seconds: see `TURN_SECONDS`.
        clock: seconds; only differences matter.
    """

    new_look: Callable[[], Look]
    record: Callable[[Fact], object]
    seconds: float = TURN_SECONDS
    clock: Callable[[], float] = time.thread_time

    def go_through(self, payloads: list[Payload]) -> list[Payload]:
        """Try each payload in which nothing was recognised, what left the machine first; gives those that were read."""
        until, untried = self.clock() + self.seconds, 0
        found: list[Payload] = []
        for payload in sorted(payloads, key=lambda each: each.origin.flow is None):
            if payload.recognised:
                continue
            if self.clock() > until:
                untried += 1
                continue
            try:
                found += [payload] if self._reads(payload) else []
            except Exception as problem:  # hostile bytes; the next payload is none of their business
                self.record(Fault("turned", f"{type(problem).__name__}: {problem}"[:300]))
        if untried:
            self.record(Limit("joins", f"no time was left to turn {untried} unread payloads around"))
        return found

    def _reads(self, payload: Payload) -> bool:
        for name, order in ORDERS.items():
            head = next(order(payload.file, HEAD_BYTES), b"")
            is_code = name == "reversed" and is_text(head) and b" " not in head
            if not beginnings(head) and not is_code:
                continue
            look = self.new_look()
            for data in order(payload.file, CHUNK_BYTES):
                look.feed(data)
            look.finish()
            if look.blocks:
                self.record(payload.origin.content((name, *look.layers), look.blocks))
                return True
        return False


def _backwards(file: Path, most: int) -> Iterator[bytes]:
    with file.open("rb") as stream:
        end = stream.seek(0, 2)
        while end > 0:
            start = max(0, end - most)
            stream.seek(start)
            yield stream.read(end - start)[::-1]
            end = start


def _swapped(width: int) -> Order:
    def chunks(file: Path, most: int) -> Iterator[bytes]:
        with file.open("rb") as stream:
            while data := stream.read(most):
                whole = len(data) - len(data) % width
                words = np.frombuffer(data[:whole], np.uint8).reshape(-1, width)
                yield words[:, ::-1].tobytes() + data[whole:]

    return chunks


ORDERS: dict[str, Order] = {"reversed": _backwards, **{f"swapped-{width}": _swapped(width) for width in (2, 4, 8)}}
"""By the name of the layer that they make."""
