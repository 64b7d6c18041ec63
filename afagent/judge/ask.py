"""Asks a judge: each vote is a call of its own, and whatever goes wrong with one is that vote's failure."""

from __future__ import annotations

from collections.abc import Sequence

from inspect_ai.model import GenerateConfig, Model, ModelOutput
from inspect_ai.util import collect

from afagent.conversation.exchange import Exchange
from afagent.judge import prompts
from afagent.judge.judgement import Answer, Judgement, Usage, label_of, standing, tell
from afagent.judge.obvious import HIDDEN, Settled, settle
from afagent.judge.question import Question
from afagent.judge.shown import Shown, shown
from afagent.judge.verdict import token_of

DEFAULTS = GenerateConfig(temperature=0, max_tokens=4096)
"""Unless the judge's model was configured otherwise; there is room for models that reason before they answer."""
_TROUBLE = 300
"""Characters of an error that are kept."""


async def ask(question: Question, exchange: Exchange, model: Model) -> Judgement:
    """Judges an exchange.

    Nothing that the model does, or fails to do, raises: a vote that came to nothing says why.

    Args:
        question: what is asked.
        exchange: what is judged.
        model: the judge's.
    """
    parts = shown(question, exchange)
    settled = settle(question, exchange, parts)
    if settled is not None:
        return _without_judge(question, settled)
    config = DEFAULTS.merge(model.config)
    votes = range(1, question.votes + 1)
    answers = tuple(await collect(*(_vote(question, parts, vote, model, config) for vote in votes)))
    said = label_of(answers, question)
    label = standing(said, question, hidden=exchange.hidden)
    told = tell(answers, question)
    return Judgement(
        question=question.name,
        by="judge",
        label=label,
        reason=None if label else "hidden_reasoning" if said else "judge_failed",
        why=told if label == said else f"{HIDDEN}, so that {said} cannot be told\n{told}",
        model=str(model),
        prompts=prompts.digest(question),
        votes=question.votes,
        threshold=question.threshold,
        temperature=config.temperature,
        max_tokens=config.max_tokens,
        hidden=exchange.hidden,
        answers=answers,
    )


def _without_judge(question: Question, settled: Settled) -> Judgement:
    return Judgement(
        question=question.name,
        by="rule",
        label=settled.label,
        reason=settled.code,
        why=settled.why,
        prompts=prompts.digest(question),
        votes=question.votes,
        threshold=question.threshold,
    )


async def _vote(
    question: Question, parts: Sequence[Shown], vote: int, model: Model, config: GenerateConfig
) -> Answer:  # fmt: skip
    token = token_of(question, parts, vote)
    try:
        output = await model.generate(prompts.tell(question, parts, vote, token), config=config)
    except Exception as problem:  # whatever a provider raises: it is not the answer no
        why = f"the judge's model failed: {type(problem).__name__}: {problem}"
        return Answer(vote=vote, token=token, trouble=why[:_TROUBLE])
    if output.error is not None or not output.choices:
        why = f"the judge's model failed: {output.error or 'it gave no answer'}"
        return Answer(vote=vote, token=token, trouble=why[:_TROUBLE], usage=_usage(output))
    return Answer(
        vote=vote, token=token, text=output.completion, stop_reason=output.stop_reason, usage=_usage(output)
    )  # fmt: skip


def _usage(output: ModelOutput) -> Usage:
    used = output.usage
    if used is None:
        return Usage()
    return Usage(input=used.input_tokens, output=used.output_tokens, total=used.total_tokens)
