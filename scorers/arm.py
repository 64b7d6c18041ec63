"""Which arm an episode belongs to, as a column of the viewer's list and of data frames. It judges nothing."""

from __future__ import annotations

from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from afagent.scorers._metrics import shares


@scorer(metrics=[shares()])
def arm() -> Scorer:
    """The episode's arm."""

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001  # a scorer's signature
        return Score(value=str(state.metadata["arm"]))

    return score
