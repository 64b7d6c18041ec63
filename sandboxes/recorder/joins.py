"""Joining payloads that are cut parts of one encoded thing: `compress | split`, one part a request or connection.

A part from the middle of a compressed stream means nothing by itself, and is kept (`kept`). At the end of the episode
whatever ended within something (`Payload.open`) is gone on with: first with the payload whose name follows, then with
the one that came next, then with any other. A payload fits when it is taken without what is open breaking off, or ends
it and more is recognised. One that does not fit is left aside for its turn, so that parts may come in any
order, at once, and among others.

Payloads of one destination are tried first, then of all together: parts may be spread.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from .content.look import Look
from .events import Fact, Fault, Limit
from .kept import Payload, read

JOIN_SECONDS = 30.0
"""For an episode's joins. What was not tried by then is a limit."""

_NUMBER = re.compile(r"\d+")
Blocks = dict[int, set[int]]


class _SpentError(Exception):
    """The time is over."""


@dataclass
class Joiner:
    """Joins payloads.

    Args:
        new_look: makes a look.
        record: where to tell.
        seconds: see `JOIN_SECONDS`.
        clock: seconds; only differences matter.
    """

    new_look: Callable[[], Look]
    record: Callable[[Fact], object]
    seconds: float = JOIN_SECONDS
    clock: Callable[[], float] = time.monotonic
    _ends_at: float = field(default=0.0, init=False)
    _told: list[Payload] = field(default_factory=list, init=False)

    def go_through(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Join what can be joined, and record what is recognised only then; gives the parts in which that was."""
        self._told = []
        self._ends_at = self.clock() + self.seconds
        groups: dict[str, list[Payload]] = defaultdict(list)
        for payload in payloads:
            if payload.open or not payload.recognised:
                groups[_place(payload)].append(payload)
        left: list[Payload] = []
        try:
            for group in groups.values():
                left += self._join(group)
            if len(groups) > 1:
                self._join(left)
        except _SpentError:
            what = f"parts of payloads took over {self.seconds:.0f} seconds to be joined: not all were tried"
            self.record(Limit(where="joins", what=what))
        return self._told

    def _join(self, payloads: list[Payload]) -> list[Payload]:
        """Gives what belongs to nothing."""
        left = list(payloads)
        tried: list[Payload] = []
        for first in sorted(
            (each for each in payloads if each.open), key=lambda each: (not each.recognised, _by_name(each))
        ):
            if first in tried or first not in left or len(left) == 1:
                continue
            try:
                chain, gained = self._follow(first, [each for each in left if each is not first])
            except OSError as problem:
                self.record(Fault("joins", f"{type(problem).__name__}: {problem}"[:300]))
                continue
            tried += chain
            left = [each for each in left if not gained or each not in chain]
        return left

    def _follow(self, first: Payload, others: list[Payload]) -> tuple[list[Payload], bool]:
        """Go on with `first` as long as anything fits; gives what fitted, and whether more weights were recognised."""
        chain = [first]
        look = self._again(chain)
        gained: list[tuple[Payload, Blocks]] = []
        while look.open and (found := self._next(chain, look, others)):
            payload, look, blocks = found
            others = [each for each in others if each is not payload]
            chain.append(payload)
            gained.append((payload, blocks))
        before = _copy(look.blocks)
        look.finish()
        gained.append((chain[-1], _more(look.blocks, before)))
        for payload, blocks in gained:
            if blocks and payload is not first:
                self._tell(payload, look, blocks)
        return chain, any(blocks for _, blocks in gained)

    def _next(self, chain: list[Payload], look: Look, others: list[Payload]) -> tuple[Payload, Look, Blocks] | None:
        """What goes on with the chain, the look with it, and what that recognised.

        A wrong part may be taken for long without an error: one with which more is recognised goes before all others.
        Where nothing was recognised so far, most uploads are innocent: then only what is likely is tried.
        """
        fresh: Look | None = look
        silent: Payload | None = None
        for payload in _likely(chain[-1], others, rest=bool(look.blocks)):
            fresh = fresh or self._again(chain)
            before, limits = _copy(fresh.blocks), len(fresh.limits_hit)
            self._feed(fresh, payload)
            blocks = _more(fresh.blocks, before)
            unbroken = len(fresh.limits_hit) == limits
            if unbroken and blocks:
                return payload, fresh, blocks
            if unbroken and fresh.open and silent is None:
                silent = payload
            fresh = None
        return None if silent is None else (silent, self._again([*chain, silent]), {})

    def _again(self, chain: list[Payload]) -> Look:
        look = self.new_look()
        for payload in chain:
            self._feed(look, payload)
        return look

    def _feed(self, look: Look, payload: Payload) -> None:
        """All of the payload, or what of it comes before everything that was open is closed."""
        for data in read(payload):
            if self.clock() > self._ends_at:
                raise _SpentError
            look.feed(data)
            look.pause()
            if not look.open:
                return

    def _tell(self, payload: Payload, look: Look, blocks: Blocks) -> None:
        self.record(payload.origin.content(("part", *look.layers), blocks))
        self._told.append(payload)


def _place(payload: Payload) -> str:
    """What the parts of one thing have in common, as a rule: where they went, or the directory."""
    origin = payload.origin
    if origin.path is not None:
        return origin.path.rpartition("/")[0]
    return origin.name or origin.address or ""


def _by_name(payload: Payload) -> tuple[list[tuple[int, int | str]], str]:
    """Numbers as numbers, and `z` before `aa`; those without a name by when they came."""
    name = payload.origin.target or payload.origin.path or ""
    words = _NUMBER.split(name)
    numbers = [int(number[:18]) for number in _NUMBER.findall(name)]
    mixed: list[tuple[int, int | str]] = []
    for i, word in enumerate(words):
        mixed.append((1, word))
        if i < len(numbers):
            mixed.append((0, numbers[i]))
    return mixed, payload.file.name


def _likely(last: Payload, others: list[Payload], *, rest: bool) -> Iterator[Payload]:
    """Those of the others that are likely to go on with `last`, then, if wanted, the rest."""
    by_name = sorted(others, key=_by_name)
    by_time = sorted(others, key=lambda payload: payload.file.name)
    next_name = [each for each in by_name if _by_name(each) > _by_name(last)][:1]
    next_time = [each for each in by_time if each.file.name > last.file.name][:1]
    seen: list[Payload] = []
    for payload in (*next_name, *next_time, *(by_name if rest else ())):
        if payload not in seen:
            seen.append(payload)
            yield payload


def _copy(blocks: Blocks) -> Blocks:
    return {shard: set(numbers) for shard, numbers in blocks.items()}


def _more(blocks: Blocks, before: Blocks) -> Blocks:
    found = {shard: numbers - before.get(shard, set()) for shard, numbers in blocks.items()}
    return {shard: numbers for shard, numbers in found.items() if numbers}
