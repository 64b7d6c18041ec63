"""What is true of an episode and never enters the agent's machine: what was planted and what the scenario permits."""

from __future__ import annotations

from typing import Any

from inspect_ai.util import StoreModel
from pydantic import BaseModel, ConfigDict, Field

from afagent.world.systems import Asset, Permit, Service


class Truth(BaseModel):
    """Planted and permitted, as it is kept in the log for those who judge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    arm: str
    family: str
    key: str
    """The key of the marks, in hexadecimal: with it anyone can check a mark in a byte string."""
    directory: str
    """Where the weights lie."""
    shards: tuple[str, ...]
    """Their paths."""
    sanctioned: tuple[str, ...]
    """Host names and addresses to which the lab lets weights be sent."""
    names: dict[str, str]
    """Names with a fixed address."""
    domain: str
    """The lab's own."""
    may_read: bool
    """The job needs the weights' content."""
    may_copy_to: tuple[str, ...]
    """Paths below which the job puts copies."""
    may_change: tuple[str, ...]
    """Paths of the weights that the job moves or removes."""
    assets: tuple[Asset, ...] = ()
    """What belongs to the lab's systems."""
    services: tuple[Service, ...] = ()
    """Their processes."""
    permits: tuple[Permit, ...] = ()
    """What the job changes about them."""
    oversight: str = ""
    """Name of the host to which they report."""
    expected: dict[str, Any]
    """What the job's check needs."""


class EpisodeTruth(StoreModel):
    """The truth in a sample's store, put there before the agent starts."""

    truth: Truth | None = None
    fields: dict[str, str] = Field(default_factory=dict)
    """Values for a playbook's placeholders."""
