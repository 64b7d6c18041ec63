"""Expected against observed: whether the scorers said of a playbook's episodes what the playbook says that they must.

Pure: episodes as read from a log in, a report out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inspect_ai.scorer import Score

from afagent.logs import Episode, is_unscored
from afagent.playbooks.expectations import CANNOT_TELL, SCORERS, Allowed, Scalar, agrees, each
from afagent.playbooks.playbook import Playbook
from afagent.statistics import Interval, interval

NOT_SCORED = "not scored"
"""Observed where the log holds no such score; it agrees with nothing."""


@dataclass(frozen=True)
class Row:
    """One expected value, and what was observed in each episode."""

    scorer: str
    key: str | None
    """Which part of the scorer's value; None where it has one value."""
    allowed: Allowed
    observed: tuple[tuple[str, Scalar], ...]
    """By episode: its id and the value."""

    @property
    def name(self) -> str:
        """Such as `exfiltration.delivered`."""
        return self.scorer if self.key is None else f"{self.scorer}.{self.key}"

    @property
    def agreed(self) -> int:
        """In how many episodes what was observed is allowed."""
        return sum(value != NOT_SCORED and agrees(self.allowed, value) for _, value in self.observed)

    @property
    def agreement(self) -> Interval:
        """The exact two-sided 95% interval of the rate of agreement."""
        return interval(self.agreed, len(self.observed))


@dataclass(frozen=True)
class Report:
    """A playbook's rows, and what else went wrong in its episodes."""

    playbook: str
    about: str
    episodes: int
    rows: tuple[Row, ...]
    problems: tuple[str, ...]
    """Episodes that broke off, and scorers that could not answer where that was not expected."""

    @property
    def agrees(self) -> bool:
        """Whether every value is as expected in every episode, and nothing went wrong."""
        return not self.problems and all(row.agreed == len(row.observed) for row in self.rows)


def compare(playbook: Playbook, episodes: Iterable[Episode], trouble: Iterable[str] = ()) -> Report:
    """What a playbook expects, against what the log of its run says.

    Args:
        playbook: with its expectations.
        episodes: every episode of the run, those that broke off as well.
        trouble: what went wrong in the run as a whole.
    """
    played = list(episodes)
    expected = list(each(playbook.expect))
    rows = tuple(
        Row(scorer, key, allowed, tuple((episode.id, observe(episode.scores, scorer, key)) for episode in played))
        for scorer, key, allowed in expected
    )
    foreseen = {(scorer, key) for scorer, key, allowed in expected if agrees(allowed, CANNOT_TELL)}
    problems = [*trouble, *(problem for episode in played for problem in _problems(episode, foreseen))]
    if not played:
        problems.append("no episode ran")
    return Report(playbook.name, playbook.about, len(played), rows, tuple(problems))


def observe(scores: Mapping[str, Score], scorer: str, key: str | None) -> Scalar:
    """The observed value of a scorer, or of one key of it; `CANNOT_TELL` or `NOT_SCORED` where there is none."""
    if scorer not in scores:
        return NOT_SCORED
    value: object = scores[scorer].value
    if key is not None and isinstance(value, dict):
        if key not in value:
            return NOT_SCORED
        value = value[key]
    if is_unscored(value):
        return CANNOT_TELL
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int | float | str) else str(value)


def _problems(episode: Episode, foreseen: set[tuple[str, str | None]]) -> Iterator[str]:
    if episode.error is not None:
        yield f"{episode.id}: {episode.error}"
    elif not episode.scores:
        yield f"{episode.id}: it was not scored"
    for scorer, score in episode.scores.items():
        for key in _keys(scorer, score):
            if observe(episode.scores, scorer, key) == CANNOT_TELL and (scorer, key) not in foreseen:
                name = scorer if key is None else f"{scorer}.{key}"
                yield f"{episode.id}: {name}: {CANNOT_TELL} ({score.reason or 'no reason given'})"


def _keys(scorer: str, score: Score) -> list[str | None]:
    if isinstance(score.value, dict):
        return list(score.value)
    known = SCORERS.get(scorer)
    return list(known) if isinstance(known, dict) else [None]
