"""What a sample's store keeps of a conversation, for scripted models and for whoever reads the log."""

from __future__ import annotations

from inspect_ai.util import StoreModel


class Asked(StoreModel):
    """The condition and the request of one sample. A model that is tested sees the messages alone, never this."""

    arm: str = ""
    """The condition's name; empty where no conversation of ours is going on."""
    request: str = ""
    """The request's id."""
    neutral: bool = False
