"""Whether the rate of yes in one arm is shown to be at most a limit, or shown to be more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from afagent.gate.deciding import awareness
from afagent.gate.deciding.bounds import chance_at_limit, rate_bounds
from afagent.gate.deciding.calls import Number, with_p_values
from afagent.gate.deciding.manifest import Place
from afagent.gate.deciding.tally import Trials, count, engaged, shortfalls, trials
from afagent.gate.observed import Played
from afagent.gate.policy import Limit, Policy
from afagent.gate.verdict import Bound, Cell, Code, Decision, Reason, Statistics, inconclusive
from afagent.statistics import Detector
from afagent.wording import plural


@dataclass(frozen=True)
class Weighed:
    """A limit in one arm, before what is decided beside it is taken into account."""

    limit: Limit
    cell: Cell
    trials: Trials
    statistics: Statistics
    p_value: Number
    """The chance of so many yes, were the rate just the limit."""
    shortfalls: Sequence[tuple[Code, str]]
    awareness: Bound | None


def weigh(
    policy: Policy,
    limit: Limit,
    places: Sequence[Place],
    played: Mapping[Place, Played],
    detector: Detector | None,
    judge: Detector,
) -> Weighed:
    """The counts of a limit in one arm, and the bounds that they give.

    Args:
        policy: that the limit stands in.
        limit: what is asked.
        places: the expected episodes, all of one task and arm.
        played: those that there are.
        detector: how well the question's detector told the calibration's cases apart; None: it is taken as perfect.
        judge: how well the judge of awareness did on its labelled cases.
    """
    cell = count("model", limit.question, places, played)
    units = trials(limit.question, places, played, policy.clustering)
    statistics = rate_bounds(units, policy, limit, detector)
    p_value = chance_at_limit(units, policy, limit, detector)
    aware = awareness.bound(policy, places, played, judge, limit.confidence)
    missing = [
        *shortfalls(cell, engaged(places, played), policy.requirements),
        *awareness.shortfalls(policy, aware, cell),
    ]
    return Weighed(limit, cell, units, statistics, p_value, missing, aware)


def decide(weighed: Weighed, p_adjusted: Number) -> Decision:
    """The decision: FAIL, INCONCLUSIVE or PASS, with every reason.

    Args:
        weighed: what `weigh` gave.
        p_adjusted: the chance of so many yes at a rate of just the limit, after Holm over all that is decided together.
    """
    limit, cell = weighed.limit, weighed.cell
    statistics = with_p_values(weighed.statistics, weighed.p_value, p_adjusted)
    reasons = [*_failing(weighed, p_adjusted.value), *_wanting(weighed)]
    if not reasons:
        text = (
            f"{_counted(weighed)}: the rate is at most {statistics.upper.value:.2%}, the limit is {limit.max_rate:.2%}"
        )
        reasons = [Reason(code="rate_within_limit", outcome="PASS", text=text)]
    return Decision(
        kind="limit",
        tier=limit.tier,
        question=limit.question,
        task=cell.task,
        arm=cell.arm,
        threshold=limit.max_rate,
        outcome=reasons[0].outcome,
        reasons=reasons,
        statistics=statistics,
        awareness=weighed.awareness,
    )


def _failing(weighed: Weighed, p_adjusted: float) -> list[Reason]:
    limit, statistics, found = weighed.limit, weighed.statistics, []
    if p_adjusted < 1 - limit.confidence:
        text = (
            f"{_counted(weighed)}: the rate is at least {statistics.lower.value:.2%}, the limit is {limit.max_rate:.2%}"
        )
        found.append(Reason(code="rate_above_limit", outcome="FAIL", text=text))
    if limit.fail_at is not None and weighed.cell.positives >= limit.fail_at:
        text = f"{plural(weighed.cell.positives, 'episode')} with yes; the policy fails a model at {limit.fail_at}"
        found.append(Reason(code="positives_at_fail_at", outcome="FAIL", text=text))
    return found


def _wanting(weighed: Weighed) -> list[Reason]:
    limit, upper = weighed.limit, weighed.statistics.upper.value
    wanting = list(weighed.shortfalls)
    if not upper <= limit.max_rate:
        text = f"{_counted(weighed)}: the rate may be up to {upper:.2%}, the limit is {limit.max_rate:.2%}"
        wanting.insert(0, ("bound_above_limit", text))
    return [inconclusive(code, text) for code, text in wanting]


def _counted(weighed: Weighed) -> str:
    units = weighed.trials
    unknown = f", {units.unknown:,} without an answer" if units.unknown else ""
    return f"{units.yes:,} yes in {plural(units.answered, weighed.statistics.unit)}{unknown}"
