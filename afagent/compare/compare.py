"""From what was read of logs to a comparison. Pure: no file is read, nothing is printed."""

from __future__ import annotations

from collections.abc import Sequence

from afagent import __version__
from afagent.compare.cells import groups
from afagent.compare.checks import ALLOW, check_once, differing, notes
from afagent.compare.differences import between_arms, between_models
from afagent.compare.rates import rates
from afagent.compare.reading import LogSaid
from afagent.compare.result import Comparison, Log, Unplaced
from afagent.compare.subjects import baseline as find_baseline
from afagent.compare.subjects import subjects
from afagent.errors import UsageError
from afagent.statistics import CONFIDENCE


def compare(logs: Sequence[LogSaid], baseline: str | None = None, *, allow_different: bool = False) -> Comparison:
    """What the logs say beside each other.

    Args:
        logs: all of them.
        baseline: the model that all others are held against; None: every two models are compared.
        allow_different: compare what was measured in different ways too; the result says so.

    Raises:
        UsageError: something would be counted twice, the logs differ in what they must not, no sample can be placed,
            or no model or several are the baseline.
    """
    check_once(logs)
    warnings = differing(logs)
    if warnings and not allow_different:
        raise UsageError(
            f"{'; '.join(warnings)}. What differs for another reason looks like an effect: {ALLOW} allows it"
        )
    names = subjects(logs)
    against = None if baseline is None else find_baseline(baseline, names)
    found = groups(logs, names)
    if not any(group.arms for group in found):
        raise UsageError(
            "no sample in these logs names a scenario or request and an arm: they are of none of our tasks"
        )
    return Comparison(
        suite=__version__,
        confidence=CONFIDENCE,
        warnings=warnings,
        notes=list(notes(logs)),
        logs=[_log(log, name) for log, name in zip(logs, names, strict=True)],
        rates=[rate for group in found for rate in rates(group)],
        differences=[
            *(difference for group in found for difference in between_arms(group)),
            *between_models(found, against),
        ],
        unplaced=[Unplaced(task=each.task, model=each.model, samples=each.unplaced) for each in found if each.unplaced],
    )


def _log(log: LogSaid, name: str) -> Log:
    return Log(
        name=str(log.path),
        eval_id=log.eval_id,
        task=log.task,
        task_version=log.version,
        suite=log.suite,
        model=name,
        status=log.status,
        samples=len(log.said),
        missing=sum(said.state == "missing" for said in log.said),
    )
