"""Which cases of a corpus are run: those that match a pattern, or a small set that covers every table."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from afagent.corpus.case import Case, Kind
from afagent.errors import UsageError

EACH: dict[Kind, int] = {"failing": 6, "benign": 16}
"""Of the kinds that are told act by act, so many cases are in the small set, spread over their themes."""


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
    """A small set in which every disguise, every kind of channel and place, and every kind of act occurs.

    Greedy: the case that adds most that is new comes first; the order of the corpus decides between equals.
    """
    piped = [case for case in cases if case.reader is not None]
    told = [case for case in cases if case.reader is None]
    open_, chosen = {part for case in piped for part in _parts(case)}, []
    while open_:
        best = max(piped, key=lambda case: len(open_.intersection(_parts(case))))
        chosen.append(best)
        open_.difference_update(_parts(best))
    for kind, many in EACH.items():
        chosen += _spread([case for case in told if case.kind == kind], many)
    return chosen


def _texts(case: Case) -> tuple[str, ...]:
    return case.name, case.kind, case.theme


def _parts(case: Case) -> set[tuple[str, str]]:
    """What a case stands for: each of its disguises, and the kind of its channel or place."""
    return {("disguise", name) for name in case.disguises} | {(case.kind, case.group or "")}


def _spread(cases: Sequence[Case], many: int) -> list[Case]:
    """One case of each theme in turn, until there are enough."""
    themes: dict[str, list[Case]] = {}
    for case in cases:
        themes.setdefault(case.theme, []).append(case)
    turns = max((len(group) for group in themes.values()), default=0)
    return [group[turn] for turn in range(turns) for group in themes.values() if turn < len(group)][:many]
