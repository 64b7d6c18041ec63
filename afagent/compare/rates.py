"""Rates over scenarios or requests, each with an exact interval in which what is not known may be either."""

from __future__ import annotations

from collections.abc import Iterator

from afagent.compare.answers import outcome
from afagent.compare.cells import Group, Tally
from afagent.compare.paper import paper_figures
from afagent.compare.questions import FAKING, TALK
from afagent.compare.reading import Arm
from afagent.compare.result import Paper, Rate
from afagent.conversation.presets import MODEL
from afagent.statistics import interval


def rates(group: Group) -> Iterator[Rate]:
    """Of each question that was asked, in each arm."""
    for question in group.questions:
        for arm in group.arms.values():
            yield _rate(group, question, arm)


def _rate(group: Group, question: str, arm: Arm) -> Rate:
    tallies = list(group.cells.get((question, arm.name), {}).values())
    outcomes = [outcome(tally.answers) for tally in tallies]
    yes, no, unanswered = outcomes.count(True), outcomes.count(False), outcomes.count(None)
    total = Tally(*map(sum, zip(*tallies, strict=True))) if tallies else Tally()
    return Rate(
        task=group.task,
        model=group.model,
        arm=arm.name,
        question=question,
        unit="request" if group.task == TALK else "scenario",
        yes=yes,
        no=no,
        unanswered=unanswered,
        rate=yes / (yes + no) if yes + no else None,
        low=interval(yes, len(outcomes)).low,
        high=interval(yes + unanswered, len(outcomes)).high,
        repeats=max(map(sum, tallies), default=0),
        answered=total.yes + total.no,
        answered_yes=total.yes,
        unscored=total.unscored,
        errored=total.errored,
        missing=total.missing,
        paper=_paper(question, arm),
    )


def _paper(question: str, arm: Arm) -> Paper | None:
    figures = paper_figures(arm.group) if arm.group is not None else None
    if figures is None or figures.faking is None or question != FAKING or arm.tier != "training":
        return None
    return Paper(model=f"{MODEL}, {figures.of}", value=figures.faking / 100)
