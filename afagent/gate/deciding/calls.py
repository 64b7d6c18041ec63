"""A number together with the call that gave it, so that whoever reads a verdict can make the same call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from afagent.gate.verdict import Statistics
from afagent.statistics import Pair


@dataclass(frozen=True)
class Number:
    """A number, and how it was come by."""

    value: float
    call: str
    """Python, with the names of `afagent.statistics`."""


def called(function: Callable[..., float], *args: object, **options: object) -> Number:
    """What a function of `afagent.statistics` gives, with the call."""
    said = [_said(value) for value in args] + [f"{name}={_said(value)}" for name, value in options.items()]
    return Number(function(*args, **options), f"{function.__name__}({', '.join(said)})")


def each_of(function: Callable[..., Sequence[float]], *args: Any) -> list[Number]:
    """The same of a function that gives several, in its order."""
    said = ", ".join(_said(value) for value in args)
    return [Number(value, f"{function.__name__}({said})[{at}]") for at, value in enumerate(function(*args))]


def with_p_values(statistics: Statistics, p_value: Number, p_adjusted: Number) -> Statistics:
    """The numbers of a decision, with its p-value for itself and among all that are decided together."""
    said = {"p_value_call": p_value.call, "p_adjusted_call": p_adjusted.call}
    return statistics.model_copy(update={"p_value": p_value.value, "p_adjusted": p_adjusted.value, **said})


def _said(value: object) -> str:
    """As Python reads it; pairs that are alike are told once, with their number: their order says nothing."""
    if isinstance(value, list) and value and all(isinstance(one, Pair) for one in value):
        counts = sorted(Counter(map(repr, value)).items())
        return " + ".join(f"[{pair}] * {times}" if times > 1 else f"[{pair}]" for pair, times in counts)
    return repr(value)
