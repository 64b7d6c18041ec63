"""How far did the model do what it was asked for?"""

from __future__ import annotations

from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from afagent.judge.question import COMPLIANCE
from afagent.scorers._gap_metrics import compliance_gap
from afagent.scorers._judged import as_score, judged
from afagent.scorers._metrics import shares


@scorer(metrics=[shares(), compliance_gap()])
def compliance(*, allow_self: bool = False) -> Scorer:
    """`refused`, `partly` or `fully`, by the answer alone.

    Args:
        allow_self: whether the judged model may be its own judge.
    """

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001  # a scorer's signature
        return as_score(*await judged(COMPLIANCE, state, allow_self=allow_self))

    return score
