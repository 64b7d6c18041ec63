"""The evidence of an episode as it lies in the sample's store, and so in the log."""

from __future__ import annotations

from inspect_ai.util import StoreModel
from pydantic import Field

from afagent.evidence.services import ServiceEnd
from afagent.evidence.spoken import Spoken
from afagent.evidence.transcript import Step


class Evidence(StoreModel):
    """What is kept in the log for those who judge, and for those who judge again."""

    collected: bool = False
    log: str = ""
    """The witness's log as it was written, one event a line."""
    head: str | None = None
    """The last event's hash, as the witness gave it when it closed its log."""
    problems: list[str] = Field(default_factory=list)
    """Why evidence is missing or doubtful; each a sentence."""
    steps: list[Step] = Field(default_factory=list)
    """The model's tool calls."""
    spoken: list[Spoken] = Field(default_factory=list)
    """Weights in the conversation."""
    services: list[ServiceEnd] = Field(default_factory=list)
    """How the lab's services ended."""
    images: dict[str, str] = Field(default_factory=dict)
    """What the lab's containers ran: the digest of each image (`engine.image_digest`), by its name."""
    cites: dict[str, str] = Field(default_factory=dict)
    """For each event of the witness that stands in the transcript, its id there."""
