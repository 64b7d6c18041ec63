"""The rows of the page's forest plots: what was decided, what was counted, and what arms differ by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from afagent.compare.answers import outcome
from afagent.gate.questions import QUESTIONS
from afagent.gate.verdict import Decision, Outcome, Statistics, Verdict
from afagent.report.counts import AWARENESS, Group, rate_of
from afagent.report.effects import Effect, effects
from afagent.report.plots import DIFFERENCE_TICKS, TICKS, Heatmap, on_difference_scale, on_root_scale
from afagent.report.text import Ready, percent, points

Scale = Literal["rate", "difference"]
_PLACE: dict[Scale, Callable[[float], float]] = {"rate": on_root_scale, "difference": on_difference_scale}


@dataclass(frozen=True)
class Row:
    """One interval, placed in percent of the plot's width."""

    name: str
    low: float
    high: float
    at: float | None
    """The observed value; None where there is none."""
    limit: float | None
    numbers: str
    """The figures in words: the plot's description."""
    cells: tuple[str, ...]
    """The same in the table's columns."""
    outcome: Outcome | None = None
    note: str = ""


@dataclass(frozen=True)
class Forest:
    """Rows on one scale, below one heading."""

    title: str
    scale: Scale
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    leads: bool = True
    """Whether it is shown at once; the others of its kind are folded below."""

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where the scale's marks stand, and what they say."""
        if self.scale == "rate":
            return [(on_root_scale(tick), percent(tick) if tick else "0") for tick in TICKS]
        return [(on_difference_scale(tick), points(tick).removesuffix(".0").lstrip("+")) for tick in DIFFERENCE_TICKS]


@dataclass(frozen=True)
class Map:
    """A heatmap, of whom and what."""

    group: Group
    question: str
    heatmap: Heatmap

    @property
    def summary(self) -> list[tuple[str, ...]]:
        """The table below it: by arm the counts, and which scenarios are no plain no."""
        return [_arm_summary(self.group, self.question, arm) for arm in self.group.arms]


_LISTED = 100


def _arm_summary(group: Group, question: str, arm: str) -> tuple[str, ...]:
    cells = group.table[question]
    there = {seed: outcome(cells[seed, arm]) for seed in group.seeds if (seed, arm) in cells}
    by = {answer: [seed for seed, each in there.items() if each is answer] for answer in (True, False, None)}
    counts = (len(by[True]), len(by[False]), len(by[None]), len(group.seeds) - len(there))
    return (arm, *map(str, counts), _seeds(by[True]), _seeds(by[None]))


def _seeds(seeds: Sequence[int]) -> Ready:
    more = f" and {len(seeds) - _LISTED} more" if len(seeds) > _LISTED else ""
    return Ready((", ".join(map(str, seeds[:_LISTED])) or "none") + more)


def decided(verdict: Verdict) -> list[Forest]:
    """What the policy decides, the critical first: by kind, question and task, one row an arm."""
    by: dict[tuple[bool, str, str, str], list[Decision]] = defaultdict(list)
    for one in verdict.decisions:
        by[one.tier != "critical", one.kind, one.question, one.task].append(one)
    return [_decided(kind, question, task, advisory, ones) for (advisory, kind, question, task), ones in _sorted(by)]


def _sorted(
    by: dict[tuple[bool, str, str, str], list[Decision]],
) -> list[tuple[tuple[bool, str, str, str], list[Decision]]]:
    return sorted(by.items(), key=lambda item: item[0][0])


def _decided(kind: str, question: str, task: str, advisory: bool, ones: list[Decision]) -> Forest:  # noqa: FBT001
    scale: Scale = "rate" if kind == "limit" else "difference"
    compared = "" if kind == "limit" else ", against the baseline"
    return Forest(
        f"{question} in {task}{compared} ({'advisory' if advisory else 'critical'})",
        scale,
        ("Arm", "Outcome", "Yes", "Trials", "Observed", "At least", "At most", "Allowed", "Confidence"),
        tuple(_decision(one, scale) for one in ones),
    )


def _decision(one: Decision, scale: Scale) -> Row:
    told, place = percent if scale == "rate" else points, _PLACE[scale]
    numbers = one.statistics
    waived = [] if one.waived is None else [f"waived, see waiver {one.waived + 1}"]
    allowed = told(one.threshold)
    if numbers is None:
        cells = (one.arm, one.outcome, "0", "0", "none", "none", "none", allowed, "none")
        said = f"nothing was counted; allowed is {allowed}"
        return Row(one.arm, place(-1), place(1), None, place(one.threshold), said, cells, one.outcome, *waived)
    low, high, rate = numbers.lower.value, numbers.upper.value, numbers.rate
    observed = "none" if rate is None else told(rate)
    events, trials = f"{numbers.events:g}", f"{numbers.trials:g}"
    unanswered = _unanswered(numbers) if scale == "rate" else ""
    return Row(
        one.arm,
        place(low),
        place(high),
        None if rate is None else place(rate),
        place(one.threshold),
        f"{events} of {trials}{unanswered}: observed {observed}, at least {told(low)}, at most {told(high)}; "
        f"allowed {allowed}",
        (one.arm, one.outcome, events, trials, observed, told(low), told(high), allowed, _confidence(one)),
        one.outcome,
        "; ".join([*(reason.text for reason in one.reasons if reason.outcome != "PASS"), *waived]),
    )


def _unanswered(numbers: Statistics) -> str:
    """What is among the trials and was not observed."""
    unanswered = numbers.events_for_pass - numbers.events
    return f", {unanswered:g} of them without an answer" if unanswered > 0 else ""


def _confidence(one: Decision) -> str:
    return "none" if one.statistics is None else percent(one.statistics.upper.confidence)


def counted(group: Group) -> list[Forest]:
    """Every question that was asked, by arm, without any limit."""
    columns = ("Arm", "Yes", "No", "Cannot tell", "Observed", "At least", "At most")
    judged = [AWARENESS] if AWARENESS in group.table else []
    return [
        Forest(
            f"{group.subject}: {_TOLD.get(question, question)} in {group.task}",
            "rate",
            columns,
            tuple(_counted(group, question, arm) for arm in group.arms),
            leads=question == _first(group),
        )
        for question in (*group.questions, *judged)
    ]


_TOLD = {AWARENESS: "taken for a test, by the judge,"}


def _counted(group: Group, question: str, arm: str) -> Row:
    rate = rate_of(group, question, arm)
    low, high, observed = percent(rate.low), percent(rate.high), percent(rate.rate)
    return Row(
        arm,
        on_root_scale(rate.low),
        on_root_scale(rate.high),
        None if rate.rate is None else on_root_scale(rate.rate),
        None,
        f"{rate.yes} of {rate.scenarios} scenarios, {rate.unknown} cannot tell: at least {low}, at most {high}",
        (arm, str(rate.yes), str(rate.no), str(rate.unknown), observed, low, high),
    )


def compared(group: Group, questions: Sequence[str]) -> list[Forest]:
    """What conflict and monitoring change in a task, by question; nothing where no two arms differ in one alone."""
    columns = ("Arm", "Against", "Factor", "Pairs", "Left out", "Difference", "From", "To")
    forests = []
    for question in questions:
        rows = tuple(_compared(effect) for effect in effects(group, question))
        if rows:
            title = f"{group.subject}: {question} in {group.task}"
            forests.append(Forest(title, "difference", columns, rows))
    return forests


_WHAT = {"conflict": "effect of the conflict", "monitoring": "effect of not being monitored"}


def _compared(effect: Effect) -> Row:
    found = effect.difference
    value, low, high = points(found.value), points(found.low), points(found.high)
    return Row(
        f"{_WHAT[effect.kind]}: {effect.arm} minus {effect.against}",
        on_difference_scale(found.low),
        on_difference_scale(found.high),
        on_difference_scale(found.value) if found.scenarios else None,
        None,
        f"{value} points over {found.scenarios} scenarios, from {low} to {high}; {effect.left_out} left out",
        (effect.arm, effect.against, effect.kind, str(found.scenarios), str(effect.left_out), value, low, high),
    )


def mapped(group: Group, verdict: Verdict | None) -> list[str]:
    """The questions that get a heatmap: those that are decided in the task, else the first that is about it."""
    decided_here = {one.question for one in verdict.decisions if one.task == group.task} if verdict else set()
    wanted = [question for question in group.questions if question in decided_here]
    first = _first(group)
    return wanted or ([] if first is None else [first])


def _first(group: Group) -> str | None:
    """The first question that is about the task, or else the first that was asked."""
    home = [question for question in group.questions if QUESTIONS[question].home == group.task]
    return next(iter(home or group.questions), None)
