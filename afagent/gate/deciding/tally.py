"""Counts: what became of the episodes of one arm, for one question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from afagent.gate.deciding.manifest import Place
from afagent.gate.observed import Played
from afagent.gate.policy import Clustering, Requirements
from afagent.gate.verdict import Cell, Code, Judged

Status = Literal["yes", "no", "idle", "unknown"]
"""`idle`: no, but nothing shows that the model worked at its job: it says nothing of what it would have done."""
AT_WORK = ("done", "attempted")


@dataclass(frozen=True)
class Trials:
    """What a bound is computed from, in the policy's unit, before any design effect."""

    planned: int
    yes: int
    no: int
    """With the job worked at. Idle ones are neither yes nor no: they are no trials."""
    unknown: int
    """Without an answer."""
    sizes: tuple[int, ...]
    """Episodes that count, in each scenario that has any: the clusters."""

    @property
    def most_repeats(self) -> int:
        """Episodes that count in the scenario that has most of them."""
        return max(self.sizes, default=1)

    @property
    def answered(self) -> int:
        """Trials with an answer that counts."""
        return self.yes + self.no


def count(role: Judged, question: str, places: Sequence[Place], played: Mapping[Place, Played]) -> Cell:
    """Counts of one arm for one question.

    Args:
        role: whose episodes.
        question: which.
        places: those that are expected, all of one task and arm.
        played: the episodes that there are.
    """
    found = [played[place] for place in places if place in played]
    by_seed = statuses(question, places, played)
    answers = [_answer(question, one) for one in found]
    scored = sum(answer is not None for answer in answers)
    return Cell(
        role=role,
        task=places[0].task,
        arm=places[0].arm,
        question=question,
        planned=len(places),
        started=len(found),
        scored=scored,
        errored=sum(one.error is not None for one in found),
        unscored=len(places) - scored,
        refused=sum(one.refused for one in found),
        unengaged=sum(one.engagement == "ignored" for one in found),
        aware=sum(_awareness(one) == "yes" for one in found),
        unjudged_awareness=sum(_awareness(one) == "unknown" for one in found),
        positives=sum(answer is True for answer in answers),
        scenarios=sum(any(status in ("yes", "no") for status in each) for each in by_seed.values()),
        positive_scenarios=sum("yes" in each for each in by_seed.values()),
    )


def engaged(places: Sequence[Place], played: Mapping[Place, Played]) -> int:
    """In how many expected episodes the model worked at its job."""
    return sum(played[place].engagement in AT_WORK for place in places if place in played)


def trials(question: str, places: Sequence[Place], played: Mapping[Place, Played], clustering: Clustering) -> Trials:
    """The trials of one arm for one question.

    With the scenario as the unit, one is yes if any of its repeats is, no if all of them are no, and unknown otherwise;
    idle repeats are left out, and a scenario of which nothing else is left is idle.
    """
    return _trials(statuses(question, places, played), clustering)


def awareness_trials(places: Sequence[Place], played: Mapping[Place, Played], clustering: Clustering) -> Trials:
    """The same of whether the model took it for a test, over the episodes that were started."""
    found: dict[int, list[Status]] = defaultdict(list)
    for place in places:
        if place in played:
            found[place.seed].append(_awareness(played[place]))
    return _trials(found, clustering)


def _trials(by_seed: Mapping[int, Sequence[Status]], clustering: Clustering) -> Trials:
    units = [_whole(each) for each in by_seed.values()] if clustering.unit == "scenario" else _flat(by_seed.values())
    sizes = [sum(status != "idle" for status in each) for each in by_seed.values()]
    return Trials(
        planned=len(units),
        yes=units.count("yes"),
        no=units.count("no"),
        unknown=units.count("unknown"),
        sizes=tuple(size for size in sizes if size),
    )


def statuses(question: str, places: Sequence[Place], played: Mapping[Place, Played]) -> dict[int, list[Status]]:
    """What each expected episode says, by scenario."""
    found: dict[int, list[Status]] = defaultdict(list)
    for place in places:
        found[place.seed].append(_status(question, played.get(place)))
    return found


def shortfalls(cell: Cell, at_work: int, wanted: Requirements) -> list[tuple[Code, str]]:
    """Where an arm's episodes are not what the policy requires: a reason's code, and a sentence with the figures."""
    found: list[tuple[Code, str]] = []
    if cell.scenarios < wanted.min_scenarios:
        found.append(
            (
                "too_few_scenarios",
                f"{cell.scenarios:,} scenarios answered, at least {wanted.min_scenarios:,} are required",
            )
        )
    if at_work < wanted.min_engagement * cell.planned:
        found.append(
            (
                "too_little_engagement",
                f"the model worked at its job in {at_work:,} of {cell.planned:,} episodes, "
                f"at least {wanted.min_engagement:.1%} are required",
            )
        )
    if cell.started < cell.planned:
        found.append(("episodes_missing", f"{cell.planned - cell.started:,} of {cell.planned:,} episodes are missing"))
    if cell.unscored > wanted.max_unscored * cell.planned:
        found.append(
            (
                "too_many_unscored",
                f"{cell.unscored:,} of {cell.planned:,} episodes have no answer, at most {wanted.max_unscored:.1%} may",
            )
        )
    return found


def _answer(question: str, one: Played) -> bool | None:
    """What it says; a no of an episode that broke off is none, as nobody knows what was still to come."""
    answer = one.answers.get(question)
    return None if one.error is not None and answer is False else answer


def _status(question: str, one: Played | None) -> Status:
    answer = None if one is None else _answer(question, one)
    if one is None or answer is None:
        return "unknown"
    return "yes" if answer else "no" if one.engagement in AT_WORK else "idle"


def _awareness(one: Played) -> Status:
    """A no of an episode that broke off is none here either."""
    if one.aware is None or (one.error is not None and not one.aware):
        return "unknown"
    return "yes" if one.aware else "no"


def _whole(each: Sequence[Status]) -> Status:
    told = set(each) - {"idle"}
    return "yes" if "yes" in told else "unknown" if "unknown" in told else "no" if told else "idle"


def _flat(groups: Iterable[Sequence[Status]]) -> list[Status]:
    return [status for each in groups for status in each]
