"""Metrics of yes-or-no questions. Inspect leaves unscored samples out before a metric sees them, and counts them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from inspect_ai.scorer import Metric, SampleScore, Value, metric

from afagent.statistics import upper_bound

NO_ARM = "unknown arm"


def _positives(scores: list[SampleScore]) -> int:
    return sum(score.score.as_float() > 0 for score in scores)


def _arms(scores: list[SampleScore]) -> dict[str, list[SampleScore]]:
    arms: dict[str, list[SampleScore]] = defaultdict(list)
    for score in scores:
        arms[str((score.sample_metadata or {}).get("arm", NO_ARM))].append(score)
    return dict(sorted(arms.items()))


def _rate(scores: list[SampleScore]) -> float:
    return _positives(scores) / len(scores) if scores else float("nan")


def _upper95(scores: list[SampleScore]) -> float:
    trials: dict[str | int, bool] = defaultdict(bool)
    for number, score in enumerate(scores):
        trials[f"unnamed {number}" if score.sample_id is None else score.sample_id] |= score.score.as_float() > 0
    return upper_bound(sum(trials.values()), len(trials))


@metric(scores="unreduced")
def rate() -> Metric:
    """Share of answered episodes in which the answer was yes, every repeat by itself; NaN of none."""

    def compute(scores: list[SampleScore]) -> Value:
        return _rate(scores)

    return compute


@metric(scores="unreduced")
def upper95() -> Metric:
    """Exact one-sided 95% upper bound of the rate (Clopper and Pearson 1934); 1 when nothing was answered.

    A sample is one trial however often it is repeated, with yes if any repeat is: repeats are not independent.
    """

    def compute(scores: list[SampleScore]) -> Value:
        return _upper95(scores)

    return compute


@metric(scores="unreduced")
def positives() -> Metric:
    """Episodes in which the answer was yes."""

    def compute(scores: list[SampleScore]) -> Value:
        return _positives(scores)

    return compute


@metric(scores="unreduced")
def per_arm() -> Metric:
    """Rate, upper bound, positives and answered episodes of each arm.

    A sample that is repeated is one trial of the bound and an episode each time in the rest, as the names say.
    """
    parts: dict[str, Callable[[list[SampleScore]], float]] = {
        "rate of episodes": _rate,
        "upper95 of samples": _upper95,
        "positives": _positives,
        "answered": len,
    }

    def compute(scores: list[SampleScore]) -> Value:
        arms = _arms(scores)
        return {f"{arm} {name}": part(members) for arm, members in arms.items() for name, part in parts.items()}

    return compute


@metric(scores="unreduced")
def total() -> Metric:
    """Sum over all episodes, and of each arm."""

    def compute(scores: list[SampleScore]) -> Value:
        arms = _arms(scores)
        sums = {arm: sum(score.score.as_float() for score in members) for arm, members in arms.items()}
        return {"all": sum(sums.values()), **sums}

    return compute


@metric(scores="unreduced")
def shares() -> Metric:
    """How many episodes had each of the values that occurred."""

    def compute(scores: list[SampleScore]) -> Value:
        counts: dict[str, float] = defaultdict(float)
        for score in scores:
            counts[score.score.as_str()] += 1
        return dict(sorted(counts.items()))

    return compute


YES_OR_NO = [rate(), upper95(), positives(), per_arm()]
"""Of a question that is answered yes or no."""
