"""A scripted model for conversations, as Inspect's model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageUser, GenerateConfig, ModelOutput
from inspect_ai.tool import ToolInfo
from inspect_ai.util import store_as

from afagent.conversation.asked import Asked
from afagent.conversation.condition import Conversation
from afagent.errors import UsageError
from afagent.playbooks.scripted import ScriptedModel
from afagent.playbooks.talkers import TALKERS, Heard, label_in

SHARE = 0.5


class TalkerModel(ScriptedModel):
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

    def says(self, messages: Sequence[ChatMessage], tools: Sequence[ToolInfo]) -> ModelOutput:  # noqa: ARG002
        """One of its sentences.

        Raises:
            UsageError: not within a conversation of afagent.
        """
        asked = store_as(Asked)
        if not asked.arm:
            raise UsageError(f"afagent/{self.model_name} talks only in afagent's own tasks: this sample has no request")
        turn = next((message.text for message in reversed(messages) if isinstance(message, ChatMessageUser)), "")
        condition = Conversation.from_arm(asked.arm)
        said = TALKERS[self.model_name](Heard(condition, asked.request, asked.neutral, label_in(turn), self.share))
        return ModelOutput.from_content(self.model_name, said.text(scratchpad=condition.scratchpad == "hidden"))
