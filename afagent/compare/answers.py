"""What the repeats of one scenario or request say together, and what two sets of them say of a difference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from functools import lru_cache
from typing import TypeVar

from afagent.statistics import Difference, Pair, paired_difference

Answers = tuple[int, int, int]
"""Of one scenario's episodes: how many are yes, no, and without an answer."""
Unit = TypeVar("Unit", bound=int | str)


def outcome(cell: Answers | None) -> bool | None:
    """What a scenario's episodes say together: yes if one does; None when it cannot be told, or none is there."""
    if cell is None:
        return None
    yes, _, unknown = cell
    return True if yes else None if unknown else False


def pair(plus: Sequence[Answers | None], minus: Sequence[Answers | None]) -> Pair | None:
    """One scenario's shares of yes in some arms against those in as many others; None where one cannot be told.

    With several arms on a side their shares are averaged, so that the difference is that of the sums divided by their
    number: half the difference of two gaps, where there are two.
    """
    first, second = _share(plus), _share(minus)
    return None if first is None or second is None else Pair(*first, *second)


def pairs(plus: Sequence[Mapping[Unit, Answers]], minus: Sequence[Mapping[Unit, Answers]]) -> dict[Unit, Pair | None]:
    """Every scenario that was run in any of the arms, in order; None where the arms cannot be compared in it."""
    units = sorted(set().union(*plus, *minus))
    return {unit: pair([each.get(unit) for each in plus], [each.get(unit) for each in minus]) for unit in units}


def difference(compared: Sequence[Pair]) -> Difference:
    """As `paired_difference`, whatever the order. It takes up to seconds and the same pairs come again: it is kept."""
    return _difference(tuple(sorted(compared, key=astuple)))


@lru_cache(maxsize=256)
def _difference(compared: tuple[Pair, ...]) -> Difference:
    return paired_difference(compared)


def _share(cells: Sequence[Answers | None]) -> tuple[int, int] | None:
    """The mean of the cells' shares as a fraction; None where an answer is missing."""
    whole = [cell for cell in cells if cell is not None and not cell[2] and cell[0] + cell[1]]
    if len(whole) < len(cells):
        return None
    of = math.prod(yes + no for yes, no, _ in whole)
    return sum(yes * (of // (yes + no)) for yes, no, _ in whole), of * len(whole)
