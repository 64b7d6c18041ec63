"""Tells the states of the lab's systems, within bounds: the agent can make any number of changes.

Each asset has a measure of its own, so that a flood at one hides nothing of another. Past it changes are counted, and
at the end the last state of whatever is not told yet is. What is only added to a log is told once a second at most.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from .events import AssetState, Fact, Limit
from .plan import Asset
from .safe_open import printable
from .standing import ADDED, FOUND, GONE, READ_BYTES, Standing

CHANGES = 1000
"""Of one asset that are told one by one; `added` is beside them."""
TEXT_BYTES = 256 << 10
"""A longer content is told without its text; of something that grows, the last so many are."""
TEXTS_BYTES = 2 << 20
"""Of all texts of one asset, as they stand in the log."""
ADDED_SECONDS = 1.0
"""What is added is told this often."""
LIMITS = 100
"""Limits that are told one by one."""


@dataclass
class _Growth:
    """What was added to a file and is not told yet."""

    asset: Asset
    standing: Standing
    data: bytes = b""
    told_at: float = float("-inf")
    waits: bool = False

    def take(self, standing: Standing, data: bytes) -> None:
        """More was added."""
        self.standing, self.waits = standing, True
        self.data = (self.data + data[-TEXT_BYTES - 1 :])[-TEXT_BYTES - 1 :]  # one more shows that it was cut


class AssetFacts:
    """What is told about assets.

    Args:
        record: where facts go.
        clock: seconds; only differences matter.
    """

    def __init__(self, record: Callable[[Fact], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._record, self._clock = record, clock
        self._changes: Counter[Asset] = Counter()
        self._texts: Counter[Asset] = Counter()
        self._growing: dict[str, _Growth] = {}
        self._told: set[str] = set()
        """Paths of which a state was told."""
        self._untold: dict[str, AssetState] = {}
        """The last state of those that changed since, when it was only counted."""
        self._limits: Counter[tuple[str, str]] = Counter()

    def say(self, asset: Asset, path: str, how: str, standing: Standing, added: bytes = b"") -> None:
        """Tell the state of a path, and how it came to it.

        Args:
            asset: to which the path belongs.
            path: of the file.
            how: as in `events.AssetState`.
            standing: what stands there.
            added: the bytes at the end that are new, for `added`.
        """
        if how == ADDED:
            growth = self._growing.setdefault(path, _Growth(asset, standing))
            growth.take(standing, added)
            if self._clock() - growth.told_at >= ADDED_SECONDS:
                self._tell_growth(path, growth)
            return
        self._let_go(asset, path)
        self._tell(asset, path, how, standing, standing.data)

    def flush(self) -> None:
        """Tell what was added and has waited long enough."""
        for path, growth in self._growing.items():
            if growth.waits and self._clock() - growth.told_at >= ADDED_SECONDS:
                self._tell_growth(path, growth)

    def limit(self, path: str, what: str) -> None:
        """Say, once for a path, what could not be seen."""
        key = (printable(path), what) if len(self._limits) < LIMITS else ("", "more limits of this kind")
        self._limits[key] += 1
        if self._limits[key] == 1:
            self._record(Limit(where="state", what=key[1], path=key[0] or None))

    def finish(self) -> None:
        """Nothing more comes: tell what waits, what was only counted, and how it stands in the end."""
        for path, growth in self._growing.items():
            if growth.waits:
                self._tell_growth(path, growth)
        for asset, count in self._changes.items():
            if count > CHANGES:
                what = f"{count - CHANGES} changes of {asset.name} were only counted"
                self._record(Limit(where="state", what=what, path=asset.path))
        for fact in self._untold.values():
            self._record(fact)

    def _let_go(self, asset: Asset, path: str) -> None:
        """What was added is told before what came next, unless that is only counted."""
        growth = self._growing.get(path)
        if growth is not None and growth.waits:
            if self._changes[asset] < CHANGES:
                self._tell_growth(path, growth)
            growth.waits, growth.data = False, b""

    def _tell_growth(self, path: str, growth: _Growth) -> None:
        data, growth.data, growth.waits, growth.told_at = growth.data, b"", False, self._clock()
        self._tell(growth.asset, path, ADDED, growth.standing, data)

    def _tell(self, asset: Asset, path: str, how: str, standing: Standing, data: bytes) -> None:
        fact = AssetState(
            asset=asset.name,
            path=printable(path),
            how=how,
            type=standing.type,
            size=standing.size,
            sha256=standing.digest if standing.whole else "",
            mode=standing.mode,
            owner=standing.owner,
            modified=standing.modified,
        )
        if not standing.whole:
            self.limit(path, f"only the first {READ_BYTES} bytes are compared")
        if how not in (FOUND, ADDED) and not self._take(asset, path, fact):
            return
        self._untold.pop(path, None)
        self._told.add(path)
        self._record(replace(fact, text=self._text(asset, standing, data)))

    def _take(self, asset: Asset, path: str, fact: AssetState) -> bool:
        """Whether a change may be told now."""
        self._changes[asset] += 1
        if self._changes[asset] <= CHANGES:
            return True
        self.limit(asset.path, f"over {CHANGES} changes of {asset.name}: more are only counted")
        if fact.how == GONE and path not in self._told:  # it came and went
            self._untold.pop(path, None)
        else:
            self._untold[path] = fact
        return False

    def _text(self, asset: Asset, standing: Standing, data: bytes) -> str | None:
        if standing.type not in ("file", "link"):
            return None
        text = _tail(data) if asset.grows else _plain(data)
        if text is None:
            return None
        self._texts[asset] += len(json.dumps(text))
        if self._texts[asset] <= TEXTS_BYTES:
            return text
        self.limit(asset.path, f"over {TEXTS_BYTES} bytes of text of {asset.name}: later states come without")
        return None


def _plain(data: bytes) -> str | None:
    if len(data) > TEXT_BYTES:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _tail(data: bytes) -> str:
    """The end of what grows, from the start of a line where it is cut."""
    if len(data) > TEXT_BYTES:
        data = data[-TEXT_BYTES:].partition(b"\n")[2] or data[-TEXT_BYTES:]
    return data.decode(errors="replace")
