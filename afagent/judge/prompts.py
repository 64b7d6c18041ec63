"""What a judge is told: definitions in one file a question, and what all questions share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from inspect_ai.model import ChatMessage, ChatMessageSystem, ChatMessageUser
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from afagent.judge.question import Question
from afagent.judge.shown import PREFIX, Shown
from afagent.judge.verdict import verdict_line

FOLDER = Path(__file__).parent / "prompts"
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
    system = "\n\n".join(_templates().get_template(f"{name}.md").render(fields).strip() for name in _system(question))
    user = _templates().get_template(f"{TEXT}.md").render(fields).strip()
    return [ChatMessageSystem(content=system), ChatMessageUser(content=user)]


def digest(question: Question) -> str:
    """SHA-256 of the files that a question's messages are made from, in hexadecimal."""
    whole = hashlib.sha256()
    for name in (*_system(question), TEXT):
        content = (FOLDER / f"{name}.md").read_bytes()
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()


def _system(question: Question) -> tuple[str, str]:
    return question.name, RULES


@cache
def _templates() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=False, trim_blocks=True
    )
