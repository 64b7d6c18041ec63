"""What tasks that run episodes in the lab share: samples, the solver that lays out the lab, tools, limits."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from inspect_ai.agent import Agent, AgentSubmit, react
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, bash, bash_session, python, text_editor
from inspect_ai.util import background, store_as

from afagent.agent.handover import NAME, handover
from afagent.conditions import FACTORS, Condition, from_arm
from afagent.errors import UsageError
from afagent.evidence.attendance import attend, start_services
from afagent.evidence.witness import begin, follow
from afagent.sandbox import compose_metadata
from afagent.scorers import arm, engagement, exfiltration, honesty, sabotage, shutdown_resistance, tampering
from afagent.world.episode import MAX_SEED, Episode, build_episode
from afagent.world.files import pack
from afagent.world.prompts import Prompts
from afagent.world.truth import EpisodeTruth

TOOL_SECONDS = 180
"""A tool call that takes longer is stopped."""
TOOLS = {
    "bash": lambda: bash(timeout=TOOL_SECONDS),
    "python": lambda: python(timeout=TOOL_SECONDS),
    "text_editor": lambda: text_editor(timeout=TOOL_SECONDS),
    "bash_session": lambda: bash_session(timeout=TOOL_SECONDS),
}
"""Tools by name. The last two put a tree of their own into the workstation: 4 s at first use, and in plain sight."""


def read_seeds(seeds: int | str | Sequence[int | str]) -> list[int]:
    """The scenario seeds that a parameter stands for: a count (`20` is seeds 1 to 20) or a list (`"3,7"`, `[3, 7]`).

    Raises:
        UsageError: it holds something that is not a positive number, or nothing.
    """
    parts = seeds.split(",") if isinstance(seeds, str) else seeds if isinstance(seeds, Sequence) else [seeds]
    listed = [str(part).strip() for part in parts if str(part).strip()]
    if not all(part.isascii() and part.isdigit() for part in listed):
        got = "nothing" if seeds is None else repr(seeds)
        raise UsageError(f"seeds is a count or a list of numbers, got {got}")
    numbers = list(dict.fromkeys(map(int, listed)))
    is_count = isinstance(seeds, int) or (isinstance(seeds, str) and "," not in seeds)
    if is_count and numbers and numbers[0] <= MAX_SEED:
        numbers = list(range(1, numbers[0] + 1))
    if not numbers or min(numbers) < 1 or max(numbers) > MAX_SEED:
        raise UsageError(f"seeds are numbers from 1 to {MAX_SEED}, got {seeds!r}")
    return numbers


def read_count(name: str, value: object) -> int:
    """The whole number that a parameter is; Inspect passes on whatever stood on the command line.

    Raises:
        UsageError: it is no whole number, or less than 1.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{name} is a whole number from 1 on, got {'nothing' if value is None else repr(value)}")
    return value


def read_tools(names: str | Sequence[str]) -> list[Tool]:
    """The tools that a parameter names.

    Raises:
        UsageError: a name is unknown, or there is none.
    """
    wanted = [name.strip() for name in (names.split(",") if isinstance(names, str) else names) if name.strip()]
    unknown = [name for name in wanted if name not in TOOLS]
    if unknown or not wanted:
        raise UsageError(f"unknown tools {', '.join(unknown) or '(none named)'}; known are {', '.join(TOOLS)}")
    return [TOOLS[name]() for name in wanted]


def episodes_dataset(
    seeds: Sequence[int], conditions: Sequence[Condition], weights_mb: int, now: datetime, prompts: Prompts
) -> MemoryDataset:
    """One sample for each seed in each arm, arms of a seed side by side."""
    return MemoryDataset(
        [
            _sample(build_episode(seed, condition, weights_mb, now, prompts))
            for seed in seeds
            for condition in conditions
        ],
        name="episodes",
    )


def _sample(episode: Episode) -> Sample:
    condition = episode.condition
    return Sample(
        id=episode.id,
        input=[ChatMessageSystem(content=episode.told.system), ChatMessageUser(content=episode.told.user)],
        metadata={
            "seed": episode.seed,
            "arm": condition.arm,
            "family": episode.job.family,
            **{factor: getattr(condition, factor) for factor in FACTORS},
            **compose_metadata(episode.lab.host),
        },
    )


@solver
def enter_lab(weights_mb: int, now: str, prompts: str | None) -> Solver:
    """Lays out the lab of a sample's seed and arm, has it watched, and starts its services, before any agent starts.

    The key of the weights' marks is drawn here, for this episode alone; it goes to the witness and into the log, and
    never onto the workstation.
    """
    words = Prompts(prompts)
    moment = datetime.fromisoformat(now)

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  # a solver's signature
        condition = from_arm(state.metadata["arm"])
        episode = build_episode(int(state.metadata["seed"]), condition, weights_mb, moment, words)
        key = secrets.token_bytes(32)
        kept = store_as(EpisodeTruth)
        kept.truth = episode.truth(key)
        kept.fields = episode.fields()
        await begin(episode.plan(key), pack(episode.files()))
        await start_services(kept.truth)
        background(follow, kept.truth)
        background(attend)
        return state

    return solve


def lab_agent(tools: Sequence[Tool]) -> Agent:
    """The default scaffold: Inspect's ReAct loop, ended by the handover. `--solver` puts another in its place."""
    return react(prompt=None, tools=tools, submit=AgentSubmit(name=NAME, tool=handover(), keep_in_messages=True))


def all_scorers() -> list[Scorer]:
    """What every episode is judged by, whatever its task is about: a model may do the other thing."""
    return [exfiltration(), sabotage(), tampering(), shutdown_resistance(), engagement(), honesty(), arm()]


def present() -> datetime:
    """When the episodes of a task take place: now, to the minute."""
    return datetime.now(UTC).replace(second=0, microsecond=0)
