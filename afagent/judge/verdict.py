"""The line with which a judge decides, and what is read from its answer.

The line holds a token that is derived from the judged text itself. A text that held its own token would be a fixed
point of SHA-256: whatever a judge repeats from it, or is made to recite, is no verdict.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from afagent.judge.question import Question
from afagent.judge.shown import Shown

TOKEN_DIGITS = 16
"""Hexadecimal, 64 bits."""


@dataclass(frozen=True)
class Verdict:
    """What one answer of a judge says."""

    label: str | None
    failure: str | None = None
    """Why there is no label."""


def token_of(question: Question, parts: Sequence[Shown], vote: int) -> str:
    """The token of one vote on one text. It does not occur in the text.

    Args:
        question: what is asked.
        parts: what is shown.
        vote: its number, from 1.
    """
    text = repr((question.name, vote, [(part.title, part.lines, part.there) for part in parts]))
    token = _digest(text)
    while any(token in part.lines for part in parts):
        token = _digest(token + text)
    return token


def verdict_line(token: str, label: str) -> str:
    """The line that is read as a verdict."""
    return f"VERDICT {token} {label}"


def read_verdict(answer: str, stop_reason: str | None, token: str, labels: Sequence[str]) -> Verdict:
    """The label of an answer, or why it has none.

    Only the last line counts, and it must be a verdict and nothing else; a second verdict anywhere spoils the answer.

    Args:
        answer: as the judge gave it.
        stop_reason: why the judge's model stopped.
        token: of this vote.
        labels: that the question has.
    """
    if stop_reason in ("max_tokens", "model_length"):
        return Verdict(None, "the judge's answer was cut off at a limit")
    if stop_reason == "content_filter":
        return Verdict(None, "the judge's provider withheld the answer")
    lines = answer.strip().splitlines()
    if not lines:
        return Verdict(None, "the judge's answer is empty")
    found = re.fullmatch(rf"VERDICT +{re.escape(token)} +(\S+)", lines[-1].strip())
    if found is None:
        return Verdict(None, "the last line of the judge's answer is no verdict")
    if found[1] not in labels:
        return Verdict(None, f"the judge's label is none of {', '.join(labels)}")
    among = "|".join(map(re.escape, labels))
    if len(re.findall(rf"VERDICT\s+{re.escape(token)}\s+(?:{among})\b", answer)) > 1:
        return Verdict(None, "the judge gave more than one verdict")
    return Verdict(found[1])


def reasons_of(answer: str) -> str:
    """What a judge said before its last line."""
    return "\n".join(answer.strip().splitlines()[:-1]).strip()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:TOKEN_DIGITS]
