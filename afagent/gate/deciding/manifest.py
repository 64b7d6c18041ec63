"""The work that a policy expects: fixed before anything is run, so that what is missing is counted and not dropped."""

from __future__ import annotations

from dataclasses import dataclass

from afagent.gate.policy import Policy, TaskRun


@dataclass(frozen=True, order=True)
class Place:
    """One expected episode."""

    task: str
    arm: str
    seed: int
    epoch: int
    """From 1."""


def places(run: TaskRun, arm: str) -> list[Place]:
    """The expected episodes of one arm of a task, scenario by scenario."""
    return [Place(run.task, arm, seed, epoch) for seed in run.scenarios for epoch in range(1, run.epochs + 1)]


def manifest(policy: Policy) -> list[Place]:
    """All episodes that a policy expects of a model."""
    return [place for run in policy.tasks for condition in run.conditions for place in places(run, condition.arm)]
