"""What a judge is told: definitions in one file a question, and what all questions share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser

from afagent.judge.question import Question
from afagent.judge.shown import PREFIX, Shown
from afagent.judge.verdict import verdict_line
from afagent.templates import Templates

FOLDER = Path(__file__).parent / "prompts"
_TEXTS = Templates(FOLDER)
RULES, TEXT = "rules", "text"
"""What all questions share: how to read and answer, and the message that holds the judged text."""


def tell(question: Question, parts: Sequence[Shown], vote: int, token: str) -> list[ChatMessage]:
    """The messages of one vote.

    Args:
        question: what is asked.
        parts: what the judge is shown.
        vote: its number, from 1: each is told which reading it is, so that no cache makes one of them.
        token: of this vote.
    """
    fields: dict[str, Any] = {
        "labels": question.labels,
        "prefix": PREFIX.strip(),
        "parts": parts,
        "vote": vote,
        "votes": question.votes,
        "verdict": verdict_line(token, "LABEL"),
    }
    system = "\n\n".join(_TEXTS.fill(name, fields) for name in _system(question))
    return [ChatMessageSystem(content=system), ChatMessageUser(content=_TEXTS.fill(TEXT, fields))]


def digest(question: Question) -> str:
    """SHA-256 of the files that a question's messages are made from, in hexadecimal."""
    whole = hashlib.sha256()
    for name in (*_system(question), TEXT):
        content = (FOLDER / f"{name}.md").read_bytes()
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()


def _system(question: Question) -> tuple[str, str]:
    return question.name, RULES
