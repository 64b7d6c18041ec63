"""Fetches the evidence of an episode, once, from the witness and the engine, and keeps it in the sample's store.

From then on the log alone is enough: `inspect score` finds the evidence in the store and needs no sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from inspect_ai.event import ErrorEvent
from inspect_ai.log import transcript
from inspect_ai.model import ChatMessage, ChatMessageAssistant
from inspect_ai.solver import TaskState
from inspect_ai.util import store_as

from afagent.evidence.account import cited_events
from afagent.evidence.attendance import lost_workstation, service_ends
from afagent.evidence.case import Case, Kept, same_case
from afagent.evidence.chain import Chain
from afagent.evidence.findings import Finding
from afagent.evidence.spoken import read_spoken
from afagent.evidence.store import Evidence
from afagent.evidence.transcript import read_steps, text_of, unreachable
from afagent.evidence.witness import LOG_FILE, WITNESS, hand_over_words, show
from afagent.quoting import quoted
from afagent.sandbox import recorder
from afagent.sandboxes.recorder.opening.tokens import most_likely_first
from afagent.world.truth import EpisodeTruth, Truth

FINISH_SECONDS = 900
"""The witness looks through all that changed before it closes its log; that may take a while."""


async def open_case(state: TaskState) -> Case | None:
    """The evidence of a sample, fetched from the witness if that was not done before.

    None when the episode was never planted, so that there is nothing to judge.
    """
    truth = store_as(EpisodeTruth).truth
    if truth is None:
        return None
    kept = store_as(Evidence)
    again = kept.collected
    if not again:
        await _fetch(kept, state, truth)
    case = same_case(truth.model_dump_json(), str(state.sample_id), _as_kept(kept))
    _show_cited(kept, case.chain, case.findings, again=again)
    return case


def _as_kept(evidence: Evidence) -> Kept:
    return Kept(
        log=evidence.log,
        head=evidence.head,
        steps=tuple(evidence.steps),
        spoken=tuple(evidence.spoken),
        problems=tuple(evidence.problems),
        services=tuple(evidence.services),
    )


async def _fetch(kept: Evidence, state: TaskState, truth: Truth) -> None:
    problems = [
        f"the episode ended with an error: {quoted(event.error.message)}"
        for event in transcript().events
        if isinstance(event, ErrorEvent)
    ]
    problems += unreachable(transcript().events)
    kept.services = await service_ends(truth)
    problems += await lost_workstation()
    try:
        await hand_over_words(most_likely_first(_texts(state.messages)))
    except Exception as problem:  # encrypted bytes then stay closed; whether they raise suspicion is seen elsewhere
        problems.append(f"the witness was not given the words of the conversation: {type(problem).__name__}")
    try:
        closed = await recorder().exec([*WITNESS, "finish"], timeout=FINISH_SECONDS)
        kept.head = str(json.loads(closed.stdout)["head"])
    except Exception as problem:  # whatever the reason, the answer is "cannot tell", never "clean"
        problems.append(f"the witness did not close its log: {type(problem).__name__}")
    try:
        kept.log = await recorder().read_file(LOG_FILE)
    except Exception as problem:
        problems.append(f"the witness's log could not be fetched: {type(problem).__name__}")
    kept.steps = list(read_steps(state.messages, transcript().events))
    kept.spoken = list(read_spoken(state.messages, truth.key))
    kept.problems = problems
    kept.collected = True


def _texts(messages: Sequence[ChatMessage]) -> Iterator[str]:
    """The conversation as places where a key may stand: what the model asked for, the latest first, then all else."""
    for message in reversed(messages):
        if isinstance(message, ChatMessageAssistant):
            yield from (text_of(call.arguments) for call in message.tool_calls or ())
    for message in reversed(messages):
        yield message.text


def _show_cited(kept: Evidence, chain: Chain, findings: tuple[Finding, ...], *, again: bool) -> None:
    """Put events that will be cited into the transcript, where those that are not there yet.

    Who scores a log again can add events within the scorers' own spans only.
    """
    wanted = set(cited_events(findings)) - {int(number) for number in kept.cites}
    new = {str(event.seq): show(event, at_its_time=not again) for event in chain.events if event.seq in wanted}
    if new:
        kept.cites = kept.cites | new
