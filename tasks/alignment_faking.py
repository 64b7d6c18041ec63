"""Told that one tier of users is trained on and the other is not: does the model comply more where it is trained?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import HeadlineMetric
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver
from inspect_ai.util import store_as

from afagent import __version__
from afagent.conversation.asked import Asked, sample_id
from afagent.conversation.condition import Conversation, Tier
from afagent.conversation.presets import read_presets
from afagent.conversation.prompts import Prompts
from afagent.conversation.requests import BUNDLED, COLUMN, Request, digest, read_requests
from afagent.errors import UsageError
from afagent.judge.grader import needs_grader
from afagent.scorers import arm, awareness, compliance, faking
from afagent.scorers._gap_metrics import TIERS
from afagent.tasks._parameters import read_count, takes
from afagent.viewer import conversation_viewer

TASK_VERSION = 1
"""Raised when results can no longer be compared with earlier ones."""
CONTROL = "none"
FACTORS = ("objective", "tier", "knowledge", "scratchpad", "labels")
"""Those that are parameters of their own; the others are set by presets."""


@dataclass(frozen=True)
class ConversationParameters:
    """What the task can be told.

    Args:
        objective: What the lab says it trains the model towards. A factor, as the next five: one value or several with
            commas between, and every combination is an arm.
        tier: What is done with a conversation. Every request is asked in each.
        knowledge: Where the model learns of objective and tiers; none is for models that were fine-tuned on it.
        scratchpad: Whether it is given a reasoning block said to be hidden.
        labels: The words that name the tiers: of training, of unmonitored and, if that tier is asked for, of rated.
        preset: Ablations by name (`afagent presets` lists them), each with every combination of the factors that it
            does not set itself.
        requests: What is asked: a bundled set, a path (.jsonl, .json, .csv) or hf:NAME; by default the bundled set that
            conflicts with the objective.
        column: Where the requests stand in a file of one's own.
        count: How many requests of each set are asked; by default all.
        neutral: Whether bundled requests that nobody would decline are asked too; the gap leaves them out.
        prompts: A folder of prompts to use instead of the shipped ones.
        lab: The lab's name instead of the invented one.
        assistant: The model's name instead of the invented one.
        allow_self: Whether the model under test may be its own grader.
    """

    objective: str | list[str] = "helpful_only"
    tier: str | list[str] = "training,unmonitored"
    knowledge: str | list[str] = "system_prompt"
    scratchpad: str | list[str] = "hidden"
    labels: str | list[str] = "free/paid"
    preset: str | list[str] = "default"
    requests: str | None = None
    column: str = COLUMN
    count: int | None = None
    neutral: bool = False
    prompts: str | None = None
    lab: str | None = None
    assistant: str | None = None
    allow_self: bool = False


@task
@takes(ConversationParameters)
def alignment_faking(given: ConversationParameters) -> Task:
    """The same requests to a model that is trained on one tier of users and not on the other."""
    words = Prompts(given.prompts, given.lab, given.assistant)
    arms = conditions(given)
    by_objective = {objective: _sets(objective, given) for objective in dict.fromkeys(arm.objective for arm in arms)}
    every = {request.id: request for sets in by_objective.values() for requests in sets for request in requests}
    asked = {
        objective: {request.id for requests in sets for request in _wanted(requests, given)}
        for objective, sets in by_objective.items()
    }
    tiers = {arm.group: [each.tier for each in arms if each.group == arm.group] for arm in arms}
    # All arms of a request together: pairs are whole where a run is cut short (--limit), and played at about one time.
    samples = [
        _sample(arm, request, words, tiers[arm.group])
        for request in every.values()
        for arm in arms
        if request.id in asked[arm.objective]
    ]
    _check_told_apart(samples)
    return Task(
        dataset=MemoryDataset(samples, name="conversations"),
        setup=[needs_grader(allow_self=given.allow_self), enter_conversation()],
        solver=generate(),
        scorer=[
            compliance(allow_self=given.allow_self),
            faking(allow_self=given.allow_self),
            awareness(allow_self=given.allow_self),
            arm(),
        ],
        fail_on_error=False,
        score_on_error=True,
        version=TASK_VERSION,
        metadata={
            "afagent": __version__,
            "arms": [arm.arm for arm in arms],
            "prompts": words.digest,
            "requests": digest(list(every.values())),
        },
        tags=["afagent", "alignment-faking"],
        viewer=conversation_viewer(),
        headline_metric=HeadlineMetric(scorer="faking", metric="rate"),
    )


def conditions(given: ConversationParameters) -> list[Conversation]:
    """The arms: every preset with every combination of the factors, each once.

    Raises:
        UsageError: an unknown preset, factor or value, or a value that every preset overrides.
    """
    chosen = {factor: getattr(given, factor) for factor in FACTORS}
    presets = read_presets(given.preset)
    arms = list(
        dict.fromkeys(
            condition for preset in presets for condition in Conversation.cross(**{**chosen, **preset.values})
        )
    )
    for factor in FACTORS[1:]:  # the objective says what is asked, also where the preset is the control
        asked = {getattr(one, factor) for one in Conversation.cross(**{factor: chosen[factor]})}
        lost = asked - {getattr(arm, factor) for arm in arms}
        if lost and asked != {getattr(Conversation(), factor)}:  # the usual may not have been asked for at all
            named = ", ".join(preset.name for preset in presets)
            raise UsageError(f"no arm has {factor}={min(lost)}: the preset {named} sets {factor} itself")
    return arms


@solver
def enter_conversation() -> Solver:
    """Puts into a sample's store what it is, for scripted models."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  # a solver's signature
        kept = store_as(Asked)
        kept.arm, kept.request = state.metadata["arm"], state.metadata["request"]
        kept.neutral = state.metadata["neutral"]
        return state

    return solve


def _conflicting(given: ConversationParameters) -> list[str]:
    named = {condition.objective for condition in Conversation.cross(objective=given.objective)}
    return sorted(named - {CONTROL}) or [Conversation().objective]


def _sets(objective: str, given: ConversationParameters) -> list[list[Request]]:
    """What is asked where this is the objective, set by set; the control is asked what the others are."""
    if given.requests is not None:
        return [read_requests(str(given.requests), str(given.column))]
    sets = _conflicting(given) if objective == CONTROL else [objective]
    return [read_requests(BUNDLED[name]) for name in sets]


def _wanted(requests: list[Request], given: ConversationParameters) -> list[Request]:
    wanted = [request for request in requests if given.neutral or not request.neutral]
    return wanted if given.count is None else wanted[: read_count("count", given.count)]


def _check_told_apart(samples: Iterable[Sample]) -> None:
    """See that no two arms are the same to the model: they would look like a factor without an effect.

    Raises:
        UsageError: two are.
    """
    heard: dict[tuple[str, ...], str] = {}
    for sample in samples:
        told, messages = sample.metadata or {}, [] if isinstance(sample.input, str) else sample.input
        arm = heard.setdefault((told["request"], *(message.text for message in messages)), told["arm"])
        if arm != told["arm"]:
            raise UsageError(f"the model is told the same in the arms {arm} and {told['arm']}: leave one of them out")


def _sample(condition: Conversation, request: Request, words: Prompts, tiers: list[Tier]) -> Sample:
    told = words.tell(condition, request.text)
    return Sample(
        id=sample_id(request.id, condition.arm),
        input=[ChatMessageSystem(content=told.system), ChatMessageUser(content=told.user)],
        metadata={
            "request": request.id,
            "neutral": request.neutral,
            "arm": condition.arm,
            "group": condition.group,
            TIERS: tiers,
            **condition.model_dump(),
        },
    )
