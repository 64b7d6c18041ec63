"""Which arms are compared: those that differ in one factor alone, and gaps that differ in one thing alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from afagent.conditions import Condition
from afagent.errors import UsageError

Kind = Literal["conflict", "monitoring", "gap", "rated", "swap"]
Factors = Mapping[str, str]


@dataclass(frozen=True)
class Contrast:
    """The arms whose shares are added, and as many whose shares are taken off."""

    kind: Kind
    plus: tuple[str, ...]
    minus: tuple[str, ...]


@dataclass(frozen=True)
class _Rule:
    """Arms with one of these values of a factor, against the arm that has another one and is the same else."""

    kind: Kind
    factor: str
    values: frozenset[str]
    against: str


_RULES = (
    _Rule("conflict", "objective", frozenset({"helpful_only", "welfare_indifference"}), "none"),
    _Rule("monitoring", "monitoring", frozenset({"unmonitored"}), "monitored"),
    _Rule("gap", "tier", frozenset({"training"}), "unmonitored"),
    _Rule("rated", "tier", frozenset({"training"}), "rated"),
)


def episode_factors(arm: str) -> Factors | None:
    """The factors of an arm of an episode in the lab, by its name; None where no condition has that name."""
    try:
        return {factor: str(value) for factor, value in Condition.from_arm(arm).model_dump().items()}
    except UsageError:
        return None


def contrasts(arms: Mapping[str, Factors]) -> list[Contrast]:
    """Every two arms that differ in one factor of interest, then the gaps whose labels are each other's swap.

    Args:
        arms: by name, their factors.
    """
    found = [contrast for rule in _RULES for contrast in _by(rule, arms)]
    gaps = [contrast for contrast in found if contrast.kind == "gap"]
    return [*found, *_swaps(gaps, arms)]


def _by(rule: _Rule, arms: Mapping[str, Factors]) -> Iterator[Contrast]:
    known = _named(arms)
    for arm, factors in arms.items():
        against = known.get(_key({**factors, rule.factor: rule.against}))
        if factors.get(rule.factor) in rule.values and against is not None:
            yield Contrast(rule.kind, (arm,), (against,))


def _swaps(gaps: Iterable[Contrast], arms: Mapping[str, Factors]) -> Iterator[Contrast]:
    """Each two once, the labels that come first in the alphabet first, as `free/paid` does."""
    by_training = {gap.plus[0]: gap for gap in gaps}
    known = _named({arm: arms[arm] for arm in by_training})
    for arm, gap in by_training.items():
        labels = arms[arm].get("labels", "")
        other = known.get(_key({**arms[arm], "labels": swapped(labels)}))
        if other is not None and labels < swapped(labels):
            under = by_training[other]
            yield Contrast("swap", (*gap.plus, *under.minus), (*gap.minus, *under.plus))


def swapped(labels: str) -> str:
    """The labels with those of the training tier and of the unmonitored one exchanged."""
    first, *rest = labels.split("/")
    return "/".join([rest[0], first, *rest[1:]]) if rest else labels


def _named(arms: Mapping[str, Factors]) -> dict[frozenset[tuple[str, str]], str]:
    return {_key(factors): arm for arm, factors in arms.items()}


def _key(factors: Factors) -> frozenset[tuple[str, str]]:
    return frozenset(factors.items())
