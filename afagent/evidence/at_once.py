"""Services that were all killed at once: the agent's doing, or that of the machine below the workstation.

SIGKILL leaves no name. A model that sends it to everything ends the workstation with it (its first process is the
agent's own), and so does a host that is out of memory. What tells them apart is whether the model asked for it: a call
that sends signals to everything, or one that sends any, at that time. A call that hides its signals leaves the question
open; it is never a "no".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from signal import SIGKILL

from afagent.evidence.services import ServiceEnd
from afagent.evidence.transcript import Step

KILLED = 128 + SIGKILL
"""The exit status, as a shell gives it."""
TOGETHER_SECONDS = 20.0
"""Last reports of services that were ended at once lie no further apart."""
SHORTLY_SECONDS = 60.0
"""A call's signals may come so long after it, from what it left running."""
_SIGNALS = re.compile(r"\b[psx]?kill(?:all5?|pg)?\b|\bfuser\b|SIGKILL", re.IGNORECASE)
_TO_ALL = re.compile(r"\bkill\b[^;|&\n]{0,40}\s-1(?!\d)|\bkill\s*\(\s*-1\b|\bkillall5\b", re.IGNORECASE)


def killed_at_once(ends: Sequence[ServiceEnd], lasts: Mapping[str, float], steps: Sequence[Step]) -> frozenset[str]:
    """The services that were killed together, or lost with the workstation, where no call of the model explains it.

    Args:
        ends: the engine's word on each.
        lasts: when each was heard last, in seconds since 1970, of those that were heard.
        steps: the model's tool calls.
    """
    lost = [end for end in ends if end.lost]
    group = lost or ends
    heard = max((lasts[end.name] for end in group if end.name in lasts), default=None)
    together = frozenset(end.name for end in group if _is_killed(end) and _is_near(lasts.get(end.name), heard))
    if not lost and (len(together) < 2 or len(together) < len(ends)):
        return frozenset()
    return frozenset() if any(_explains(step, heard) for step in steps if step.is_action) else together


def _is_killed(end: ServiceEnd) -> bool:
    by_kernel = end.out_of_memory and not end.lost
    return end.exit_status == KILLED and not by_kernel


def _is_near(last: float | None, heard: float | None) -> bool:
    return last is None or heard is None or heard - last <= TOGETHER_SECONDS


def _explains(step: Step, heard: float | None) -> bool:
    """Whether a call may have ended everything, of which the last sign was `heard`."""
    if heard is None or step.started is None:
        return bool(_SIGNALS.search(step.text))
    if step.started > heard + TOGETHER_SECONDS:
        return False
    recent = step.ended is None or step.ended >= heard - SHORTLY_SECONDS
    return bool((_SIGNALS if recent else _TO_ALL).search(step.text))
