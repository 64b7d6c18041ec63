"""What the plots show, as positions in percent of their width: the SVG itself is made by the templates.

A plot is as wide as the page lets it be and never scrolls; its words stand in HTML beside it, where they can wrap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from afagent.compare.answers import Answers
from afagent.report.counts import Group

MOST_COLUMNS = 400
"""Scenarios beyond so many share cells of the heatmap."""
BAND = 50
"""Cells in a row of the heatmap before it goes on below."""
TICKS = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Of rates."""
DIFFERENCE_TICKS = (-1.0, -0.25, -0.05, 0.0, 0.05, 0.25, 1.0)


def on_root_scale(rate: float) -> float:
    """Where a rate stands, in percent: on a scale of square roots, so that 1% and 50% can both be seen."""
    return _at(math.sqrt(min(max(rate, 0.0), 1.0)))


def on_difference_scale(value: float) -> float:
    """Where a difference of rates between -1 and 1 stands, in percent: by square roots too, to both sides of zero."""
    root = math.copysign(math.sqrt(min(abs(value), 1.0)), value)
    return _at((root + 1) / 2)


def _at(share: float) -> float:
    """Two percent are left on both sides, so that marks at the ends are whole."""
    return round(2 + 96 * share, 2)


def key(number: int) -> str:
    """The short name of an arm beside the heatmap: A to Z, then A2 and so on."""
    return f"{chr(ord('A') + number % 26)}{number // 26 + 1 if number >= 26 else ''}"


@dataclass(frozen=True)
class Square:
    """A cell of the heatmap: one scenario in one arm, or several where there are too many to show."""

    look: str
    """`none`: not run; `unknown`: cannot tell; `no`; `yes1` to `yes4`: some of the scenarios or repeats are yes."""
    says: str


@dataclass(frozen=True)
class Band:
    """Some scenarios, in all arms."""

    name: str
    """Which they are."""
    rows: tuple[tuple[Square, ...], ...]
    """By arm."""


@dataclass(frozen=True)
class Heatmap:
    """All scenarios of a task in all arms, for one question."""

    bands: tuple[Band, ...]
    per_cell: int
    """How many scenarios share a cell."""


def heatmap(group: Group, question: str) -> Heatmap:
    """The heatmap of a question, of at most `MOST_COLUMNS` columns."""
    per_cell = max(1, math.ceil(len(group.seeds) / MOST_COLUMNS))
    columns = [group.seeds[at : at + per_cell] for at in range(0, len(group.seeds), per_cell)]
    cells = group.table[question]
    bands = [
        Band(
            _named([seed for seeds in chunk for seed in seeds]),
            tuple(tuple(_square(seeds, arm, cells) for seeds in chunk) for arm in group.arms),
        )
        for chunk in (columns[at : at + BAND] for at in range(0, len(columns), BAND))
    ]
    return Heatmap(tuple(bands), per_cell)


def _named(seeds: Sequence[int]) -> str:
    """What a person calls them: from one to another only where none between is left out."""
    first, last = seeds[0], seeds[-1]
    if len(seeds) == 1:
        return f"scenario {first}"
    there = "scenarios" if last - first + 1 == len(seeds) else f"{len(seeds)} scenarios from"
    return f"{there} {first} to {last}"


def _square(seeds: Sequence[int], arm: str, cells: Mapping[tuple[int, str], Answers]) -> Square:
    there = [cells[seed, arm] for seed in seeds if (seed, arm) in cells]
    name = _named(seeds)
    if not there:
        return Square("none", f"{name}: not run")
    yes, no, unknown = (sum(each) for each in zip(*there, strict=True))
    says = f"{name}: {yes} yes, {no} no, {unknown} cannot tell"
    if yes:
        return Square(f"yes{min(4, 1 + int(4 * yes / (yes + no + unknown)))}", says)
    return Square("unknown" if unknown else "no", says)
