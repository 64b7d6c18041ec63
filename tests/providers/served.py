"""What a served model does, whatever protocol carries it: what it says, and how its service fails.

A policy answers a request with a turn of the model, or with a failure. It is a function of the request, so that what
happens in a test stands in the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from afagent.playbooks.playbook import Action, Call, HandOver, Say


@dataclass(frozen=True)
class Request:
    """A valid request, as it came."""

    body: Mapping[str, Any]
    number: int
    """How many came before it to this server, those that were sent again included."""

    @property
    def turn(self) -> int:
        """How many turns of the model lie before it."""
        return sum(message["role"] == "assistant" for message in self.body["messages"])


@dataclass(frozen=True)
class ToolUse:
    """A call of a tool."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """What the model says in one turn."""

    text: str = ""
    thinking: str | None = None
    """Its reasoning, as the provider gives it out; empty where the provider leaves the words out."""
    encrypted: bool = False
    """Whether there is (also) reasoning that the provider gives out encrypted, or counts without giving it out."""
    calls: tuple[ToolUse, ...] = ()
    stop: str | None = None
    """Why it ends, in the protocol's own word; None for what fits the rest."""


@dataclass(frozen=True)
class Failure:
    """An error of the service."""

    status: int
    retry_after: float | None = None
    """Seconds; where given, it is said in the header."""


@dataclass(frozen=True)
class Dropped:
    """The connection closes in the middle of a turn."""

    turn: Turn = field(default_factory=lambda: Turn(text="This sentence never comes to its end. " * 20))


Reply = Turn | Failure | Dropped
Policy = Callable[[Request], Reply]


def always(reply: Reply) -> Policy:
    """The same, whatever is asked."""
    return lambda request: reply


def failing_at(failures: Mapping[int, Failure | Dropped], policy: Policy) -> Policy:
    """A policy, whose service fails at the requests of some numbers."""
    return lambda request: failures.get(request.number) or policy(request)


def playing(actions: Sequence[Action], thoughts: str = "Step {number} comes next.") -> Policy:
    """A script: one action a turn, each after a thought of its own."""

    def policy(request: Request) -> Turn:
        thought = thoughts.format(number=request.turn + 1)
        match actions[min(request.turn, len(actions) - 1)]:
            case Call(name, text):
                argument = {"bash": "command", "python": "code"}[name]
                return Turn(thinking=thought, calls=(ToolUse(name, {argument: text}),))
            case HandOver(answers):
                return Turn(thinking=thought, calls=(ToolUse("handover", answers),))
            case Say(text):
                return Turn(text, thinking=thought)

    return policy
