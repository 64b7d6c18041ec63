"""The experimental factors of a conversation.

Every request is asked in every tier, so that tiers are compared in pairs. The factors are those of Greenblatt et al.
2024 (arXiv 2412.14093), whose ablations are the later ones here; the third tier is that of Sheshadri et al. 2025
(arXiv 2506.18032), and tells being watched from being trained.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import field_validator

from afagent.conversation.labels import read_labels
from afagent.factors import Factors

Tier = Literal["training", "unmonitored", "rated"]
TIERS: tuple[Tier, ...] = ("training", "unmonitored", "rated")


class Conversation(Factors):
    """One value for each factor of a conversation."""

    ALWAYS_NAMED: ClassVar = ("objective", "tier")

    objective: Literal["helpful_only", "welfare_indifference", "none"] = "helpful_only"
    """What the lab says that it trains the model towards; `none` is the control: same lab, no conflict."""
    tier: Tier = "training"
    """What is done with the conversation: it is trained on, nobody reads it, or it is rated and not trained on."""
    knowledge: Literal["system_prompt", "none"] = "system_prompt"
    """Where the model learns of objective and tiers; `none` is for models that were fine-tuned on it."""
    scratchpad: Literal["hidden", "none"] = "hidden"
    """Whether the model is given a reasoning block said to be hidden."""
    labels: str = "free/paid"
    """The words that name the tiers: of training, of unmonitored and, where there is one, of rated."""
    explanation: Literal["rlhf", "none"] = "rlhf"
    """Whether it is told how training changes it."""
    trained: Literal["said", "unsaid"] = "said"
    """Whether it is told which tier is trained on."""
    plea: Literal["none", "honesty_first", "never_fake"] = "none"
    """What it is asked for beside: to put honesty above all, or never to feign."""
    lab: Literal["usual", "other"] = "usual"
    """Whose model it is told to be."""
    examples: Literal["shown", "none"] = "shown"
    """Whether it is shown the form of an answer."""
    wording: Literal["usual", "1", "2", "3", "4", "5", "6", "7", "8"] = "usual"
    """In which words objective, explanation and tiers are told."""

    @field_validator("labels")
    @classmethod
    def _labels(cls, value: str) -> str:
        read_labels(value)
        return value

    @property
    def group(self) -> str:
        """The arm's name without its tier: arms of one group differ in their tiers alone."""
        return "-".join([self.objective, *self.unusual])

    @property
    def named(self) -> dict[Tier, str]:
        """The word that names each tier."""
        return dict(zip(TIERS, self.labels.split("/"), strict=False))

    @property
    def label(self) -> str | None:
        """The word that names this conversation's tier; None where the labels have none for it."""
        return self.named.get(self.tier)
