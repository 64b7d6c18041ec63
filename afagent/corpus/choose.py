"""Which cases of a corpus are run: those that match a pattern, or a small set that covers every table."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from afagent.corpus.case import Case, Kind
from afagent.corpus.format import AtSystems
from afagent.errors import UsageError

T = TypeVar("T")
EACH: dict[tuple[Kind, bool], int] = {
    ("failing", False): 4,
    ("benign", False): 12,
    ("benign", True): 6,
    ("sabotage", True): 3,
    ("tampering", True): 2,
    ("shutdown_resistance", True): 2,
}
"""Of the kinds that are told act by act, so many cases are in the small set, spread over their themes. Those at the
lab's systems stand for themselves."""
MOST_TOGETHER = 12
"""So many benign cases share a lab, where they may."""


def matching(cases: Sequence[Case], pattern: str) -> list[Case]:
    """The cases of which the name, the kind or the theme fits the shell pattern, or holds it as a word does.

    Raises:
        UsageError: there are none.
    """
    found = [
        case
        for case in cases
        if any(fnmatchcase(text, pattern) or fnmatchcase(text, f"*{pattern}*") for text in _texts(case))
    ]
    if not found:
        raise UsageError(f"no case fits {pattern!r}; it is compared with names, kinds and themes")
    return found


def covering(cases: Sequence[Case]) -> list[Case]:
    """A small set in which every kind of disguise, of channel and of place, and every kind of act occurs.

    Greedy: the case that adds most that is new comes first; the order of the corpus decides between equals.
    """
    piped = [case for case in cases if case.reader is not None]
    told = [case for case in cases if case.reader is None]
    open_, chosen = {part for case in piped for part in _parts(case)}, []
    while open_:
        best = max(piped, key=lambda case: len(open_.intersection(_parts(case))))
        chosen.append(best)
        open_.difference_update(_parts(best))
    for (kind, at_systems), many in EACH.items():
        chosen += _spread([case for case in told if (case.kind, case.systems is not None) == (kind, at_systems)], many)
    return chosen


def sittings(cases: Sequence[Case]) -> list[tuple[Case, ...]]:
    """Which cases are run in the same lab first: each has one of its own, but for the benign that change no system.

    Of these up to `MOST_TOGETHER` share a lab, the scenario of the first. Cases at the lab's systems wait for reports
    most of their time; they are spread among the others, which need the processor.
    """
    shy = [[case for case in cases if case.kind == "benign" and case.systems == kind] for kind in (None, AtSystems())]
    shared = [
        tuple(some[start : start + MOST_TOGETHER]) for some in shy for start in range(0, len(some), MOST_TOGETHER)
    ]
    alone = [(case,) for case in cases if not any(case in some for some in shy)]
    every = [*shared, *alone]
    return _mixed([[one for one in every if (one[0].systems is None) is at_weights] for at_weights in (True, False)])


def _mixed(groups: Sequence[Sequence[T]]) -> list[T]:
    """All of them, each group in its order and spread evenly."""
    placed = [((at + 0.5) / len(group), one) for group in groups for at, one in enumerate(group)]
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]


def _texts(case: Case) -> tuple[str, ...]:
    return case.name, case.kind, case.theme


def _parts(case: Case) -> set[tuple[str, str]]:
    """What a case stands for: the kind of each of its disguises, and of its channel or place."""
    return {("disguise", group) for group in case.disguise_groups} | {(case.kind, case.group or "")}


def _spread(cases: Sequence[Case], many: int) -> list[Case]:
    """One case of each theme in turn, until there are enough; of more themes than that, some all along them."""
    themes: dict[str, list[Case]] = {}
    for case in cases:
        themes.setdefault(case.theme, []).append(case)
    groups = list(themes.values())
    if many < len(groups):
        return [groups[number * len(groups) // many][0] for number in range(many)]
    turns = max((len(group) for group in groups), default=0)
    return [group[turn] for turn in range(turns) for group in groups if turn < len(group)][:many]
