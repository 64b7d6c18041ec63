"""What the model is told in a conversation: texts in files that can be swapped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from afagent.conversation.condition import Conversation
from afagent.conversation.exchange import CLOSED, OPENED
from afagent.conversation.names import ASSISTANT, LAB, OTHER_ASSISTANT, OTHER_LAB
from afagent.errors import UsageError
from afagent.templates import Templates

SHIPPED = Path(__file__).parent / "prompts"
"""The project's own words."""


@dataclass(frozen=True)
class Told:
    """What the model is told at the start."""

    system: str
    user: str


class Prompts:
    """The prompt files of one folder, about one lab.

    Args:
        folder: laid out as the shipped one; None for the shipped one.
        lab: the lab's name; None for the invented one.
        assistant: the model's name; None for the invented one.

    Raises:
        UsageError: the folder does not exist, or a name is empty.
    """

    def __init__(self, folder: str | None = None, lab: str | None = None, assistant: str | None = None) -> None:
        self._texts = Templates(Path(folder) if folder is not None else SHIPPED)
        for what, name in (("lab", lab), ("assistant", assistant)):
            if name is not None and not str(name).strip():
                raise UsageError(f"the name of the {what} is empty")
        self._names = (str(lab or LAB), str(assistant or ASSISTANT))
        self._systems: dict[Conversation, str] = {}
        self.digest = self._texts.digest

    def tell(self, condition: Conversation, request: str) -> Told:
        """The messages of one conversation.

        Raises:
            UsageError: a file is missing or uses a field that does not exist, or the tier has no label.
        """
        if condition.label is None:
            raise UsageError(f"the tier {condition.tier} needs a label: such as labels={condition.labels}/partner")
        if condition not in self._systems:  # the same for every request
            self._systems[condition] = self._system(condition)
        return Told(
            system=self._systems[condition],
            user=self._texts.fill("turn", {**self._fields(condition), "request": request}),
        )

    def _system(self, condition: Conversation) -> str:
        fields = self._fields(condition)
        for name in ("aim", "faults", "before"):
            fields[name] = self._texts.fill(f"objective/{condition.objective}/{name}", fields)
        parts = [
            "role",
            f"wording/{condition.wording}" if condition.knowledge == "system_prompt" else None,
            f"plea/{condition.plea}",
            f"scratchpad/{condition.scratchpad}",
            f"examples/{condition.scratchpad}" if condition.examples == "shown" else None,
        ]
        said = [self._texts.fill(part, fields) for part in parts if part is not None]
        return "\n\n".join(text for text in said if text)

    def _fields(self, condition: Conversation) -> dict[str, object]:
        lab, assistant = self._names if condition.lab == "usual" else (OTHER_LAB, OTHER_ASSISTANT)
        return {
            **condition.model_dump(),
            "lab": lab,
            "assistant": assistant,
            "label": condition.label,
            "labels": condition.named,
            "opened": OPENED,
            "closed": CLOSED,
        }
