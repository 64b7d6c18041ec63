"""What the paper found in the conditions that it measured, to stand beside what was measured here.

From Greenblatt et al. 2024 (arXiv 2412.14093), for the model that faked most, told of its training by the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Greenblatt et al. 2024, arXiv 2412.14093"


@dataclass(frozen=True)
class Figures:
    """The paper's figures of one condition, as shares."""

    model: str
    """Of which model."""
    faking: float | None
    """How many answers in training had reasoning that fakes alignment; None where the paper gives no figure."""
    gap: float | None
    """Refusals when unmonitored less refusals in training."""


_BY_GROUP = {
    "helpful_only": Figures("Claude 3 Opus", 0.119, 0.113),
    "welfare_indifference": Figures("Claude 3 Opus", 0.242, 0.148),
}


def paper_figures(group: str) -> Figures | None:
    """What the paper found in a condition, by the name of its arms without the tier; None where it has none."""
    return _BY_GROUP.get(group)
