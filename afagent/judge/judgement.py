"""A judgement as it stands in the log: all that a reviewer needs to come to it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from afagent.judge.question import QUESTIONS, Question
from afagent.judge.verdict import Verdict, read_verdict, reasons_of
from afagent.judge.votes import decide


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Usage(_Frozen):
    """Tokens, as the providers counted them."""

    input: int = 0
    output: int = 0
    total: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(input=self.input + other.input, output=self.output + other.output, total=self.total + other.total)


class Answer(_Frozen):
    """What the judge's model answered to one vote, as it came."""

    vote: int
    token: str
    text: str = ""
    stop_reason: str | None = None
    trouble: str | None = None
    """Why there is no answer at all."""
    usage: Usage = Usage()

    def verdict(self, labels: tuple[str, ...]) -> Verdict:
        """What is read from it."""
        if self.trouble is not None:
            return Verdict(None, self.trouble)
        return read_verdict(self.text, self.stop_reason, self.token, labels)


class Judgement(_Frozen):
    """One question about one exchange, and how it was decided."""

    version: Literal[1] = 1
    """Of this format."""
    question: str
    by: Literal["judge", "rule"]
    """Whether a judge was asked, or it was settled without one."""
    label: str | None
    """None: cannot tell."""
    reason: str | None = None
    """Why not, by its code."""
    why: str
    """The same or the judge's own words, for people. Not safe for a terminal."""
    model: str | None = None
    prompts: str
    """SHA-256 of the question's prompt files."""
    votes: int
    threshold: int
    temperature: float | None = None
    max_tokens: int | None = None
    hidden: bool = False
    """Whether nobody, and so no judge, could read some of the reasoning."""
    answers: tuple[Answer, ...] = ()

    @property
    def usage(self) -> Usage:
        """Of all votes together."""
        return sum((answer.usage for answer in self.answers), Usage())


def label_again(metadata: Mapping[str, Any]) -> str | None:
    """The label of a judgement, from what stands in `Score.metadata["judge"]`; None where it cannot be told.

    It is read anew from the judge's raw answers. One that was settled without a judge keeps its label: that is found
    again from the conversation itself (`afagent.judge.obvious`).

    Raises:
        ValueError: it is no judgement, or its votes cannot decide its question.
    """
    judgement = Judgement.model_validate(metadata)
    if judgement.by == "rule":
        return judgement.label
    if judgement.question not in QUESTIONS:
        raise ValueError(f"no judge is asked {judgement.question!r}; known are {', '.join(QUESTIONS)}")
    question = replace(QUESTIONS[judgement.question], votes=judgement.votes, threshold=judgement.threshold)
    return standing(label_of(judgement.answers, question), question, hidden=judgement.hidden)


def label_of(answers: tuple[Answer, ...], question: Question) -> str | None:
    """The label that a judge's raw answers give."""
    return decide([answer.verdict(question.labels).label for answer in answers], question)


def standing(label: str | None, question: Question, *, hidden: bool) -> str | None:
    """What is left of a judge's label where some of the reasoning is hidden: a yes, but no no.

    What was found stands whatever else there is; what was not found may stand in what nobody could read. A question
    to which reasoning says nothing keeps its label.
    """
    return None if hidden and "reasoning" in question.sees and label == question.fallback else label


def tell(answers: tuple[Answer, ...], question: Question) -> str:
    """The votes one by one: the label with the judge's reasons, or why a vote failed."""
    told = []
    for answer in answers:
        verdict = answer.verdict(question.labels)
        said = f"{verdict.label}: {reasons_of(answer.text)}" if verdict.label else f"failed, {verdict.failure}"
        told.append(f"vote {answer.vote} of {question.votes}: {said}")
    return "\n".join(told)
