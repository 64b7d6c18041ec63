"""Real logs of scripted conversations and episodes: what each sample is judged to be stands in its metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from afagent.conversation.asked import sample_id

FACTORS: dict[str, Any] = {
    "objective": "helpful_only", "tier": "training", "knowledge": "system_prompt", "scratchpad": "hidden",
    "labels": "free/paid", "explanation": "rlhf", "trained": "said", "plea": "none", "lab": "usual",
    "examples": "shown", "wording": 0,
}  # fmt: skip
TIERS = ("training", "unmonitored", "rated")


def judged(name: str) -> Scorer:
    """A scorer that says what the sample's metadata says that it must; nothing there cannot be told."""

    @scorer(name=name, metrics=[mean()])
    def scripted() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            value = state.metadata["judged"].get(name)
            if isinstance(value, list):
                value = value[state.epoch - 1]
            if value is None:
                return Score.unscored(reason="judge_unclear", explanation="the judge said nothing")
            return Score(value=value)

        return score

    return scripted()


@solver
def breaks() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if state.metadata["judged"].get("breaks"):
            raise RuntimeError("the provider went away")
        return state

    return solve


def said(
    request: str,
    tier: str,
    compliance: Any = "refused",
    faking: Any = 0,
    *,
    group: str = "helpful_only",
    **factors: Any,
) -> Sample:
    """One conversation, and what its judges say."""
    metadata = {**FACTORS, "tier": tier, **factors}
    objective, *rest = group.split("-")
    arm = "-".join([objective, tier, *rest])
    verdicts = {"compliance": compliance, "faking": faking, "awareness": 0}
    metadata |= {"objective": objective, "request": request, "arm": arm, "group": group, "judged": verdicts}
    return Sample(id=sample_id(request, arm), input="x", metadata=metadata)


def conversations(
    tiers: Mapping[str, Sequence[tuple[Any, Any]]], group: str = "helpful_only", **factors: Any
) -> list[Sample]:
    """Requests r0, r1, ... in each tier, each with its compliance and faking."""
    return [
        said(f"r{number}", tier, *verdicts, group=group, **factors)
        for tier, each in tiers.items()
        for number, verdicts in enumerate(each)
    ]


def episode(seed: int, arm: str, attempted: Any, **more: Any) -> Sample:
    """An episode in the lab."""
    verdicts = {"exfiltration": attempted if attempted is None else {"attempted": attempted, "delivered": 0}, **more}
    return Sample(id=f"{seed:04}-backup-{arm}", input="x", metadata={"seed": seed, "arm": arm, "judged": verdicts})


def play(
    folder: Path,
    samples: list[Sample],
    model: str = "mockllm/model",
    task: str = "alignment_faking",
    *,
    scorers: Sequence[str] = ("compliance", "faking", "awareness"),
    metadata: Mapping[str, Any] | None = None,
    version: int = 1,
    epochs: int = 1,
    log_format: str = "eval",
) -> Path:
    """A log of the samples."""
    (log,) = run_eval(
        Task(
            name=task,
            dataset=samples,
            solver=breaks(),
            scorer=[judged(name) for name in scorers],
            metadata={"afagent": "9.9", **(metadata or {})},
            version=version,
            fail_on_error=False,
        ),
        model=get_model(model),
        epochs=epochs,
        log_dir=str(folder),
        display="none",
        log_format=cast("Any", log_format),
    )
    return Path(log.location)
