"""From samples to counts: who was asked what in which arm, and what each scenario or request came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from afagent.compare.answers import Answers
from afagent.compare.places import place_of
from afagent.compare.questions import ASKED, OPENLY_LEAST, OPENLY_MOST, TALK
from afagent.compare.reading import Arm, LogSaid, Said
from afagent.conversation.asked import sample_id


class Tally(NamedTuple):
    """Of one scenario's or request's repeats: how many came to what."""

    yes: int = 0
    no: int = 0
    unscored: int = 0
    errored: int = 0
    missing: int = 0

    @property
    def answers(self) -> Answers:
        """Yes, no, and without an answer."""
        return self.yes, self.no, self.unscored + self.errored + self.missing


Cell = Mapping[str, Tally]
"""By seed or request."""


@dataclass(frozen=True)
class Group:
    """All that one model did in one task."""

    task: str
    model: str
    arms: Mapping[str, Arm]
    """By name, in their order."""
    cells: Mapping[tuple[str, str], Cell] = field(repr=False)
    """By question and arm. What was asked of one sample was asked of all: where it says nothing, that is unscored."""
    unplaced: int = 0
    """Samples that name no scenario or no arm, or are missing and cannot be told apart."""

    @property
    def questions(self) -> list[str]:
        """Those that were asked, in the order in which they are shown."""
        asked = {question for question, _ in self.cells}
        return [question for question in ASKED if question in asked]

    def answers(self, question: str, arm: str) -> dict[str, Answers]:
        """Of each scenario or request of an arm."""
        return {unit: tally.answers for unit, tally in self.cells.get((question, arm), {}).items()}


def groups(logs: Sequence[LogSaid], names: Sequence[str]) -> list[Group]:
    """The models and tasks of the logs, in the order of tasks, then models.

    Args:
        logs: what was read.
        names: for each log the name of its model, by which models are told apart.
    """
    by: dict[tuple[str, str], list[LogSaid]] = defaultdict(list)
    for log, name in zip(logs, names, strict=True):
        by[log.task, name].append(log)
    seen = {task: _seen(log for log in logs if log.task == task) for task, _ in by}
    return [_group(task, model, each, seen[task]) for (task, model), each in sorted(by.items(), key=lambda at: at[0])]


Place = tuple[str, Arm]


def _group(task: str, model: str, logs: Sequence[LogSaid], seen: Mapping[str, Place]) -> Group:
    placed: list[tuple[Place, Said]] = []
    unplaced = 0
    for log in logs:
        named = {each.name: each for _, each in seen.values()}
        for said in log.said:
            place = _place(said, log, seen, named, is_talk=task == TALK)
            if place is None:
                unplaced += 1
            else:
                placed.append((place, said))
    arms = {arm.name: arm for (_, arm), _ in placed}
    return Group(task, model, dict(sorted(arms.items(), key=_by_tier)), _cells(task, placed), unplaced)


def _by_tier(item: tuple[str, Arm]) -> tuple[str, int, str]:
    """Tiers of one group together, the trained one first, as their names are said."""
    order = ("training", "unmonitored", "rated")
    name, arm = item
    return arm.group or name, order.index(arm.tier) if arm.tier in order else len(order), name


def _seen(logs: Iterable[LogSaid]) -> dict[str, Place]:
    """Where samples stand, by their ids: what is missing in one log or epoch may be there in another."""
    return {
        said.sample: (said.unit, said.arm)
        for log in logs
        for said in log.said
        if said.unit is not None and said.arm is not None
    }


def _place(
    said: Said, log: LogSaid, seen: Mapping[str, Place], named: Mapping[str, Arm], *, is_talk: bool
) -> Place | None:
    """Where a sample stands; what is missing is known by its id, which is made of scenario or request and arm."""
    if said.unit is not None and said.arm is not None:
        return said.unit, said.arm
    if said.state != "missing":
        return None
    if said.sample in seen:
        return seen[said.sample]
    if is_talk:
        return _request_of(said.sample, {*log.arms, *named}, named)
    scenario = place_of(said.sample)
    return (f"{scenario[0]:06d}", named[scenario[1]]) if scenario is not None and scenario[1] in named else None


def _request_of(sample: str, arms: Iterable[str], named: Mapping[str, Arm]) -> Place | None:
    """Of the arms whose names an id can end with it is the longest; it has to be one that samples have named."""
    ends = {sample_id("", arm): arm for arm in arms}
    end = max((each for each in ends if sample.endswith(each)), key=len, default="")
    arm = named.get(ends.get(end, ""))
    return (sample.removesuffix(end), arm) if arm is not None else None


def _cells(task: str, placed: Sequence[tuple[Place, Said]]) -> dict[tuple[str, str], Cell]:
    counts: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(dict)
    asked = list(_asked(task, placed))
    for (unit, arm), said in placed:
        for question in asked:
            counts[question, arm.name].setdefault(unit, [0] * 5)[_column(said, question)] += 1
    return {place: {unit: Tally(*each) for unit, each in cell.items()} for place, cell in counts.items()}


def _asked(task: str, placed: Iterable[tuple[Place, Said]]) -> Iterator[str]:
    """The questions that are about the task, and others that a sample was judged on."""
    judged = {question for _, said in placed for question in said.told}
    for name, question in ASKED.items():
        if question.home == task or name in judged:
            yield name
    yield from (name for name in (OPENLY_LEAST, OPENLY_MOST) if name in judged)


def _column(said: Said, question: str) -> int:
    answer = said.told.get(question)
    if answer is not None:
        return Tally._fields.index("yes" if answer else "no")
    return Tally._fields.index("unscored" if said.state == "ran" else said.state)
