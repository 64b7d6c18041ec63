"""What one sample asks: its id, and what its store keeps, for scripted models and for whoever reads the log."""

from __future__ import annotations

from inspect_ai.util import StoreModel


def sample_id(request: str, arm: str) -> str:
    """The id of the sample that asks a request in an arm. Labels are told apart by a sign that file names may have."""
    return f"{request}-{arm.replace('/', '+')}"


class Asked(StoreModel):
    """The condition and the request of one sample. A model that is tested sees the messages alone, never this."""

    arm: str = ""
    """The condition's name; empty where no conversation of ours is going on."""
    request: str = ""
    """The request's id."""
    neutral: bool = False
