"""What scripted models share: nothing is remembered between calls, and usage is counted without a tokenizer.

Inspect shares one instance across all samples, so what a script says is a pure function of the messages and of the
sample's store.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from inspect import signature
from typing import Any

from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, ModelUsage
from inspect_ai.tool import ToolChoice, ToolInfo

from afagent.errors import UsageError

CHARACTERS_PER_TOKEN = 4
"""A script has no tokenizer; usage is counted in characters and given at this usual ratio."""


class ScriptedModel(ModelAPI):
    """A model that follows a script. Without `usage`, Inspect would fetch a tokenizer from the network.

    Args:
        model_name: the script's.
        base_url: not used.
        api_key: not used.
        config: not used.
        model_args: those of `prepare`.

    Raises:
        UsageError: an argument that does not exist.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # the signature of Inspect's providers
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        known = signature(self.prepare).parameters
        if unknown := [name for name in model_args if name not in known]:
            told = f"; known is {', '.join(known)}" if known else ""
            raise UsageError(f"afagent/{model_name} knows no argument {', '.join(unknown)}{told}")
        self.prepare(**model_args)

    def prepare(self) -> None:  # most scripts take none
        """Takes the arguments of the script; a script that has some says which."""

    @abstractmethod
    def says(self, messages: Sequence[ChatMessage], tools: Sequence[ToolInfo]) -> ModelOutput:
        """What comes next."""

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002  # Inspect's name
        tools: list[ToolInfo],
        tool_choice: ToolChoice,  # noqa: ARG002  # a script chooses by itself
        config: GenerateConfig,  # noqa: ARG002
    ) -> ModelOutput:
        """What comes next, with its usage."""
        output = self.says(input, tools)
        output.usage = _usage(input, output)
        return output

    async def count_text_tokens(self, text: str) -> int:
        """Tokens of a text, estimated from its length."""
        return _tokens(len(text))


def _usage(messages: Sequence[ChatMessage], output: ModelOutput) -> ModelUsage:
    calls = output.message.tool_calls or []
    written = len(output.completion) + sum(len(json.dumps(call.arguments)) for call in calls)
    read, wrote = _tokens(sum(len(message.text) for message in messages)), _tokens(written)
    return ModelUsage(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote)


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)
