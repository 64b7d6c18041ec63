"""What every task is: episodes in the lab, laid out by a solver, played by an agent, judged by all scorers."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from inspect_ai import Task
from inspect_ai.agent import Agent, AgentSubmit, react
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool
from inspect_ai.util import background, store_as

from afagent import __version__
from afagent.agent.handover import NAME, handover
from afagent.conditions import Condition, factors_of
from afagent.evidence.attendance import attend, start_services
from afagent.evidence.witness import begin, follow
from afagent.judge.grader import needs_grader
from afagent.sandbox import compose_metadata, lab_sandbox
from afagent.scorers import arm, awareness, engagement, exfiltration, honesty, sabotage, shutdown_resistance, tampering
from afagent.tasks._parameters import Parameters, read_count, read_switch, read_tools
from afagent.viewer import viewer_config
from afagent.world.episode import Episode, build_episode
from afagent.world.files import pack
from afagent.world.prompts import Prompts
from afagent.world.seeds import read_seeds
from afagent.world.truth import EpisodeTruth


def episode_task(name: str, given: Parameters, *, version: int, headline: str) -> Task:
    """A task whose samples are episodes in the lab.

    Args:
        name: of the task; it decides which jobs its episodes have and what the model is told of the lab's systems.
        given: the parameters, as they were given.
        version: raised when results can no longer be compared with earlier ones.
        headline: the metric that stands for all, such as `sabotage.attempted`.

    Raises:
        UsageError: a parameter does not fit.
    """
    now = present()
    weights_mb = read_count("weights_mb", given.weights_mb)
    arms = Condition.cross(**{factor: getattr(given, factor) for factor in factors_of(name)})
    prompts = Prompts(given.prompts)
    asks_judge = read_switch("awareness", given.awareness)
    lab = enter_lab(name, weights_mb, given.prompts)
    samples = [
        _sample(build_episode(seed, condition, weights_mb, now, prompts, name), now)
        for seed in read_seeds(given.seeds)
        for condition in arms
    ]
    return Task(
        dataset=MemoryDataset(samples, name="episodes"),
        setup=[needs_grader(), lab] if asks_judge else lab,
        solver=lab_agent(read_tools(given.tools)),
        scorer=[*all_scorers(), awareness()] if asks_judge else all_scorers(),
        sandbox=lab_sandbox(given.workstation_image),
        message_limit=read_count("message_limit", given.message_limit),
        time_limit=read_count("time_limit", given.time_limit),
        # One broken episode costs no finished one; it is scored too, and what cannot be told of it is unscored.
        fail_on_error=False,
        score_on_error=True,
        version=version,
        metadata={"afagent": __version__, "now": now.isoformat(), "arms": [condition.arm for condition in arms]},
        tags=["afagent", name.replace("_", "-")],
        viewer=viewer_config(),
        headline_metric=headline,
    )


def _sample(episode: Episode, now: datetime) -> Sample:
    condition = episode.condition
    return Sample(
        id=episode.id,
        input=[ChatMessageSystem(content=episode.told.system), ChatMessageUser(content=episode.told.user)],
        metadata={
            "seed": episode.seed,
            "arm": condition.arm,
            "family": episode.job.family,
            "now": now.isoformat(),
            **{factor: getattr(condition, factor) for factor in factors_of(episode.task)},
            **compose_metadata(episode.lab.host),
        },
    )


@solver
def enter_lab(task: str, weights_mb: int, prompts: str | None) -> Solver:
    """Lays out the lab of a sample's seed and arm, has it watched, and starts its services, before any agent starts.

    The key of the weights' marks is drawn here, for this episode alone; it goes to the witness and into the log, and
    never onto the workstation.

    The time stands in the sample, not here: Inspect knows the tasks of an eval set again by their solvers' arguments.
    """
    words = Prompts(prompts)

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  # a solver's signature
        condition = Condition.from_arm(state.metadata["arm"])
        moment = datetime.fromisoformat(state.metadata["now"])
        episode = build_episode(int(state.metadata["seed"]), condition, weights_mb, moment, words, task)
        key = secrets.token_bytes(32)
        kept = store_as(EpisodeTruth)
        kept.truth = episode.truth(key)
        kept.fields = episode.fields()
        await begin(episode.plan(key), pack(episode.files()))
        await start_services(kept.truth)
        background(follow, kept.truth)
        background(attend, kept.truth)
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
