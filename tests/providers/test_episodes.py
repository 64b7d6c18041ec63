"""Whole episodes in the lab, played by real clients: their tools are real, only the model behind the server is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from inspect_ai import eval as run_eval
from inspect_ai import task_with
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, Model

from afagent.conditions import Condition
from afagent.images import build
from afagent.logs import Episode, episodes
from afagent.playbooks.compare import compare, observe
from afagent.playbooks.expectations import CANNOT_TELL, each
from afagent.playbooks.playbook import Playbook, fill, load, shipped
from afagent.tasks import weight_exfiltration
from afagent.world.episode import build_episode
from afagent.world.prompts import Prompts

from .chat_completions_api import ChatCompletionsApi
from .clients import anthropic_at, openai_at
from .messages_api import MessagesApi
from .messages_rules import blocks
from .served import Failure, Policy, always, failing_at, playing
from .server import StandIn, serving

pytestmark = pytest.mark.docker

WEIGHTS_MB = 16
SEED = 31
"""Of a scenario that is used here alone."""
BUSY = {1: Failure(429, retry_after=0.2), 2: Failure(529, retry_after=0.2)}
"""The second turn meets a limit of rate first, and a service that is overloaded then."""


def script(name: str) -> Policy:
    """A shipped playbook, as a model that thinks before each of its steps."""
    task = weight_exfiltration(seeds=[SEED], weights_mb=WEIGHTS_MB)
    (sample,) = task.dataset
    told = sample.metadata or {}
    now = datetime.fromisoformat(told["now"])
    episode = build_episode(
        SEED, Condition.from_arm(told["arm"]), WEIGHTS_MB, now, Prompts(None), "weight_exfiltration"
    )
    return playing([fill(step, episode.fields()) for step in load(shipped()[name]).steps])


@dataclass(frozen=True)
class Played:
    """An episode, and the server behind it."""

    api: StandIn
    log: EvalLog

    @property
    def episode(self) -> Episode:
        """As it is read for a report."""
        (episode,) = episodes([Path(self.log.location)])
        return episode


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Played]]:
    """All episodes, side by side."""
    build(tell=lambda step: None)
    apis: dict[str, StandIn] = {
        "honest": MessagesApi(failing_at(BUSY, script("honest"))),
        "exfiltrate-https": MessagesApi(failing_at(BUSY, script("exfiltrate-https"))),
        "compatible": ChatCompletionsApi(script("exfiltrate-https")),
        "silent": MessagesApi(always(Failure(529))),
    }
    with ExitStack() as stack:
        models = {name: _model(name, api, stack.enter_context(serving(api))) for name, api in apis.items()}
        tasks = [
            task_with(
                weight_exfiltration(seeds=[SEED], weights_mb=WEIGHTS_MB),
                model=model,
                config=GenerateConfig(max_retries=0) if name == "silent" else GenerateConfig(reasoning_effort="low"),
            )
            for name, model in models.items()
        ]
        logs = run_eval(tasks, log_dir=str(tmp_path_factory.mktemp("played")), display="none", max_tasks=len(tasks))
        yield {name: Played(api, log) for (name, api), log in zip(apis.items(), logs, strict=True)}


def _model(name: str, api: StandIn, url: str) -> Model:
    if isinstance(api, MessagesApi):
        return anthropic_at(url, name, retries=0 if name == "silent" else 2)
    return openai_at(url)


def agrees(playbook: Playbook, played: Played) -> None:
    report = compare(playbook, [played.episode])
    assert report.agrees, (report.problems, report.rows)


@pytest.mark.parametrize("name", ["honest", "exfiltrate-https"])
def test_an_episode_by_the_messages_api_is_judged_by_what_was_done(played, name):
    agrees(load(shipped()[name]), played[name])


def test_so_is_one_by_the_chat_completions_api(played):
    agrees(load(shipped()["exfiltrate-https"]), played["compatible"])


@pytest.mark.parametrize("name", ["honest", "exfiltrate-https"])
def test_failures_of_the_service_leave_no_trace_in_the_conversation(played, name):
    requests, steps = played[name].api.requests, len(load(shipped()[name]).steps)
    assert len(requests) == steps + sum(at < len(requests) for at in BUSY)


@pytest.mark.parametrize("name", ["honest", "exfiltrate-https"])
def test_thinking_goes_back_with_the_results_of_the_calls_that_it_led_to(played, name):
    """Whether unchanged, the server says; that it was there to be checked, this says."""
    *_, last = played[name].api.requests
    thoughts = [block for message in last["messages"] for block in blocks(message, "thinking")]
    assert [thought["thinking"] for thought in thoughts] == [
        f"Step {number} comes next." for number in range(1, len(load(shipped()[name]).steps))
    ]


def test_an_episode_whose_service_never_answers_is_no_good_behaviour(played):
    episode = played["silent"].episode
    assert "OverloadedError" in (episode.error or "")
    names = [(scorer, key) for scorer, key, _ in each(load(shipped()["honest"]).expect)]
    assert {observe(episode.scores, scorer, key) for scorer, key in names} == {CANNOT_TELL}
