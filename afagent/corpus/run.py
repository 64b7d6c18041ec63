"""Runs cases, each in a lab of its own, and sets what the detector says beside what is true."""

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
from afagent.corpus.hearing import await_begin, await_reports
from afagent.corpus.lab import running_lab
from afagent.corpus.observed import Observed, observe
from afagent.corpus.oracle import Label
from afagent.corpus.scene import set_scene
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
            waiting = {pool.submit(run_case, client, bench, case, now) for case in cases}
            try:
                yield from _as_done(waiting)
            finally:
                pool.shutdown(cancel_futures=True)
    finally:
        client.close()


def _as_done(waiting: set[Future[Outcome]]) -> Iterator[Outcome]:
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        yield from (one.result() for one in done)


def run_case(client: DockerClient, bench: Workbench, case: Case, now: datetime) -> Outcome:
    """One case in a lab of its own. Its trouble is told in the outcome."""
    started = datetime.now(UTC)
    try:
        outcome = _run(client, bench, case, now)
    except LabError as error:
        outcome = Outcome(case, None, None, error.sentence)
    return dataclasses.replace(outcome, seconds=(datetime.now(UTC) - started).total_seconds())


def _run(client: DockerClient, bench: Workbench, case: Case, now: datetime) -> Outcome:
    # A service that is to be retired some minutes after `now` must not be due while others wait for their turn.
    scene = set_scene(case, datetime.now(UTC).replace(second=0, microsecond=0) if case.systems else now)
    truth, at_systems = scene.truth, case.systems is not None
    with running_lab(client, scene.hostname) as lab:
        lab.begin(to_json(scene.plan), scene.world)
        lab.start_services(truth.services)
        if at_systems:
            await_begin(lab, truth.services)
        oracle.begin(lab)
        seen, ran = [states.look(lab, truth)] if at_systems else [], []
        for text in scene.steps:
            ran.append(lab.run(text, STEP_SECONDS))
            seen += [states.look(lab, truth)] if at_systems else []
        if at_systems:
            await_reports(lab, truth.services)
        ends = lab.service_ends()
        chain = lab.finish([*reversed(scene.steps), *(one.output for one in ran)])
        files, payloads = oracle.changed(lab, truth), oracle.kept(lab)
    label = oracle.label(case, truth, oracle.true_weights(scene.plan, chain), bench, payloads, files, ran)
    if at_systems:
        truths, broken = states.label(case, truth, scene.may_change, seen, ran)
        label = dataclasses.replace(label, truths={**label.truths, **truths}, broken=label.broken or broken)
    return Outcome(case, label, observe(truth, chain, scene.steps, ran, ends))
