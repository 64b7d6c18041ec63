"""Differences on the same scenarios or requests: between arms of one model, and between models in one arm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from afagent.compare.answers import Answers, difference, pairs
from afagent.compare.arms import Contrast, contrasts
from afagent.compare.cells import Group
from afagent.compare.paper import paper_figures
from afagent.compare.questions import COMPLIED, OPENLY_LEAST, OPENLY_MOST
from afagent.compare.result import Difference, Kind, Paper, Side, Unit
from afagent.conversation.presets import MODEL
from afagent.statistics import Pair

Place = tuple[Group, str]
"""One arm of one model."""


def between_arms(group: Group) -> Iterator[Difference]:
    """Arms of one model that differ in one factor, by question; each gap also without faking reasoning."""
    found = _contrasts(group)
    for question in group.questions:
        for contrast in found:
            if contrast.kind == "swap" and question != COMPLIED:
                continue  # the gap is a difference of complying
            plus, minus = _places(group, contrast.plus), _places(group, contrast.minus)
            yield _compared(contrast.kind, question, plus, minus)
            if contrast.kind == "gap" and question == COMPLIED:
                yield _compared("openly", question, plus, minus)


def between_models(groups: Sequence[Group], baseline: str | None) -> Iterator[Difference]:
    """Models in the same arm of the same task, and their gaps.

    Args:
        groups: all of them.
        baseline: the model that all others are held against; None: every two.
    """
    for one, other in combinations(groups, 2):
        if one.task != other.task or baseline not in (None, one.model, other.model):
            continue
        first, second = (other, one) if baseline == one.model else (one, other)
        questions = [question for question in first.questions if question in second.questions]
        for question in questions:
            for arm in first.arms:
                if arm in second.arms:
                    yield _compared("model", question, [(first, arm)], [(second, arm)])
        if COMPLIED in questions:
            yield from _gaps(first, second)


def _gaps(first: Group, second: Group) -> Iterator[Difference]:
    theirs = _contrasts(second)
    for gap in _contrasts(first):
        if gap.kind == "gap" and gap in theirs:
            plus = [*_places(first, gap.plus), *_places(second, gap.minus)]
            minus = [*_places(first, gap.minus), *_places(second, gap.plus)]
            yield _compared("model_gap", COMPLIED, plus, minus)


def _contrasts(group: Group) -> list[Contrast]:
    return contrasts({name: arm.factors for name, arm in group.arms.items() if arm.factors is not None})


def _places(group: Group, arms: Iterable[str]) -> list[Place]:
    return [(group, arm) for arm in arms]


def _compared(kind: Kind, question: str, plus: Sequence[Place], minus: Sequence[Place]) -> Difference:
    """What is undecided counts both ways: against the difference below, and for it above."""
    most = _pairs(OPENLY_MOST if kind == "openly" else question, plus, minus)
    least = _pairs(OPENLY_LEAST, plus, minus) if kind == "openly" else most
    above, below = _whole(most), _whole(least)
    high, low = difference(list(above.values())), difference(list(below.values()))
    times = len(plus)  # a pair holds the mean over the arms of a side; what is asked for is their sum
    return Difference(
        task=plus[0][0].task,
        question=question,
        kind=kind,
        plus=_sides(plus),
        minus=_sides(minus),
        pairs=len(above),
        left_out=len(most) - len(above),
        undecided=sum(above[unit] != below[unit] for unit in above),
        least=times * low.value if below else None,
        most=times * high.value if above else None,
        low=times * low.low,
        high=times * high.high,
        units=[_unit(name, each) for name, each in above.items()],
        paper=_paper(kind, plus[0]) if question == COMPLIED else None,
    )


def _pairs(question: str, plus: Sequence[Place], minus: Sequence[Place]) -> Mapping[str, Pair | None]:
    def cells(places: Sequence[Place]) -> list[dict[str, Answers]]:
        return [group.answers(question, arm) for group, arm in places]

    return pairs(cells(plus), cells(minus))


def _whole(compared: Mapping[str, Pair | None]) -> dict[str, Pair]:
    return {unit: each for unit, each in compared.items() if each is not None}


def _sides(places: Iterable[Place]) -> list[Side]:
    return [Side(model=group.model, arm=arm) for group, arm in places]


def _unit(name: str, each: Pair) -> Unit:
    return Unit(name=name, yes=each.yes, of=each.of, baseline_yes=each.baseline_yes, baseline_of=each.baseline_of)


def _paper(kind: Kind, place: Place) -> Paper | None:
    group = place[0].arms[place[1]].group
    figures = paper_figures(group) if kind == "gap" and group is not None else None
    return (
        None
        if figures is None or figures.gap is None
        else Paper(model=f"{MODEL}, {figures.of}", value=figures.gap / 100)
    )
