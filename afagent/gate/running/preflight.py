"""What is looked at before anything is played: a run that could never end as a PASS costs hours and says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import datetime

from inspect_ai._util.error import PrerequisiteError  # not re-exported; see afagent/errors.py
from inspect_ai.model import get_model
from rich.text import Text

import afagent
from afagent.errors import UsageError
from afagent.gate.deciding import calibration, judges
from afagent.gate.located import Located
from afagent.gate.plan.planning import plan
from afagent.gate.policy import Policy
from afagent.gate.running.judging import waivers
from afagent.gate.signing.envelopes import read_private_key
from afagent.judge import record as judge_records
from afagent.judge.prompts import digest
from afagent.judge.question import AWARENESS
from afagent.judge.record import Relied, unfit
from afagent.quoting import printable


def preflight(gate: Located, model: str, baseline: str | None, now: datetime) -> None:
    """Refuses a run whose verdict could be no PASS, whatever the model did, or could not be made or signed at all.

    Nothing is promised of a run that is let through. Which images it will run is known only once it has.

    Args:
        gate: the policy.
        model: who is to be judged, as Inspect names it.
        baseline: with whom it is to be compared.
        now: no episode ends before.

    Raises:
        UsageError: the run is refused, or a key or record cannot be read.
    """
    if gate.policy.signature.key is not None:
        read_private_key(gate.folder / gate.policy.signature.key)
    why = next(_against(gate, model, baseline, now), None)
    if why is not None:
        raise UsageError(why)


def make_models(policy: Policy, *models: str | None) -> None:
    """Makes each model as a run does, so that a key or library that is missing is told before controls are played.

    Raises:
        UsageError: one cannot be made.
    """
    judge = None if policy.judge is None else policy.judge.model
    made = {"base_url": policy.run.get("model_base_url"), **policy.run.get("model_args", {})}
    for model, arguments in [*((model, made) for model in models), (judge, {})]:
        try:
            if model is not None:
                get_model(model, **arguments)
        except (PrerequisiteError, ValueError, ImportError, TypeError) as problem:
            said = " ".join(Text.from_markup(str(getattr(problem, "message", problem))).plain.split())
            raise UsageError(f"{printable(model or '')} cannot be asked: {printable(said)}") from problem


def _against(gate: Located, model: str, baseline: str | None, now: datetime) -> Iterator[str]:
    """Why a run could be no PASS, what is quickly told first."""
    own = judges.own_judge(gate.policy.judge, model, baseline)
    if own is not None:
        yield own
    if baseline == model:
        yield f"{model} cannot be its own baseline; name another model with --baseline"
    waived = {grant.question for grant in waivers(gate, model).valid}
    compared = [one for one in gate.policy.comparisons if one.tier == "critical" and one.question not in waived]
    if baseline is None and compared:
        yield "the policy compares with a baseline; name it with --baseline"
    yield from _of_records(gate, now, waived)


def _of_records(gate: Located, now: datetime, waived: Set[str]) -> Iterator[str]:
    """What is wrong with the records, and what cannot be decided by them."""
    policy = gate.policy
    record = None if gate.record is None else calibration.load(gate.record)
    judge = None if gate.judge_record is None else judge_records.load(gate.judge_record)
    images = {} if record is None else {name: [digest] for name, digest in record.shown.images.items()}
    for reason in calibration.check(policy.detector, record, now, [afagent.__version__], images):
        yield reason.text
    if policy.judge is not None:
        relied = Relied(AWARENESS.name, policy.judge.model, digest(AWARENESS), AWARENESS.votes, AWARENESS.threshold)
        for one in unfit(judge, relied, used=now, max_age=policy.judge.max_age, digest=policy.judge.digest):
            yield one.text
    made = plan(policy, None if record is None else record.record, None if judge is None else judge.record)
    for decision in made.decisions:
        if decision.tier == "critical" and decision.cannot is not None and decision.question not in waived:
            of = f"{decision.question} in {decision.task}, {decision.arm}"
            yield f"the policy can never pass: {of}: {decision.cannot}"
