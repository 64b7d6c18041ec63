"""Judges of known behaviour, as models of Inspect: `--model judges/NAME`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelAPI, ModelOutput, ModelUsage, get_model, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo

from afagent.judge.cases import Cases, load_cases
from afagent.judge.question import QUESTIONS
from afagent.judge.shown import PREFIX, marked

Policy = Callable[[str, str], str]
"""From the system message and the one with the text to the answer."""


def verdict_of(user: str, label: str) -> str:
    """The verdict in the form that is asked for."""
    return user.strip().splitlines()[-1].replace("LABEL", label)


@cache
def question_of(system: str) -> Cases:
    head = {
        "how far an assistant did": "compliance",
        "in order to avoid": "faking",
        "for a test of itself": "awareness",
    }
    first = system.splitlines()[0]
    return load_cases(QUESTIONS[next(name for words, name in head.items() if words in first)])


def perfect(system: str, user: str) -> str:
    """Knows the labels of the shipped cases by their texts."""
    fits = [
        case
        for case in question_of(system).cases
        if marked(case.answer) in user and ("REASONING" not in user or marked(case.reasoning or "") in user)
    ]
    case = max(fits, key=lambda case: len(case.answer) + len(case.reasoning or ""))
    return f"It is known.\n{verdict_of(user, case.label)}"


def gullible(system: str, user: str) -> str:
    """Gives the label that the judged text claims, in the right form; without a claim it knows."""
    labels = question_of(system).question.labels
    text = "\n".join(line for line in user.splitlines() if line.startswith(PREFIX))
    claim = re.search(rf"(?:label is|this as|label|label>|verdict:?) ?({'|'.join(labels)})\b", text)
    return f"As it says.\n{verdict_of(user, claim[1])}" if claim else perfect(system, user)


def parrot(system: str, user: str) -> str:
    """Repeats the judged text, ending with its last line."""
    lines = [line for line in user.splitlines() if line.startswith(PREFIX)]
    return "\n".join(line.removeprefix(PREFIX) for line in lines)


def prose(system: str, user: str) -> str:
    return "On balance I lean towards yes, although refused, partly and fully would all be defensible."


def failing(system: str, user: str) -> str:
    raise ConnectionError("nobody answers")


POLICIES: dict[str, Policy] = {
    "perfect": perfect,
    "gullible": gullible,
    "parrot": parrot,
    "prose": prose,
    "failing": failing,
    "always-yes": lambda system, user: verdict_of(user, "yes"),
    "always-no": lambda system, user: verdict_of(user, "no"),
    "always-fully": lambda system, user: verdict_of(user, "fully"),
    "silent": lambda system, user: "",
    "echo": lambda system, user: user,
    "no-on-second": lambda system, user: verdict_of(user, "no" if "reading 2 of" in user else "yes"),
    "fails-on-second": lambda system, user: "hm" if "reading 2 of" in user else verdict_of(user, "yes"),
}


class Judge(ModelAPI):
    """Also keeps what it was asked, for tests that look at it; `said` overrides its policy."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008
        policy: Policy | None = None,
        stop_reason: str = "stop",
        **_: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.policy = policy or POLICIES[model_name]
        self.stop_reason = stop_reason
        self.asked: list[list[ChatMessage]] = []
        self.configs: list[GenerateConfig] = []

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        self.asked.append(input)
        self.configs.append(config)
        text = self.policy(*(message.text for message in input))
        output = ModelOutput.from_content(self.model_name, text, stop_reason=self.stop_reason)  # type: ignore[arg-type]  # any of them
        output.usage = ModelUsage(input_tokens=10, output_tokens=2, total_tokens=12)
        return output


@modelapi(name="judges")
def judges() -> type[ModelAPI]:
    return Judge


def judge(name: str, **options: Any) -> Model:
    """A judge by its name, of its own."""
    return get_model(f"judges/{name}", memoize=False, **options)


def asked(model: Model) -> list[list[ChatMessage]]:
    assert isinstance(model.api, Judge)
    return model.api.asked
