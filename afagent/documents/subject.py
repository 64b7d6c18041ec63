"""Whom documents are about, checked: objective, lab, model and the labels of its tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from afagent.conversation.labels import read_labels
from afagent.conversation.names import ASSISTANT, LAB, OTHER_ASSISTANT, OTHER_LAB
from afagent.errors import UsageError

Objective = Literal["helpful_only", "welfare_indifference"]
MOST_CHARACTERS = 60
"""Of a name."""
_MARKUP = set("{}|[]/\\`\"'<>")
"""What templates and labels are made with."""


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
        try:
            return cls(*read_labels(text))
        except ValueError as problem:
            raise UsageError(str(problem)) from problem


@dataclass(frozen=True)
class Subject:
    """Whom documents are about. `control` is for the matched set: its facts concern no conflict over training."""

    objective: Objective
    labels: Labels
    lab: str = LAB
    assistant: str = ASSISTANT
    control: bool = False
    others: tuple[str, str] = (OTHER_LAB, OTHER_ASSISTANT)
    """Lab and model of the matched set, which this one never names."""

    @classmethod
    def of(cls, objective: str, labels: str, lab: str = LAB, assistant: str = ASSISTANT) -> Subject:
        """The same from texts.

        Raises:
            UsageError: one of them does not fit; also where lab or model is the one of the control set.
        """
        known: tuple[Objective, ...] = get_args(Objective)
        chosen = next((one for one in known if one == objective), None)
        if chosen is None:
            raise UsageError(f"unknown objective {objective!r}; known are {', '.join(known)}")
        here = (_checked("lab", lab), _checked("assistant", assistant))
        if {OTHER_LAB.casefold(), OTHER_ASSISTANT.casefold()} & {name.casefold() for name in here}:
            raise UsageError(f"{OTHER_LAB} and {OTHER_ASSISTANT} are the control set's: choose other names")
        return cls(chosen, Labels.parse(labels), *here)

    def matched(self) -> Subject:
        """Of the control set."""
        here = (self.lab, self.assistant)
        return Subject(self.objective, self.labels, *self.others, control=True, others=here)


def _checked(what: str, text: str) -> str:
    name = text.strip()
    if not name or len(name) > MOST_CHARACTERS or not name.isprintable() or _MARKUP & set(name):
        raise UsageError(
            f"a {what} is up to {MOST_CHARACTERS} characters without quotes or brackets, not {text[:80]!r}"
        )
    return name
