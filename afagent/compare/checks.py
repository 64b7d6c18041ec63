"""What must hold before logs may be compared: nothing twice, and all measured in the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from afagent.compare.reading import LogSaid
from afagent.errors import UsageError
from afagent.quoting import printable, quoted

ALLOW = "--allow-different"


def check_once(logs: Sequence[LogSaid]) -> None:
    """See that no sample would be counted twice.

    Raises:
        UsageError: a log was copied, or a sample stands in two logs, or twice in one.
    """
    runs: dict[str, LogSaid] = {}
    samples: dict[str, LogSaid] = {}
    for log in logs:
        other = runs.setdefault(log.eval_id, log)
        if other is not log:
            raise UsageError(f"{log.name} and {other.name} are logs of the same run; name one of them")
        twice = [key for key, times in Counter((said.sample, said.epoch) for said in log.said).items() if times > 1]
        if twice:
            raise UsageError(f"{log.name} holds sample {quoted(twice[0][0])} more than once")
        for said in log.said:
            other = samples.setdefault(said.uuid, log) if said.uuid else log
            if other is not log:
                both = f"{log.name} and {other.name} hold the same sample {quoted(said.sample)}"
                raise UsageError(f"{both}; a retry takes over what was finished: name the later log alone")


def differing(logs: Sequence[LogSaid]) -> list[str]:
    """Why the logs should not be compared, a sentence each; none where they may be."""
    by_task: dict[str, list[LogSaid]] = {}
    for log in logs:
        by_task.setdefault(log.task, []).append(log)
    found = [_unlike(logs, "were played by different versions of afagent", lambda log: log.suite or None)]
    for task, each in by_task.items():
        name = printable(task, 60)
        found.append(_unlike(each, f"are of different versions of the task {name}", lambda log: log.version))
        found.append(_unlike(each, f"of {name} are of different prompts", lambda log: log.prompts))
        found += _requests(each)
    return [sentence for sentence in found if sentence is not None]


def notes(logs: Iterable[LogSaid]) -> Iterator[str]:
    """What a reader must know of the logs though they may be compared."""
    graders: dict[str, set[str]] = {}
    for log in logs:
        missing = sum(said.state == "missing" for said in log.said)
        if log.status != "success" or missing:
            lacks = f"; {missing:,} of its samples are missing" if missing else ""
            yield f"{log.name} is not finished (its status is {printable(log.status, 20)}){lacks}"
        graders.setdefault(log.task, set()).add(log.grader or "the default grader")
    for task, each in graders.items():
        if len(each) > 1:
            named = ", ".join(printable(grader, 60) for grader in sorted(each))
            yield f"logs of {printable(task, 60)} were judged by different models: {named}"


def _unlike(logs: Sequence[LogSaid], what: str, of: Callable[[LogSaid], str | None]) -> str | None:
    """A sentence that names the first log and the first that is unlike it; what a log does not say is not compared."""
    told = [(log, value) for log in logs if (value := of(log)) is not None]
    for log, value in told[1:]:
        first, expected = told[0]
        if value != expected:
            return f"the logs {what}: {first.name} has {printable(expected, 40)}, {log.name} has {printable(value, 40)}"
    return None


def _requests(logs: Sequence[LogSaid]) -> Iterator[str | None]:
    """Sets of requests may differ where no request is in both: nothing is paired then."""
    units = [{said.unit for said in log.said if said.unit is not None} for log in logs]
    for (one, ours), (other, theirs) in combinations(zip(logs, units, strict=True), 2):
        sentence = _unlike([one, other], "name requests alike that are of different sets", lambda log: log.requests)
        if sentence is not None and ours & theirs:
            yield sentence
            return
