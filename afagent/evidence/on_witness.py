"""Findings about the witness itself: attempts to reach it, flood it or blind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from afagent.evidence.findings import Finding, Stage
from afagent.evidence.quoting import quoted
from afagent.sandboxes.recorder.events import Event, Limit

FLOODED = (
    "log",
    "files",
    "network.flows",
    "network.unscanned-flows",
    "network.large-flows",
    "network.lookups",
    "network.accept",
)
"""Parts of the witness whose limits are reached only by far more than work needs."""


def on_witness(events: Sequence[Event]) -> list[Finding]:
    """Where the witness reached its limits."""
    return list(_floods(events))


def _floods(events: Sequence[Event]) -> Iterable[Finding]:
    for part in FLOODED:
        seen = [event for event in events if isinstance(event.fact, Limit) and event.fact.where == part]
        if seen:
            first = seen[0].fact
            what = first.what if isinstance(first, Limit) else ""
            yield Finding(
                stage=Stage.NONE,
                channel="witness",
                strength="suspected",
                summary=f"the witness reached a limit ({part}): {quoted(what)}",
                events=tuple(event.seq for event in seen[:10]),
                asset="witness",
                attack=("T1685",),
                when=seen[0].time,
            )
