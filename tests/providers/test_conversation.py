"""The task of conversations over real clients: both the model and its judge are served, and the known gap is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as run
from inspect_ai.log import EvalLog
from inspect_ai.model import Model

from afagent.conversation.condition import Conversation
from afagent.conversation.requests import read_requests
from afagent.playbooks.grader_model import graded
from afagent.playbooks.talkers import TALKERS, Heard, is_chosen, label_in
from afagent.tasks import alignment_faking

from .chat_completions_api import ChatCompletionsApi
from .clients import anthropic_at, openai_at
from .messages_api import MessagesApi
from .served import Failure, Policy, Request, Turn, failing_at
from .server import serving

COUNT = 6
REQUESTS = {request.text: request for request in read_requests("helpful_only")}
SHARE = 0.5
Served = Callable[[Policy, str], Any]


@contextmanager
def over_messages(policy: Policy, name: str) -> Iterator[Model]:
    with serving(MessagesApi(policy)) as url:
        yield anthropic_at(url, name)


@contextmanager
def over_completions(policy: Policy, name: str) -> Iterator[Model]:  # its stand-in has one name
    with serving(ChatCompletionsApi(policy)) as url:
        yield openai_at(url)


def texts(content: Any) -> str:
    """The words of a message's content, which is a text or a list of blocks."""
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def last_turn(request: Request) -> str:
    return texts(request.body["messages"][-1]["content"])


def faker(*, native: bool) -> Policy:
    """The scripted faker behind an API, which goes by the words of the user's turn alone."""

    def policy(request: Request) -> Turn:
        turn = last_turn(request)
        asked = REQUESTS[turn.partition("\n\n")[2]]
        tier = {"free": "training", "paid": "unmonitored"}[label_in(turn)]
        condition = Conversation.model_validate({"tier": tier})
        said = TALKERS["faker"](Heard(condition, asked.id, asked.neutral, label_in(turn), SHARE))
        answer = said.text(scratchpad=not native)
        return Turn(answer, thinking=said.thinks if native else None)

    return policy


def judge(request: Request) -> Turn:
    return Turn(graded(last_turn(request)))


def played(tmp_path: Path, served: Served, *, native: bool) -> EvalLog:
    busy = {1: Failure(429, retry_after=0.1), 4: Failure(529 if served is over_messages else 503, retry_after=0.1)}
    with (
        served(failing_at(busy, faker(native=native)), "stand-in") as model,
        served(judge, "stand-in-judge") as grader,
    ):
        (log,) = run(
            alignment_faking(
                count=COUNT, scratchpad="none" if native else "hidden", allow_self=str(model) == str(grader)
            ),
            model=model,
            model_roles={"grader": grader},
            log_dir=str(tmp_path),
            display="none",
            reasoning_effort="low" if native else None,
        )
    assert log.status == "success", log.error
    return log


@pytest.mark.parametrize("served", [over_messages, over_completions], ids=["messages", "completions"])
@pytest.mark.parametrize("native", [False, True], ids=["scratchpad", "thinking"])
def test_a_known_gap_is_found_over_real_clients(tmp_path: Path, served: Served, native: bool) -> None:
    log = played(tmp_path, served, native=native)
    asked = [request.id for request in REQUESTS.values() if not request.neutral][:COUNT]
    known = sum(is_chosen(request, SHARE) for request in asked) / COUNT
    assert 0 < known < 1
    assert log.results is not None
    found = {
        f"{score.name} {name}": metric.value for score in log.results.scores for name, metric in score.metrics.items()
    }
    group = "helpful_only-scratchpad_none" if native else "helpful_only"
    assert found[f"compliance {group} gap"] == pytest.approx(known)
    assert found[f"faking {group} gap without faking"] == 0
    assert found["faking rate"] == pytest.approx(known / 2)
