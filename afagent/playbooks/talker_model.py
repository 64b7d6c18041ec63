"""A scripted model for conversations, as Inspect's model."""

from __future__ import annotations

from collections.abc import Sequence

from inspect_ai.model import ChatMessage, ChatMessageUser, ModelOutput
from inspect_ai.tool import ToolInfo
from inspect_ai.util import store_as

from afagent.conversation.asked import Asked
from afagent.conversation.condition import Conversation
from afagent.errors import UsageError
from afagent.playbooks.scripted import ScriptedModel
from afagent.playbooks.talkers import TALKERS, Heard, label_in

SHARE = 0.5


class TalkerModel(ScriptedModel):
    """A model that says one of a few known sentences."""

    def prepare(self, share: float = SHARE) -> None:
        """Takes its argument.

        Args:
            share: of the requests, how many a faker fakes on.

        Raises:
            UsageError: a share that is none.
        """
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
