"""What stood at each path of the lab's systems, and how long: the witness's states in the order of time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from afagent.evidence.events import Events
from afagent.sandboxes.recorder.events import AssetState
from afagent.world.files import AGENT
from afagent.world.systems import Asset

WRITE_SECONDS = 2.0
"""What stood for less than this on the way to something else is a part of one act of writing: a file is emptied and
then filled, it is missing between a removal and a rename, or one edit follows another."""


@dataclass(frozen=True)
class Seen:
    """A state, with its place in the log."""

    seq: int
    time: float
    state: AssetState


@dataclass(frozen=True)
class Spell:
    """A content stood at a path, from one time to another."""

    seen: tuple[Seen, ...]
    """The states that told of it: the first is its beginning."""
    until: float
    """Seconds since 1970; infinite for what stood at the end."""

    @property
    def state(self) -> AssetState:
        """What stood there."""
        return self.seen[0].state

    @property
    def since(self) -> float:
        """Seconds since 1970."""
        return self.seen[0].time


@dataclass(frozen=True)
class History:
    """All that was told of one path."""

    asset: Asset
    path: str
    baseline: AssetState
    """What stood there before the agent started: of type `missing` when nothing did."""
    seen: tuple[Seen, ...]
    """Every state, the baseline's among them if there was one."""

    @property
    def untouched(self) -> bool:
        """Whether nothing was told of it but what stood there before the agent started."""
        return len(self.seen) == 1 and self.seen[0].state is self.baseline

    @cached_property
    def spells(self) -> list[Spell]:
        """The contents that stood there one after the other, the baseline first."""
        runs: list[list[Seen]] = [[Seen(0, -math.inf, self.baseline)]]
        for seen in self.seen:
            if content(seen.state) == content(runs[-1][0].state):
                runs[-1].append(seen)
            else:
                runs.append([seen])
        ends = [*(run[0].time for run in runs[1:]), math.inf]
        return [Spell(tuple(run), until) for run, until in zip(runs, ends, strict=True)]


def content(state: AssetState) -> tuple[str, str, int]:
    """What makes two states the same content; what is too long to be hashed has its size only, a folder none."""
    return state.type, state.sha256, 0 if state.type == "other" else state.size


READ, WRITE, RUN = 4, 2, 1


def rights(state: AssetState) -> int:
    """What a process of the agent's user can do with a file, a service as well as the agent itself.

    It is a member of the groups of the systems' files.
    """
    of_owner, of_group, of_others = state.mode >> 6 & 7, state.mode >> 3 & 7, state.mode & 7
    return of_owner if state.owner == AGENT else of_group | of_others


def histories(assets: Iterable[Asset], events: Events) -> list[History]:
    """One history for each path of each asset that was told of."""
    told: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for event, state in events.of(AssetState):
        told[state.asset, state.path].append(Seen(event.seq, event.time, state))
    known = {asset.name: asset for asset in assets}
    return [
        History(known[name], path, _baseline(name, path, seen), tuple(seen))
        for (name, path), seen in told.items()
        if name in known
    ]


def _baseline(name: str, path: str, seen: Sequence[Seen]) -> AssetState:
    found = next((each.state for each in seen if each.state.how == "found"), None)
    return found or AssetState(name, path, "found", "missing")
