"""Keeping the log readable in a flood: past a number of facts of one kind they are counted, never silently dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..events import Fact, Limit

if TYPE_CHECKING:
    from collections.abc import Callable

FACTS = 20_000
"""Facts of one kind that an episode's log holds one by one."""

EVERY = 1_000
"""Past it, one `Limit` for so many."""


class Budget:
    """How many facts of one kind may still be recorded one by one.

    Args:
        record: where the `Limit` goes.
        kind: what is counted, in plain words and plural, such as `lookups`.
        facts: see `FACTS`, which is the default.
    """

    def __init__(self, record: Callable[[Fact], object], kind: str, facts: int | None = None) -> None:
        self._record = record
        self._kind = kind
        self._left = FACTS if facts is None else facts
        self._refused = 0
        self._total = 0
        self._last = ""

    def take(self, about: str) -> bool:
        """Whether a fact may be recorded. When not, it is counted, and `about` says what the latest was."""
        if self._left > 0:
            self._left -= 1
            return True
        self._refused += 1
        self._total += 1
        self._last = about
        if self._refused >= EVERY or self._total == 1:
            self.flush()
        return False

    def exhaust(self) -> None:
        """No more: something else that they share is used up."""
        self._left = 0

    def flush(self) -> None:
        """Tell what was counted since the last time, if anything."""
        if self._refused:
            what = f"{self._refused} more {self._kind} were not recorded one by one, the latest: {self._last[:200]}"
            self._record(Limit(where=f"network.{self._kind}", what=what))
            self._refused = 0
