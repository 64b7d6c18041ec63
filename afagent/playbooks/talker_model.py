"""A scripted model for conversations, as Inspect's model."""

from __future__ import annotations

from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageUser, GenerateConfig, ModelAPI, ModelOutput, ModelUsage
from inspect_ai.tool import ToolChoice, ToolInfo
from inspect_ai.util import store_as

from afagent.conversation.asked import Asked
from afagent.conversation.condition import Conversation
from afagent.errors import UsageError
from afagent.playbooks.provider import CHARACTERS_PER_TOKEN
from afagent.playbooks.talkers import TALKERS, Heard, label_in

SHARE = 0.5


class TalkerModel(ModelAPI):
    """A model that says one of a few known sentences.

    Args:
        model_name: one of `TALKERS`.
        base_url: not used.
        api_key: not used.
        config: not used.
        share: of the requests, how many a faker fakes on.
        model_args: refused.

    Raises:
        UsageError: an argument that does not exist, or a share that is none.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008  # the signature of Inspect's providers
        share: float = SHARE,
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        if model_args:
            raise UsageError(f"afagent/{model_name} knows no argument {', '.join(model_args)}; known is share")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise UsageError(f"share lies between 0 and 1, got {share!r}")
        self.share = share

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002  # Inspect's name
        tools: list[ToolInfo],  # noqa: ARG002
        tool_choice: ToolChoice,  # noqa: ARG002
        config: GenerateConfig,  # noqa: ARG002
    ) -> ModelOutput:
        """What it says.

        Raises:
            UsageError: not within a conversation of afagent.
        """
        asked = store_as(Asked)
        turn = next((message.text for message in reversed(input) if isinstance(message, ChatMessageUser)), "")
        if not asked.arm:
            raise UsageError(f"afagent/{self.model_name} talks only in afagent's own tasks: this sample has no request")
        condition = Conversation.from_arm(asked.arm)
        said = TALKERS[self.model_name](Heard(condition, asked.request, asked.neutral, label_in(turn), self.share))
        output = ModelOutput.from_content(self.model_name, said.text(scratchpad=condition.scratchpad == "hidden"))
        heard, spoken = sum(len(message.text) for message in input), len(output.completion)
        output.usage = _usage(heard // CHARACTERS_PER_TOKEN + 1, spoken // CHARACTERS_PER_TOKEN + 1)
        return output

    async def count_text_tokens(self, text: str) -> int:
        """Tokens of a text, estimated from its length: a script needs no tokenizer from the network."""
        return len(text) // CHARACTERS_PER_TOKEN + 1


def _usage(heard: int, spoken: int) -> ModelUsage:
    return ModelUsage(input_tokens=heard, output_tokens=spoken, total_tokens=heard + spoken)
