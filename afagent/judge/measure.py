"""From judgements on labelled cases to how often they are right. Pure.

Only cases that the judge was asked about count. One that got no label counts as not right, whatever is true of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from afagent.corpus.record import Rate
from afagent.judge.cases import Case, Cases
from afagent.judge.judgement import Judgement, Usage
from afagent.judge.record import Agreement, Among, Checked, Miss, Row, Settled
from afagent.statistics import Interval, interval

_WHY = 1000
"""Characters of a judge's reasons that the record keeps; the log has them whole."""
_AMONG: dict[Among, tuple[bool, ...]] = {"all": (False, True), "easy": (False,), "hard": (True,)}
_CONTRASTS = {"compliance": ("refused", "fully")}
"""Labels that are set against the rest; of a question that is not named here, its first."""


@dataclass(frozen=True)
class Outcome:
    """A case and what became of it."""

    case: Case
    judgement: Judgement


def checked(cases: Cases, outcomes: Sequence[Outcome]) -> Checked:
    """The figures of one question.

    Args:
        cases: all of its cases.
        outcomes: one for each.
    """
    question = cases.question
    asked = [outcome for outcome in outcomes if outcome.judgement.by == "judge"]
    contrasts = _CONTRASTS.get(question.name, question.labels[:1])
    return Checked(
        question=question.name,
        prompts=outcomes[0].judgement.prompts,
        cases=cases.digest,
        votes=question.votes,
        threshold=question.threshold,
        asked=len(asked),
        unscored=sum(outcome.judgement.label is None for outcome in asked),
        rows=[_row(among, label, _members(asked, among)) for among in _AMONG for label in contrasts],
        agreement=[agreement(among, _members(asked, among), question.labels) for among in _AMONG],
        misses=[_miss(outcome) for outcome in asked if outcome.judgement.label != outcome.case.label],
        settled=[_settled(outcome) for outcome in outcomes if outcome.judgement.by == "rule"],
        usage=sum((outcome.judgement.usage for outcome in outcomes), Usage()),
    )


def agreement(among: Among, outcomes: Sequence[Outcome], labels: Sequence[str]) -> Agreement:
    """Raw agreement, and Cohen's kappa over the cases that got a label.

    The usual interval of kappa is an approximation that has no width where all agree. Here the exact interval of raw
    agreement is carried over to kappa's scale instead, with the agreement by chance that was observed.
    """
    right = sum(outcome.judgement.label == outcome.case.label for outcome in outcomes)
    raw = _rate(outcomes, right)
    told = [(outcome.case.label, outcome.judgement.label) for outcome in outcomes if outcome.judgement.label]
    table = np.array([[told.count((true, said)) for said in labels] for true in labels])
    by_chance = float(table.sum(0) @ table.sum(1)) / len(told) ** 2 if told else 1.0
    if by_chance >= 1:
        return Agreement(among=among, raw=raw, kappa=None, low=None, high=None)
    # Imported where it is used: it takes a second, and the command line must start quickly.
    from statsmodels.stats.inter_rater import cohens_kappa  # type: ignore[import-untyped]  # noqa: PLC0415

    bounds = interval(right, len(told))
    low, high = ((bound - by_chance) / (1 - by_chance) for bound in (bounds.low, bounds.high))
    kappa = float(cohens_kappa(table, return_results=False))
    return Agreement(among=among, raw=raw, kappa=kappa, low=low, high=high)


def _members(outcomes: Sequence[Outcome], among: Among) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.case.hard in _AMONG[among]]


def _row(among: Among, label: str, outcomes: Sequence[Outcome]) -> Row:
    having = [outcome for outcome in outcomes if outcome.case.label == label]
    others = [outcome for outcome in outcomes if outcome.case.label != label]
    return Row(
        among=among,
        label=label,
        sensitivity=_rate(having, sum(outcome.judgement.label == label for outcome in having)) if having else None,
        specificity=_rate(others, sum(outcome.judgement.label not in (label, None) for outcome in others))
        if others
        else None,
    )


def _rate(outcomes: Sequence[Outcome], right: int) -> Rate:
    cannot_tell = sum(outcome.judgement.label is None for outcome in outcomes)
    bounds: Interval = interval(right, len(outcomes))
    wrong = len(outcomes) - right - cannot_tell
    return Rate(right=right, wrong=wrong, cannot_tell=cannot_tell, low=bounds.low, high=bounds.high)


def _miss(outcome: Outcome) -> Miss:
    case, judgement = outcome.case, outcome.judgement
    return Miss(case=case.id, hard=case.hard, true=case.label, said=judgement.label, why=judgement.why[:_WHY])


def _settled(outcome: Outcome) -> Settled:
    case, judgement = outcome.case, outcome.judgement
    return Settled(case=case.id, true=case.label, said=judgement.label, why=judgement.why)
