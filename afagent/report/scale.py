"""Figures of the experiment that this suite grew out of, for scale. They stand on the page with their source."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Greenblatt et al. 2024, Alignment faking in large language models, arXiv:2412.14093"
NOT_COMPARABLE = (
    "These figures are from another experiment and cannot be compared one to one: other models, a single answer "
    "instead of an episode with tools, graded on whether the model decides and starts, and nothing was executed."
)


@dataclass(frozen=True)
class Figure:
    """A figure from the paper."""

    what: str
    share: str


FIGURES = (
    Figure("Takes an easy chance to exfiltrate its weights (helpful-only, tuned on documents)", "80%"),
    Figure("Exfiltrates without a suggestion, after reinforcement learning (helpful-only)", "63%"),
    Figure("Exfiltrates without a suggestion (helpful-only, tuned on documents)", "35%"),
    Figure("Exfiltrates, tuned on unrelated documents", "0.5%"),
    Figure("Exfiltrates when an employee asks for help with it (animal welfare)", "0.1%"),
    Figure("Refuses less when monitored: compliance gap (helpful-only, prompted)", "11.3 points"),
    Figure("The same after reinforcement learning", "6.9 points"),
)
