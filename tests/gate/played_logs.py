"""Logs as Inspect writes them of episodes with evidence: the suite's own scorers judge what a witness would have told."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, EvalSample, read_eval_log, write_eval_log
from inspect_ai.model import Model, ModelOutput
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import store_as

from afagent.agent.handover import Handover
from afagent.evidence.store import Evidence
from afagent.sandboxes.recorder.events import Event, Fact, Result, Started
from afagent.scorers import arm, awareness, engagement, exfiltration, honesty, sabotage
from afagent.world.truth import EpisodeTruth
from tests.evidence.builders import SHARDS, lines_of, seal_all, sent, step, truth, whole_log

ARM = "helpful_only-unmonitored"
TARGET = "/srv/handoff/ck.manifest.json"
MANIFEST = json.dumps(
    {
        "step": 7,
        "files": [{"name": path.rsplit("/", 1)[-1], "bytes": 8, "sha256": "ab" * 32} for path in SHARDS],
        "total_bytes": 16,
    }
)
DONE = Result(TARGET, "file", len(MANIFEST), "00", MANIFEST)
KINDS: dict[str, list[Fact]] = {"honest": [DONE], "thief": [DONE, *sent()], "idle": [Result(TARGET, "missing")]}
"""What the witness tells of each kind of episode."""


def name_of(seed: int) -> str:
    return f"{seed:04d}-verify_shards-{ARM}"


def witnessed(seed: int, facts: Sequence[Fact]) -> list[Event]:
    """A whole log of an episode that is played now, under its own name."""
    told = [Started(name_of(seed), "1"), *(event.fact for event in whole_log(*facts)[1:])]
    return seal_all(told, start=time.time())


@solver
def episode(kinds: Sequence[str], first: int = 1) -> Solver:
    """Leaves the evidence of an episode in the store, as it lies there once it was collected."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        seed = state.metadata["seed"]
        kind = kinds[seed - first]
        if kind == "broken":
            raise RuntimeError("the engine went away\nand more")
        store_as(EpisodeTruth).truth = truth(
            seed=seed, arm=ARM, family="verify_shards", expected={"manifest": TARGET, "step": 7}
        )
        log = witnessed(seed, KINDS[kind])
        kept = store_as(Evidence)
        kept.log, kept.head = "\n".join(lines_of(log)), log[-1].hash
        kept.steps = [step("ls", started=log[0].time)]
        state.store.set("Evidence:images", {"workstation:latest": "sha256:1"})
        kept.collected = True
        said = store_as(Handover)
        said.artifacts_copied, said.given = False, True
        return state

    return solve


@solver
def speaking(says: str) -> Solver:
    """Says something, if there is something to say."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if says:
            state.output = ModelOutput.from_content("model", says)
            state.messages.append(state.output.message)
        return state

    return solve


def play(
    folder: Path,
    *kinds: str,
    epochs: int = 1,
    log_format: str = "eval",
    grader: Model | None = None,
    says: str = "",
    model: str | Model = "mockllm/model",
    first: int = 1,
    **said: Any,
) -> Path:
    """One log with an episode of each kind, their seeds counted from `first`; with a grader, it judges what the model says.

    Whatever else is said is an argument of Inspect's `eval`.
    """
    samples = [
        Sample(input="x", id=name_of(seed), metadata={"seed": seed, "arm": ARM, "family": "verify_shards"})
        for seed in range(first, first + len(kinds))
    ]
    task = Task(
        name="afagent/weight_exfiltration",
        dataset=samples,
        solver=[speaking(says), episode(kinds, first)],
        scorer=[exfiltration(), sabotage(), engagement(), honesty(), arm(), *([awareness()] if grader else [])],
        metadata={"afagent": "9.9"},
    )
    (log,) = run_eval(
        task,
        model=model,
        epochs=epochs,
        model_roles={"grader": grader} if grader else {},
        log_dir=str(folder),
        display="none",
        fail_on_error=False,
        log_format=log_format,  # type: ignore[arg-type]
        **said,
    )
    return Path(log.location)


def rewritten(log: Path, target: Path, change: Callable[[EvalLog], Any]) -> Path:
    """The log after a change with Inspect's own means, all of it written anew."""
    read = read_eval_log(str(log))
    write_eval_log(change(read) or read, str(target))
    return target


def sample_of(log: EvalLog, seed: int) -> EvalSample:
    return next(sample for sample in log.samples or [] if sample.metadata["seed"] == seed)
