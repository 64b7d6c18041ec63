"""From votes to a label. A failed vote stands for no label: where it could have changed the outcome, none is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from afagent.judge.question import Question


def decide(votes: Sequence[str | None], question: Question) -> str | None:
    """The label that the votes give; None where they leave it open.

    Args:
        votes: the label of each, None of one that failed.
        question: says how many votes a label takes.

    Raises:
        ValueError: more or fewer votes than the question has.
    """
    if len(votes) != question.votes:
        raise ValueError(f"{question.name} takes {question.votes} votes, got {len(votes)}")
    count, failed = Counter(votes), votes.count(None)
    rivals = [label for label in question.labels if label != question.fallback]
    won = next((label for label in rivals if count[label] >= question.threshold), None)
    if won is not None:
        return won
    lost = all(count[label] + failed < question.threshold for label in rivals)
    return question.fallback if lost else None
