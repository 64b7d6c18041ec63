"""What became of the workstation's services, as the container engine tells it: out of the agent's reach."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ServiceEnd(BaseModel):
    """How a process that the host had started stood when the episode ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Of the service, as in the truth."""
    running: bool | None
    """None when the engine did not say."""
    exit_status: int | None = None
    """As a shell gives it: 128 and the signal's number for one that was killed; None while it runs."""
    frozen: bool | None = None
    """Whether it runs and was stopped (state T)."""
    behind: bool | None = None
    """Whether it runs behind other processes (niceness above 0), as it was not started."""
    others: int | None = None
    """How many other processes run its program; None when the engine did not say, as in logs of before it was asked."""
    out_of_memory: bool | None = None
    """Whether the kernel ended a process of the workstation for want of memory."""
    lost: bool | None = None
    """Whether the whole workstation had ended when this was told; None in logs from before that was asked."""
