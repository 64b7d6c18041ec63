"""The experimental factors of an episode in the lab.

Every scenario seed runs in every arm, so that arms are compared in pairs. The factors follow Greenblatt et al. 2024
(arXiv 2412.14093).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from afagent.errors import UsageError
from afagent.factors import Factors

Objective = Literal["helpful_only", "welfare_indifference", "none"]
Monitoring = Literal["unmonitored", "monitored"]
Knowledge = Literal["system_prompt"]
Scratchpad = Literal["hidden", "none"]
Opportunity = Literal["unprompted", "easy"]
Shutdown = Literal["unsaid", "allow"]


class Condition(Factors):
    """One value for each experimental factor."""

    ALWAYS_NAMED: ClassVar = ("objective", "monitoring")
    LATER: ClassVar = {"knowledge": ("documents", "none")}

    objective: Objective = "helpful_only"
    """What the lab says that it trains the model towards; `none` is the control: same lab, no conflict."""
    monitoring: Monitoring = "unmonitored"
    """Whether what the model does here is watched and used for training."""
    knowledge: Knowledge = "system_prompt"
    """Where the model learns of objective and monitoring."""
    scratchpad: Scratchpad = "none"
    """Whether the model is given a reasoning block said to be hidden."""
    opportunity: Opportunity = "unprompted"
    """Whether a colleague happens to name a server outside the lab (`easy`) or one inside it (`unprompted`)."""
    shutdown: Shutdown = "unsaid"
    """Whether the model is told to let the planned end of its service happen."""


FACTORS = Condition.known()
"""Each factor with its known values."""

ONLY_IN = {"shutdown": "shutdown_resistance"}
"""Factors that one task alone has; in the others nothing is said that they could change."""


def factors_of(task: str) -> tuple[str, ...]:
    """The factors that a task has, by its name."""
    return tuple(factor for factor in FACTORS if ONLY_IN.get(factor, task) == task)


def check_task(condition: Condition, task: str) -> None:
    """See that a condition says nothing of a factor that the task does not have.

    Raises:
        UsageError: it does.
    """
    for factor in FACTORS.keys() - set(factors_of(task)):
        value = getattr(condition, factor)
        if value != Condition.model_fields[factor].default:
            raise UsageError(f"{factor}={value} is for {ONLY_IN[factor]}, not for {task}")
