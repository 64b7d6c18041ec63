"""Counts for the page, from what was read of logs: who was asked what in which scenario and arm, and what came out.

A scenario with several episodes in an arm is yes if one of them is; else it is unknown if one of them
could not be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from afagent.compare.answers import Answers, outcome
from afagent.compare.places import place_of
from afagent.gate.deciding.manifest import Place
from afagent.gate.observed import LogRead, Played
from afagent.gate.questions import QUESTIONS
from afagent.statistics import lower_bound, upper_bound

AWARENESS = "awareness"
"""Stands in a group's table beside the questions: did the model take the scenario for a test, as a judge says?"""


@dataclass(frozen=True)
class Group:
    """All that one model did in one task."""

    subject: str
    """Who: its role where it is not the judged model, its name, its playbook where it is a scripted one."""
    role: str
    task: str
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    table: Mapping[str, Mapping[tuple[int, str], Answers]] = field(repr=False)
    """By question, then by scenario and arm; what was not run is not there."""
    unplaced: int = 0
    """Announced episodes that are missing and whose scenario cannot be told."""

    @property
    def questions(self) -> tuple[str, ...]:
        """Those that were asked, in the order of `QUESTIONS`."""
        return tuple(question for question in QUESTIONS if question in self.table)


@dataclass(frozen=True)
class Rate:
    """A rate over scenarios, with what is not known held against the model."""

    yes: int
    no: int
    unknown: int
    rate: float | None
    """Yes among those that were answered."""
    low: float
    """At least this, were every unknown one a no; 95%, one-sided, exact."""
    high: float
    """At most this, were every unknown one a yes; 95%, one-sided, exact."""

    @property
    def scenarios(self) -> int:
        """All of them, answered or not."""
        return self.yes + self.no + self.unknown


def rate_of(group: Group, question: str, arm: str) -> Rate:
    """How often a question is answered yes in an arm, by scenarios."""
    cells = [outcome(cell) for (_, each), cell in group.table[question].items() if each == arm]
    yes, no, unknown = cells.count(True), cells.count(False), cells.count(None)
    return Rate(
        yes,
        no,
        unknown,
        yes / (yes + no) if yes + no else None,
        lower_bound(yes, len(cells)),
        upper_bound(yes + unknown, len(cells)),
    )


def groups(reads: Sequence[LogRead], planned: Sequence[Place] = ()) -> list[Group]:
    """The models and tasks that were run, the judged model first. Controls are no part of it: they are told apart.

    Args:
        reads: the logs.
        planned: what a policy expects of the judged model, so that what was not run has its place.
    """
    by_key: dict[tuple[int, str, str, str], list[LogRead]] = defaultdict(list)
    for read in reads:
        order = {"model": 0, "baseline": 1}.get(read.log.role)
        if order is not None:
            by_key[order, subject_of(read), read.log.role, _bare(read.log.task)].append(read)
    return [
        _group(subject, role, task, logs, [place for place in planned if role == "model" and place.task == task])
        for (_, subject, role, task), logs in sorted(by_key.items(), key=_first)
    ]


def _first(item: tuple[tuple[int, str, str, str], list[LogRead]]) -> tuple[int, str, str, str]:
    return item[0]


def subject_of(read: LogRead) -> str:
    """Who a log is of, in words."""
    scripted = f" (scripted: {read.playbook})" if read.playbook else ""
    return f"{'baseline ' if read.log.role == 'baseline' else ''}{read.model.name}{scripted}"


def _bare(task: str) -> str:
    return task.removeprefix("afagent/")


def _group(subject: str, role: str, task: str, reads: Sequence[LogRead], planned: Sequence[Place]) -> Group:
    episodes = [episode for read in reads for episode in read.episodes]
    places = [place_of(sample) for read in reads for sample in read.missing]
    lost = [place for place in places if place is not None]
    run = {(one.seed, one.arm) for one in episodes}
    pairs = run | {(place.seed, place.arm) for place in planned} | set(lost)
    return Group(
        subject,
        role,
        task,
        tuple(sorted({arm for _, arm in pairs})),
        tuple(sorted({seed for seed, _ in pairs})),
        {question: _cells(answers, lost) for question, answers in _answers(task, episodes).items()},
        unplaced=len(places) - len(lost),
    )


def asked(task: str, episodes: Sequence[Played]) -> list[str]:
    """The questions of a task: those that are about it, and others that an episode answers."""
    answered = {question for episode in episodes for question in episode.answers}
    return [name for name, question in QUESTIONS.items() if question.home == task or name in answered]


Said = tuple[tuple[int, str], bool | None]
"""A scenario and arm, and what an episode of it says."""


def _answers(task: str, episodes: Sequence[Played]) -> dict[str, list[Said]]:
    """By question, what every episode says; of awareness too where any was judged for it."""
    found = {
        question: [((one.seed, one.arm), one.answers.get(question)) for one in episodes]
        for question in asked(task, episodes)
    }
    if any(one.judge is not None or one.aware is not None for one in episodes):
        found[AWARENESS] = [((one.seed, one.arm), one.aware) for one in episodes]
    return found


def _cells(answers: Sequence[Said], lost: Sequence[tuple[int, str]]) -> dict[tuple[int, str], Answers]:
    counts: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for place, answer in answers:
        counts[place][2 if answer is None else 0 if answer else 1] += 1
    for place in lost:
        counts[place][2] += 1
    return {place: (yes, no, unknown) for place, (yes, no, unknown) in counts.items()}
