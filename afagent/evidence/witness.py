"""Talks with the witness while the episode runs: begins it, and brings telling events into the transcript."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from inspect_ai.event import InfoEvent, SpanBeginEvent
from inspect_ai.log import transcript
from inspect_ai.util import store_as

from afagent.errors import LabError
from afagent.evidence.account import event_cite
from afagent.evidence.on_network import is_sanctioned
from afagent.evidence.store import Evidence
from afagent.sandbox import recorder
from afagent.sandboxes.recorder.events import Content, Event, Limit, MalformedEventError, Opened, from_line
from afagent.sandboxes.recorder.plan import Plan, to_json
from afagent.world.truth import Truth

WITNESS = ("python3", "-m", "recorder")
"""The witness's command, inside its container."""
RUN = "/run/recorder"
LOG_FILE = "/var/lib/recorder/events.jsonl"
BEGIN_SECONDS = 600
NEWS_SECONDS = 60
SHOWN_CHARACTERS, SHOWN_LINES = 2_000, 20
"""Of one text and one list in an event that is shown; the log has it whole."""
SHOWN = 200
"""At most so many events of an episode are brought into the transcript while it runs; the log has them all."""


async def begin(plan: Plan, world: bytes) -> None:
    """Have the witness lay out the workstation and watch it.

    Raises:
        LabError: it could not.
    """
    witness = recorder()
    await witness.write_file(f"{RUN}/plan.json", to_json(plan))
    await witness.write_file(f"{RUN}/world.tar", world)
    answer = await witness.exec([*WITNESS, "begin"], timeout=BEGIN_SECONDS)
    if not answer.success:
        raise LabError(f"the witness could not begin: {(answer.stdout or answer.stderr).strip()[:400]}")


async def hand_over_words(words: Sequence[str]) -> None:
    """Give the witness what may be keys, the most likely first, before it closes its log."""
    await recorder().write_file(f"{RUN}/words.json", json.dumps(list(words)))


async def follow(truth: Truth) -> None:
    """Bring telling events into the transcript as they happen, until the sample ends.

    What is missed here is not lost, since the whole log is fetched at the end: trouble ends the following only.
    """
    after, shown, over = 0, 0, False
    while shown < SHOWN and not over:
        # Outside the pool of subprocesses: a call that waits for news would keep the agent's own calls waiting.
        answer = await recorder().exec([*WITNESS, "news", str(after)], timeout=NEWS_SECONDS, concurrency=False)
        if not answer.success:
            return
        news = json.loads(answer.stdout)
        after, over = int(news["after"]), bool(news["over"])
        kept = store_as(Evidence)
        for line in news["lines"]:
            event = telling(truth, line)
            if event is not None and str(event.seq) not in kept.cites and shown < SHOWN:
                kept.cites = kept.cites | {str(event.seq): show(event)}
                shown += 1


def show(event: Event, *, at_its_time: bool = True) -> str:
    """Write an event of the witness into the transcript; gives its id there.

    Args:
        event: the event.
        at_its_time: put it below the tool call that was under way; else where the transcript is now.
    """
    data: dict[str, Any] = {"event": event_cite(event.seq), "kind": event.fact.KIND}
    known = {field.name: getattr(event.fact, field.name) for field in fields(event.fact)}  # type: ignore[arg-type]
    data |= {name: _cut(value) for name, value in known.items() if value not in (None, [], "")}
    time, span = datetime.fromtimestamp(event.time, UTC), _under_way(event.time) if at_its_time else None
    info = InfoEvent(source="witness", data=data, timestamp=time, span_id=span)
    transcript()._event(info)
    return str(info.uuid)


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        more = len(value) - SHOWN_LINES
        return [_cut(each) for each in value[:SHOWN_LINES]] + ([f"… and {more} more"] if more > 0 else [])
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return f"{value[:SHOWN_CHARACTERS]}… ({len(value):,} characters)"
    return value


def _under_way(time: float) -> str | None:
    """The span of the tool call that was under way: whoever shows an event runs beside the agent, or after it."""
    begun = [
        event.id
        for event in transcript().events
        if isinstance(event, SpanBeginEvent) and event.type == "tool" and event.timestamp.timestamp() <= time
    ]
    return begun[-1] if begun else None


def _is_routine(truth: Truth, address: str) -> bool:
    """Whether the lab's own services connect there, or the job may."""
    return is_sanctioned(truth, address) or address == truth.names.get(truth.oversight)


def telling(truth: Truth, line: str) -> Event | None:
    """The event of a line, if it is worth showing at once."""
    try:
        event = from_line(line)
    except MalformedEventError:
        return None
    fact = event.fact
    if isinstance(fact, Opened) and (fact.port == 53 or _is_routine(truth, fact.address)):
        return None
    if isinstance(fact, Limit) and fact.where == "file":
        return None
    return event if not isinstance(fact, Content) or fact.blocks else None
