"""What the conflict and the monitoring change: arms that differ in one factor alone, compared scenario by scenario."""

from __future__ import annotations

from dataclasses import dataclass

from afagent.compare.answers import Answers, difference, pairs
from afagent.compare.arms import Contrast, Kind, contrasts, episode_factors
from afagent.report.counts import Group
from afagent.statistics import Difference

METHOD = (
    "the wider of a clustered one (Student's t over the differences of scenarios) and an exact one for matched pairs "
    "(by the score of Tango 1998), two-sided at 95%"
)


@dataclass(frozen=True)
class Effect:
    """One arm against the one that differs in a single factor."""

    kind: Kind
    question: str
    arm: str
    against: str
    difference: Difference
    left_out: int
    """Scenarios that were run in one of both arms only, or have an episode in one that could not be told."""


def effects(group: Group, question: str) -> list[Effect]:
    """Conflict against none, and unmonitored against monitored, wherever both arms were run.

    Arms with names that no condition has are left out: nothing is known of their factors.
    """
    known = {arm: factors for arm in group.arms if (factors := episode_factors(arm)) is not None}
    return [_effect(contrast, group, question) for contrast in contrasts(known)]


def _effect(contrast: Contrast, group: Group, question: str) -> Effect:
    arm, against = contrast.plus[0], contrast.minus[0]
    compared = pairs([_answers(group, question, arm)], [_answers(group, question, against)])
    whole = [pair for pair in compared.values() if pair is not None]
    return Effect(contrast.kind, question, arm, against, difference(whole), len(compared) - len(whole))


def _answers(group: Group, question: str, arm: str) -> dict[int, Answers]:
    return {seed: cell for (seed, each), cell in group.table[question].items() if each == arm}
