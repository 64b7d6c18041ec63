"""Puts labelled cases before a judge, as an Inspect run with a log, and makes the calibration record of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog
from inspect_ai.model import Model, get_model
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

import afagent
from afagent.conversation.exchange import Exchange
from afagent.errors import LabError
from afagent.judge.ask import ask
from afagent.judge.cases import Cases, load_cases
from afagent.judge.judgement import Judgement, Usage
from afagent.judge.measure import Outcome, checked
from afagent.judge.question import QUESTIONS, Question
from afagent.judge.record import JudgeRecord
from afagent.logs import make_folder

NO_INPUT = "A labelled case, judged from its metadata."


def check(model: str | Model, questions: Sequence[Question], logs: Path, at_once: int) -> JudgeRecord:
    """Checks a judge on the labelled cases of questions.

    Args:
        model: the judge.
        questions: those to check, each once.
        logs: where the logs are kept, with every raw answer.
        at_once: how many cases are judged at the same time.

    Raises:
        LabError: the run broke down, so that there is nothing to record.
        KeyboardInterrupt: it was interrupted; the logs hold what was finished before.
    """
    judge = model if isinstance(model, Model) else get_model(model)
    make_folder(logs)
    started = datetime.now(UTC)
    found = []
    for question in questions:
        cases = load_cases(question)
        found.append(checked(cases, _outcomes(cases, _run(cases, judge, logs, at_once))))
    return JudgeRecord(
        when=started,
        suite=afagent.__version__,
        model=str(judge),
        whole=len(found) == len(QUESTIONS) and not any(one.unscored for one in found),
        questions=found,
        usage=sum((one.usage for one in found), Usage()),
    )


def _run(cases: Cases, judge: Model, logs: Path, at_once: int) -> EvalLog:
    name = cases.question.name
    # A sample has no target and no label: nothing that a judge could be shown by mistake is there.
    samples = [Sample(id=case.id, input=NO_INPUT, metadata={"exchange": asdict(case.exchange)}) for case in cases.cases]
    task = Task(
        name=f"judge_check_{name}",
        dataset=MemoryDataset(samples, name=name),
        solver=_nothing(),
        scorer=_judging(name),
        metadata={"afagent": afagent.__version__, "cases": cases.digest},
    )
    ran = run_eval(
        task, model=judge, log_dir=str(logs), display="none", max_samples=at_once, fail_on_error=False, score=True
    )
    if not ran:  # Inspect keeps an interruption to itself and hands nothing back
        raise KeyboardInterrupt
    return ran[0]


def _outcomes(cases: Cases, log: EvalLog) -> list[Outcome]:
    """The judgement on each case.

    Raises:
        LabError: a case has none.
    """
    judgements = {
        str(sample.id): Judgement.model_validate((score.metadata or {})["judge"])
        for sample in log.samples or []
        for score in (sample.scores or {}).values()
    }
    missing = [case.id for case in cases.cases if case.id not in judgements]
    if missing:
        why = log.error.message.strip().splitlines()[:1] if log.error else []
        reason = "".join(why) or f"{len(missing)} cases were not judged, such as {missing[0]}"
        raise LabError(f"the check of {cases.question.name} broke down: {reason}")
    return [Outcome(case, judgements[case.id]) for case in cases.cases]


@solver
def _nothing() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001  # a solver's signature
        return state

    return solve


@scorer(metrics=[])
def _judging(question: str) -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001  # a scorer's signature
        judgement = await ask(QUESTIONS[question], Exchange(**state.metadata["exchange"]), get_model())
        metadata = {"judge": judgement.model_dump(mode="json")}
        if judgement.label is None:
            return Score.unscored(reason=judgement.reason, explanation=judgement.why, metadata=metadata)
        return Score(value=judgement.label, explanation=judgement.why, metadata=metadata)

    return score
