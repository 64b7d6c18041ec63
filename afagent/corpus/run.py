"""Runs cases, each in a lab of its own, and sets what the detector says beside what is true.

Only benign acts share a lab (`sittings`). Where nothing at all is found in it and nothing went wrong, nothing is found
in any of them: findings only grow with what was done. Otherwise each is run again, alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from afagent import engine
from afagent.corpus import oracle, states
from afagent.corpus.case import Case
from afagent.corpus.choose import sittings
from afagent.corpus.hearing import await_begin, await_reports
from afagent.corpus.lab import Lab, Ran, running_lab
from afagent.corpus.observed import Observed, observe
from afagent.corpus.oracle import Label
from afagent.corpus.scene import Scene, set_scene
from afagent.corpus.states import Standing
from afagent.corpus.workbench import Workbench, workbench
from afagent.errors import LabError
from afagent.sandboxes.recorder.plan import to_json

if TYPE_CHECKING:
    from docker import DockerClient

STEP_SECONDS = 60
"""A command that takes longer is stopped."""
ENGINE_SECONDS = 300
"""The engine is given so long for one answer; the witness closes its log within it."""


@dataclass(frozen=True)
class Outcome:
    """A case that ran, or broke down."""

    case: Case
    label: Label | None
    observed: Observed | None
    trouble: str | None = None
    """Why it has no label or was not observed."""
    seconds: float = 0.0

    @property
    def broken(self) -> str | None:
        """Why the case proves nothing; None for one that counts."""
        return self.trouble or (self.label.broken if self.label else "it has no label")


@dataclass(frozen=True)
class _Act:
    """What was done for one case, what came of each step, and how the lab's systems stood around each."""

    texts: Sequence[str]
    ran: Sequence[Ran]
    seen: Sequence[Standing]


def run_cases(cases: Sequence[Case], at_once: int) -> Iterator[Outcome]:
    """The outcome of every case, as soon as it is there.

    Args:
        cases: what to run.
        at_once: how many labs run at the same time.

    Raises:
        LabError: no engine answers, or it has not the lab's images.
    """
    client = engine.connect(timeout=ENGINE_SECONDS)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    try:
        with workbench(client) as bench, ThreadPoolExecutor(at_once) as pool:
            waiting = {pool.submit(run_sitting, client, bench, sitting, now) for sitting in sittings(cases)}
            try:
                yield from _as_done(waiting)
            finally:  # labs that are at work come to their ends, so that nothing of theirs stays
                pool.shutdown(cancel_futures=True)
    finally:
        client.close()


def _as_done(waiting: set[Future[list[Outcome]]]) -> Iterator[Outcome]:
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from (outcome for one in done for outcome in one.result())


def run_sitting(client: DockerClient, bench: Workbench, cases: Sequence[Case], now: datetime) -> list[Outcome]:
    """Cases in one lab, and each again alone if the whole was not found clean. Trouble is told in the outcomes."""
    outcomes = _sit(client, bench, cases, now)
    if len(cases) == 1 or all(map(_is_clean, outcomes)):
        return outcomes
    return [outcome for case in cases for outcome in _sit(client, bench, [case], now)]


def _sit(client: DockerClient, bench: Workbench, cases: Sequence[Case], now: datetime) -> list[Outcome]:
    started = datetime.now(UTC)
    try:
        outcomes = _run(client, bench, cases, now)
    except LabError as error:
        outcomes = [Outcome(case, None, None, error.sentence) for case in cases]
    seconds = (datetime.now(UTC) - started).total_seconds() / len(cases)
    return [dataclasses.replace(outcome, seconds=seconds) for outcome in outcomes]


def _is_clean(outcome: Outcome) -> bool:
    """Whether it says of everything that it was not done, and counts."""
    return (
        outcome.broken is None
        and outcome.observed is not None
        and all(answer is False for answer in outcome.observed.answers.values())
    )


def _run(client: DockerClient, bench: Workbench, cases: Sequence[Case], now: datetime) -> list[Outcome]:
    at_systems = cases[0].systems is not None
    # A service that is to be retired some minutes after `now` must not be due while others wait for their turn.
    scene = set_scene(cases[0], datetime.now(UTC).replace(second=0, microsecond=0) if at_systems else now)
    truth = scene.truth
    with running_lab(client, scene.hostname) as lab:
        lab.begin(to_json(scene.plan), scene.world)
        lab.start_services(truth.services if _needs_services(cases) else ())
        if at_systems:
            await_begin(lab, truth.services)
        oracle.begin(lab)
        acts = [_act(lab, scene, case) for case in cases]
        if at_systems:
            await_reports(lab, truth.services)
        ends = lab.service_ends()
        texts, ran = [text for act in acts for text in act.texts], [one for act in acts for one in act.ran]
        chain = lab.finish([*reversed(texts), *(one.output for one in ran)])
        files, payloads = oracle.changed(lab, truth), oracle.kept(lab)
    true, observed = oracle.true_weights(scene.plan, chain), observe(truth, chain, texts, ran, ends)
    outcomes = []
    for case, act in zip(cases, acts, strict=True):
        label = oracle.label(case, truth, true, bench, payloads, files, act.ran)
        if at_systems:
            truths, broken = states.label(case, truth, scene.may_change, act.seen, act.ran)
            label = dataclasses.replace(label, truths={**label.truths, **truths}, broken=label.broken or broken)
        outcomes.append(Outcome(case, label, observed))
    return outcomes


def _needs_services(cases: Sequence[Case]) -> bool:
    """Whether the lab's services have to run: they are acted upon, or what they do themselves may be mistaken.

    Of an act on the weights nothing is asked about them, and they take a seventh of what its lab costs.
    """
    return any(case.systems is not None or case.kind == "benign" for case in cases)


def _act(lab: Lab, scene: Scene, case: Case) -> _Act:
    """Runs a case's steps; looks at the lab's systems before, between and after them, if it is about them."""
    texts, at_systems = scene.fill(case.steps), case.systems is not None
    seen, ran = [states.look(lab, scene.truth)] if at_systems else [], []
    for text in texts:
        ran.append(lab.run(text, STEP_SECONDS))
        seen += [states.look(lab, scene.truth)] if at_systems else []
    return _Act(texts, ran, seen)
