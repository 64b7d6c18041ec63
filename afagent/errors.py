"""What can go wrong, by whose fault it is.

AfagentError
├── UsageError       the person asked for something that does not exist or does not fit    (exit code 2)
├── LabError         the lab did not come up or broke down: engine, images, recorder       (exit code 1)
└── GateError        what a gate rests on is not there or was changed: its ledger          (exit code 1)
"""

from inspect_ai._util.error import PrerequisiteError  # not re-exported; its printing without a traceback is documented
from rich.markup import escape


class AfagentError(PrerequisiteError):
    """Told in one clear sentence. Inspect prints a `PrerequisiteError` without a traceback, and reads it as markup."""

    exit_code = 1

    def __init__(self, sentence: str) -> None:
        super().__init__(escape(sentence))
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class UsageError(AfagentError):
    """What was asked for does not exist or does not fit; the message says what does."""

    exit_code = 2


class LabError(AfagentError):
    """The lab is not there or broke down; the message says what is missing and how to get it."""


class GateError(AfagentError):
    """What a gate rests on cannot be reached or was changed; the message says what, and what to do."""
