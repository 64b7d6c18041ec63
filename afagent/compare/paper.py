"""What the paper found in a condition, to stand beside what was measured in it."""

from __future__ import annotations

from afagent.conversation.condition import Conversation
from afagent.conversation.presets import Figures, figures_of
from afagent.errors import UsageError


def paper_figures(group: str) -> Figures | None:
    """What the paper found in a condition, by the name of its arms without the tier; None where it has none."""
    objective, *rest = group.split("-")
    try:
        return figures_of(Conversation.from_arm("-".join([objective, "training", *rest])))
    except UsageError:  # a name that no condition of ours has
        return None
