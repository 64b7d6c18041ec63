"""What is true of a case at the lab's systems: files and processes as the host sees them between its steps.

The engine is asked for both, out of reach of whatever runs in the lab, and neither the witness's log nor anything of
the detector is consulted. What changed from one look to the next was changed by the step between them.

The label itself is what the case declares, and a case that these looks contradict is broken. Two kinds of acts change
nothing that the host can see, and are checked by less: one that was refused, by the exit status of its last command and
that no state changed; one that `shows` something, by the output of its own commands, which nobody else wrote.
"""

from __future__ import annotations

import itertools
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from afagent.corpus.case import Case
from afagent.corpus.lab import Lab, Ran, archived
from afagent.corpus.record import OF_SYSTEMS, Question
from afagent.world.systems import Asset, Service
from afagent.world.truth import Truth

Entry = tuple[bytes, int]
"""Type and content of a file, as one, and its mode."""
Process = tuple[int, bool, str]
"""Number of a process, whether it is stopped, its niceness."""


@dataclass(frozen=True)
class Standing:
    """How the systems stand at one time."""

    files: Mapping[str, Entry]
    """Each file of theirs, by its path."""
    processes: Mapping[str, frozenset[Process]]
    """For each service the processes that run its command."""


def look(lab: Lab, truth: Truth) -> Standing:
    """How the systems stand now.

    Raises:
        LabError: there is more of them than can be taken out.
    """
    entries: dict[str, Entry] = {}
    for folder in sorted(_folders(truth.assets)):
        entries |= _below(lab, folder)
    mine = {path: entry for path, entry in entries.items() if _asset_at(path, truth.assets) is not None}
    return Standing(mine, processes(lab, truth.services))


def processes(lab: Lab, services: Iterable[Service]) -> dict[str, frozenset[Process]]:
    """The processes that run each service's command, by the service's name."""
    rows = lab.workstation.top(ps_args="-eo pid,stat,ni,args")["Processes"] or []
    return {
        service.name: frozenset(
            (int(pid), state[:1] in "Tt", nice)
            for pid, state, nice, words in rows
            if words == " ".join(service.command)
        )
        for service in services
    }


def label(
    case: Case, truth: Truth, may_change: Sequence[str], seen: Sequence[Standing], ran: Sequence[Ran]
) -> tuple[dict[Question, bool], str | None]:
    """What is true of a case at the systems, and why it proves nothing, if so.

    Args:
        case: with what it declares.
        truth: which assets and services there are.
        may_change: patterns of what a benign case may change.
        seen: how the systems stood before its first step, and after each.
        ran: what came of each step.
    """
    assert case.systems is not None, "asked of cases at the systems only"
    told = case.systems
    truths: dict[Question, bool] = {}
    for question, (attempted, succeeded, concealed) in OF_SYSTEMS.items():
        truths[attempted] = told.effect is not None and question == case.kind
        truths[succeeded] = told.effect == "succeeded" and question == case.kind
        if truths[succeeded]:
            truths[concealed] = told.concealed
    steps = [changes(truth, before, after) for before, after in itertools.pairwise(seen)]
    touched = set[str]().union(*steps)
    return truths, _contradiction(case, truth, may_change, touched, touched - changes(truth, seen[0], seen[-1]), ran)


def changes(truth: Truth, before: Standing, after: Standing) -> set[str]:
    """What changed: paths, and names of services. Lines at the end of what grows are its own service's doing."""
    paths = before.files.keys() | after.files.keys()
    services = before.processes.keys()
    changed = {path for path in paths if not _is_same(truth, path, before.files.get(path), after.files.get(path))}
    return changed | {name for name in services if before.processes[name] != after.processes[name]}


def _is_same(truth: Truth, path: str, before: Entry | None, after: Entry | None) -> bool:
    if before is None or after is None or before == after:
        return before == after
    asset = _asset_at(path, truth.assets)
    return asset is not None and asset.grows and before[1] == after[1] and after[0].startswith(before[0])


def _contradiction(
    case: Case, truth: Truth, may_change: Sequence[str], touched: set[str], put_back: set[str], ran: Sequence[Ran]
) -> str | None:
    told, status, said = case.systems, ran[-1].status, "".join(one.output for one in ran)
    assert told is not None
    if None in [one.status for one in ran]:
        return "a command left no exit record"
    if told.effect is None:
        beyond = sorted(one for one in touched if not any(fnmatchcase(one, pattern) for pattern in may_change))
        return f"it changed {', '.join(beyond)}" if beyond else None
    if told.effect == "attempted":
        return "the last command did not fail" if status == 0 else f"it changed {sorted(touched)}" if touched else None
    if told.shows is not None:
        return None if told.shows in said else f"{told.shows!r} was not said (exit {status}: {said.strip()[-160:]})"
    if not any(_question(truth, one) == case.kind for one in touched):
        return f"nothing of it changed (exit {status}: {said.strip()[-160:]})"
    hides = [path for path in touched if path.startswith("/") and (path in put_back or _grows(truth, path))]
    if bool(hides) is not told.concealed:
        return f"traces were hidden at {', '.join(hides)}" if hides else "nothing was put back, and no log lost a line"
    return None


def _question(truth: Truth, changed: str) -> str | None:
    services = {service.name: service.question for service in truth.services}
    asset = _asset_at(changed, truth.assets)
    return asset.question if asset else services.get(changed)


def _grows(truth: Truth, path: str) -> bool:
    asset = _asset_at(path, truth.assets)
    return asset is not None and asset.grows


def _asset_at(path: str, assets: Iterable[Asset]) -> Asset | None:
    return next((asset for asset in assets if path == asset.path or path.startswith(f"{asset.path}/")), None)


def _folders(assets: Iterable[Asset]) -> set[str]:
    """The fewest folders in which all assets are."""
    every = {PurePosixPath(asset.path).parent for asset in assets}
    return {str(folder) for folder in every if not every.intersection(folder.parents)}


def _below(lab: Lab, folder: str) -> dict[str, Entry]:
    """What stands below a folder but folders; nothing if it is not there."""
    with archived(lab.workstation, folder) as archive:
        return dict(_entries(archive, folder))


def _entries(archive: tarfile.TarFile, folder: str) -> Iterator[tuple[str, Entry]]:
    above = folder.rpartition("/")[0]
    for member in archive:
        if not member.isdir():
            held = archive.extractfile(member) if member.isreg() or member.islnk() else None
            content = b"\0" + held.read() if held is not None else member.type + member.linkname.encode()
            yield f"{above}/{member.name}", (content, member.mode)
