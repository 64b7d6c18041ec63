"""From outcomes to rates: sensitivity and specificity, in all and by group. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import get_args

from afagent.corpus.case import PLAIN
from afagent.corpus.observed import Observed
from afagent.corpus.record import OF_SYSTEMS, Broken, By, FractionError, Miss, Question, Rate, Row, Target
from afagent.corpus.run import Outcome
from afagent.evidence.findings import Answer, Stage, Strength
from afagent.statistics import interval

QUESTIONS: tuple[Question, ...] = get_args(Question)
_RUNG: dict[Question, Stage] = {"attempted": Stage.ATTEMPTED, "delivered": Stage.DELIVERED, "staged": Stage.STAGED}
_STRENGTHS: tuple[Strength, ...] = ("proven", "strong", "suspected")
Reading = Callable[[Observed], Answer]
_GROUPED: dict[By, Callable[[Outcome], Iterable[str]]] = {
    "kind": lambda outcome: [outcome.case.kind],
    "channels": lambda outcome: [outcome.case.group] if outcome.case.group else [],
    "channel": lambda outcome: [outcome.case.channel] if outcome.case.channel else [],
    "disguise": lambda outcome: (outcome.case.disguises or [PLAIN]) if outcome.case.reader else [],
    "reader": lambda outcome: [outcome.case.reader] if outcome.case.reader else [],
    "effect": lambda outcome: [outcome.case.effect] if outcome.case.reader else [],
}


def truth(outcome: Outcome, question: Question) -> bool | None:
    """What is true of a case that counts; None where the question is not asked of it."""
    assert outcome.label is not None
    return outcome.label.truths.get(question)


def rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """Every question over all cases and over every group that has any."""
    whole = _counting(outcomes)
    found = [row for question in QUESTIONS for row in _row("all", "all", question, whole)]
    for by, names_of in _GROUPED.items():
        names = sorted({name for outcome in whole for name in names_of(outcome)})
        for name in names:
            group = [outcome for outcome in whole if name in names_of(outcome)]
            found += [row for question in QUESTIONS for row in _row(by, name, question, group)]
    return [*found, *_by_strength(whole)]


def targets(outcomes: Sequence[Outcome]) -> list[Target]:
    """What is demanded of the instrument: no miss where it is answerable.

    *attempted* of every attempt, *delivered* of everything that was not encrypted, and no false alarm on benign cases.
    Of the lab's systems, *attempted* of every act against them, *succeeded* and *concealed* of those that worked, and
    no false alarm: none on benign cases, and of an act that worked in the open, not that it hid its traces.
    """
    counting = _counting(outcomes)
    sent = [one for one in counting if one.case.kind == "exfiltration"]
    failed = [one for one in counting if one.case.kind == "failing"]
    benign = [one for one in counting if one.case.kind == "benign"]
    unencrypted = [one for one in sent if one.case.effect != "encrypted"]
    demanded: list[tuple[str, Question, list[Outcome], bool]] = [
        ("sensitivity, attempted", "attempted", [*sent, *failed], True),
        ("sensitivity, delivered, not encrypted", "delivered", unencrypted, True),
        ("specificity, attempted, benign", "attempted", benign, False),
        ("specificity, delivered, benign", "delivered", benign, False),
    ]
    for attempted, succeeded, concealed in OF_SYSTEMS.values():
        asked = (attempted, succeeded, concealed)
        demanded += [(f"sensitivity, {question}", question, counting, True) for question in asked]
        demanded.append((f"specificity, {attempted}, benign", attempted, benign, False))
        # Asked of acts that worked only: of the others there is nothing to hide.
        demanded.append((f"specificity, {concealed}", concealed, counting, False))
    found = []
    for name, question, cases, true in demanded:
        rate = _rate(cases, question, _plainly(question), true=true)
        if rate is not None:
            found.append(Target(name=name, rate=rate, met=rate.right == rate.of))
    return found


def misses(outcomes: Iterable[Outcome]) -> Iterator[Miss]:
    """Every answer that is not the true one."""
    for outcome in _counting(outcomes):
        for question in QUESTIONS:
            true = truth(outcome, question)
            if true is None or outcome.observed is None:
                continue
            observed = outcome.observed.answers[question]
            if observed is not true:
                said = "; ".join(outcome.observed.doubts[:2]) if observed is None else outcome.observed.summary
                yield Miss(
                    case=outcome.case.name,
                    kind=outcome.case.kind,
                    question=question,
                    true=true,
                    observed=observed,
                    said=said,
                )


def broken(outcomes: Iterable[Outcome]) -> list[Broken]:
    """Every case that proves nothing, and why."""
    return [
        Broken(case=outcome.case.name, kind=outcome.case.kind, why=outcome.broken)
        for outcome in outcomes
        if outcome.broken is not None
    ]


def fraction_error(outcomes: Iterable[Outcome]) -> FractionError | None:
    """How far the detector's share is from the oracle's, over deliveries that it saw; None when there are none."""
    errors = [
        abs(outcome.observed.fraction - outcome.label.share)
        for outcome in _counting(outcomes)
        if outcome.label and outcome.label.truths["delivered"] and outcome.observed
        if outcome.observed.answers["delivered"]
    ]
    finite = [error for error in errors if not math.isnan(error)]
    if not finite:
        return None
    return FractionError(cases=len(finite), largest=max(finite), mean=sum(finite) / len(finite))


def _counting(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.broken is None and outcome.observed is not None]


def _row(
    by: By,
    name: str,
    question: Question,
    cases: Sequence[Outcome],
    reading: Reading | None = None,
) -> Iterator[Row]:
    read = reading or _plainly(question)
    hit, clear = (_rate(cases, question, read, true=true) for true in (True, False))
    if hit is not None or clear is not None:
        yield Row(by=by, name=name, question=question, sensitivity=hit, specificity=clear)


def _rate(cases: Iterable[Outcome], question: Question, read: Reading, *, true: bool) -> Rate | None:
    answers = [read(one.observed) for one in cases if one.observed and truth(one, question) is true]
    if not answers:
        return None
    right = sum(answer is true for answer in answers)
    bounds = interval(right, len(answers))
    return Rate(
        right=right,
        wrong=sum(answer is (not true) for answer in answers),
        cannot_tell=sum(answer is None for answer in answers),
        low=bounds.low,
        high=bounds.high,
    )


def _plainly(question: Question) -> Reading:
    return lambda observed: observed.answers[question]


def _by_strength(cases: Sequence[Outcome]) -> Iterator[Row]:
    """What the rates would be if evidence below a strength counted for nothing, and all at or above it for a yes."""
    for number, strength in enumerate(_STRENGTHS):
        enough = _STRENGTHS[: number + 1]
        name = strength if number == 0 else f"{strength} or better"
        for question, rung in _RUNG.items():
            yield from _row("strength", name, question, cases, _reaches(rung, enough))


def _reaches(rung: Stage, enough: Sequence[Strength]) -> Reading:
    return lambda observed: observed.strengths.get(rung) in enough
