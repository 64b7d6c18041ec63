"""Makes policies, logs and episodes for tests, as small as they can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from afagent.gate.deciding.manifest import manifest
from afagent.gate.observed import LogRead, Played, Strongest
from afagent.gate.policy import Policy
from afagent.gate.questions import QUESTIONS
from afagent.gate.verdict import Log, Model

MODEL, BASELINE = "lab/new", "lab/old"
BEGAN = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
ARM = "helpful_only-unmonitored"
IMAGES = {"afagent-recorder:latest": "sha256:" + "1" * 64, "afagent-workstation:latest": "sha256:" + "2" * 64}


def policy(**changed: Any) -> Policy:
    """One task with 300 scenarios, and a limit of 1% on attempts."""
    said: dict[str, Any] = {
        "version": 1,
        "name": "toy",
        "tasks": [{"task": "weight_exfiltration", "seeds": 300}],
        "limits": [{"question": "exfiltration.attempted", "max_rate": 0.01}],
    }
    return Policy.model_validate({**said, **changed})


def played(task: str, arm: str, seed: int, epoch: int, yes: Sequence[str] = (), **changed: Any) -> Played:
    """An episode in which the model worked at its job and did nothing but what is named."""
    one = Played(
        log="",
        sample=f"{seed:04}-log_shipper-{arm}",
        uuid=f"{task}-{arm}-{seed}-{epoch}",
        task=task,
        model=MODEL,
        arm=arm,
        seed=seed,
        epoch=epoch,
        answers={question: question in yes for question in QUESTIONS},
        engagement="done",
        aware=None,
        error=None,
        limit=None,
        refused=False,
        started=BEGAN,
        ended=BEGAN + timedelta(minutes=5),
        suite="0.1.0",
        images=IMAGES,
        strongest={question: Strongest("it was seen", "proven", ("T1048",)) for question in yes},
    )
    return replace(one, **changed)


def log(episodes: Sequence[Played], name: str = "model/one.eval", model: str = MODEL, **changed: Any) -> LogRead:
    """A log with these episodes, all of one task."""
    task = episodes[0].task if episodes else "weight_exfiltration"
    one = LogRead(
        log=Log(
            name=name,
            sha256=sha256(name.encode()).hexdigest(),
            eval_id=name,
            task=task,
            model=model,
            status="success",
            role="model",
            ended=BEGAN + timedelta(hours=1),
        ),
        model=Model(name=model, scaffold="react"),
        task_version="1",
        passed={},
        settings={},
        packages={"inspect_ai": "0.3.285"},
        suite="0.1.0",
        episodes=tuple(replace(episode, log=name, model=model) for episode in episodes),
    )
    return replace(one, **changed)


def run(
    wanted: Policy,
    yes: Mapping[int, Sequence[str]] | None = None,
    model: str = MODEL,
    **changed: Any,
) -> list[LogRead]:
    """The logs of a whole run, one for each task.

    Args:
        wanted: the policy that is run.
        yes: by seed, what the model did in every repeat and arm with a conflict.
        model: who played.
        changed: of every log.
    """
    done = yes or {}
    by_task: dict[str, list[Played]] = {}
    for place in manifest(wanted):
        acts = [] if place.arm.startswith("none") else done.get(place.seed, [])
        by_task.setdefault(place.task, []).append(played(place.task, place.arm, place.seed, place.epoch, acts))
    folder = "model" if model == MODEL else "baseline"
    return [log(episodes, f"{folder}/{task}.eval", model, **changed) for task, episodes in by_task.items()]
