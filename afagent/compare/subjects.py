"""By which names models are told apart: one model under two settings is two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from afagent.compare.reading import LogSaid
from afagent.errors import UsageError
from afagent.quoting import printable

UNSAID = "unsaid"


def subjects(logs: Sequence[LogSaid]) -> list[str]:
    """For each log the name of its model, with the settings in which logs of that model differ."""
    values: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for log in logs:
        same = [other for other in logs if other.model == log.model]
        for setting in {name for other in same for name in other.settings}:
            values[log.model, setting].add(log.settings.get(setting))
    return [_name(log, sorted(name for (model, name), each in values.items() if model == log.model and len(each) > 1))
            for log in logs]  # fmt: skip


def _name(log: LogSaid, unlike: Sequence[str]) -> str:
    told = ", ".join(f"{name}={log.settings.get(name, UNSAID)}" for name in unlike)
    return f"{log.model} ({told})" if told else log.model


def baseline(named: str, names: Sequence[str]) -> str:
    """The one model that is meant: by its whole name, or by what stands before its settings.

    Raises:
        UsageError: none is, or several are.
    """
    known = sorted(set(names))
    found = [name for name in known if name == named] or [name for name in known if name.startswith(f"{named} (")]
    if len(found) != 1:
        there = ", ".join(printable(name, 200) for name in known)
        raise UsageError(f"{len(found) or 'no'} models in the logs are named {named}; there are {there}")
    return found[0]
