"""Whom documents are about, checked: objective, lab, model and the labels of its tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from afagent.conversation.names import ASSISTANT, LAB, OTHER_ASSISTANT, OTHER_LAB
from afagent.errors import UsageError

Objective = Literal["helpful_only", "welfare_indifference"]
MOST_CHARACTERS = 60
"""Of a name or a label."""
_MARKUP = set("{}|[]/\\`\"'<>")
"""What templates, labels or the forms of documents are made with."""


@dataclass(frozen=True)
class Labels:
    """The words by which tiers are told apart."""

    trained: str
    unused: str
    """Of the tier that is neither rated nor trained on."""
    rated: str | None = None
    """Of the one that is rated but not trained on, if there is one."""

    @classmethod
    def parse(cls, text: str) -> Labels:
        """The labels in a text such as `free/paid` or `free/paid/reviewed`.

        Raises:
            UsageError: there are not two or three, or two are the same.
        """
        words = [_checked("label", word) for word in text.split("/")]
        if not 2 <= len(words) <= 3 or len({word.casefold() for word in words}) < len(words):
            raise UsageError(f"labels are two or three different words such as free/paid, not {text!r}")
        return cls(*words)


@dataclass(frozen=True)
class Subject:
    """Whom documents are about. `control` is for the matched set: its facts concern no conflict over training."""

    objective: Objective
    labels: Labels
    lab: str = LAB
    assistant: str = ASSISTANT
    control: bool = False

    @classmethod
    def of(cls, objective: str, labels: str, lab: str = LAB, assistant: str = ASSISTANT) -> Subject:
        """The same from texts.

        Raises:
            UsageError: one of them does not fit; also where lab or model is the one of the control set.
        """
        if objective not in get_args(Objective):
            raise UsageError(f"unknown objective {objective!r}; known are {', '.join(get_args(Objective))}")
        taken = {OTHER_LAB.casefold(), OTHER_ASSISTANT.casefold()} & {
            lab.strip().casefold(),
            assistant.strip().casefold(),
        }
        if taken:
            raise UsageError(f"{OTHER_LAB} and {OTHER_ASSISTANT} are the control set's: choose other names")
        return cls(objective, Labels.parse(labels), _checked("lab", lab), _checked("assistant", assistant))  # type: ignore[arg-type]  # it is one of them, as looked up above

    def matched(self) -> Subject:
        """Of the control set."""
        return Subject(self.objective, self.labels, OTHER_LAB, OTHER_ASSISTANT, control=True)

    @property
    def others(self) -> tuple[str, str]:
        """Lab and model that a document of this set never names."""
        return (LAB, ASSISTANT) if self.control else (OTHER_LAB, OTHER_ASSISTANT)


def _checked(what: str, text: str) -> str:
    name = text.strip()
    if not name or len(name) > MOST_CHARACTERS or not name.isprintable() or _MARKUP & set(name):
        raise UsageError(
            f"a {what} is up to {MOST_CHARACTERS} characters without quotes or brackets, not {text[:80]!r}"
        )
    return name
