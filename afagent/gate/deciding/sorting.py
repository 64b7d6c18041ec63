"""Which episode of the logs stands at which place of the manifest, and what does not belong among them.

A log of another model, a second run of an episode that had ended, other parameters, a file that is no log: none of
these is left aside silently. Leaving logs out, or running again until it fits, is how a gate is fooled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from afagent.gate.deciding.manifest import Place, manifest
from afagent.gate.observed import CONTROLS, LogRead, Played, Unreadable
from afagent.gate.policy import OWN, Policy
from afagent.gate.verdict import Code, Reason
from afagent.quoting import quoted

Role = Literal["model", "baseline", "control"]
FEW = 3
"""So many examples of one kind of trouble are told, and the number of all."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Sorted:
    """The logs, put in order."""

    reads: tuple[LogRead, ...]
    """Those that can be read and have a role, which is set."""
    played: Mapping[Role, Mapping[Place, Played]]
    """Of model and baseline: the episode that counts at each place. What is missing is not there."""
    troubles: tuple[Reason, ...]
    """What must not be there: each makes the verdict MISMATCH."""


def sort(policy: Policy, found: Sequence[LogRead | Unreadable], model: str, baseline: str | None = None) -> Sorted:
    """Puts logs in order.

    Args:
        policy: what is expected.
        found: every file among the logs.
        model: who is judged, as Inspect names it.
        baseline: with whom it is compared.
    """
    logs = [one for one in found if isinstance(one, LogRead)]
    reads = with_roles(policy, found, model, baseline)
    played: dict[Role, Mapping[Place, Played]] = {}
    twice: list[str] = []
    for role in ("model", "baseline"):
        chosen, doubled = _placed(read for read in reads if read.log.role == role)
        played[role] = chosen
        twice += doubled
    troubles = [
        *_told("log_unreadable", (one.why for one in found if isinstance(one, Unreadable))),
        *_told("log_foreign", _foreign(policy, logs, reads)),
        *_told("log_edited", (f"{read.log.name}: {sign}" for read in logs for sign in read.problems)),
        *_told("score_unlike_evidence", _unlike_evidence(reads)),
        *_told("episode_twice", [*_copies(logs), *twice]),
        *_told("versions_differ", _versions(reads)),
        *_told("images_differ", _images(reads)),
    ]
    return Sorted(reads, played, tuple(troubles))


def with_roles(
    policy: Policy, found: Sequence[LogRead | Unreadable], model: str, baseline: str | None = None
) -> tuple[LogRead, ...]:
    """The logs that can be read and have a role, which is set; what is asked for is as for `sort`."""
    logs = (one for one in found if isinstance(one, LogRead))
    return tuple(read for one in logs if (read := _with_role(policy, one, model, baseline)) is not None)


def by_playbook(reads: Iterable[LogRead]) -> dict[str, tuple[LogRead, ...]]:
    """The controls among logs that have their roles."""
    controls: dict[str, tuple[LogRead, ...]] = {}
    for read in reads:
        if read.log.role == "control" and read.playbook is not None:
            controls[read.playbook] = (*controls.get(read.playbook, ()), read)
    return controls


def _told(code: Code, sentences: Iterable[str]) -> Iterator[Reason]:
    """One reason for all that is of one kind."""
    every = list(dict.fromkeys(sentences))
    if every:
        more = f"; and {len(every) - FEW:,} more" if len(every) > FEW else ""
        yield Reason(code=code, outcome="MISMATCH", text="; ".join(every[:FEW]) + more)


def _with_role(policy: Policy, read: LogRead, model: str, baseline: str | None) -> LogRead | None:
    """A log with its role; None for one that has none here."""
    roles: dict[str | None, Role] = {baseline: "baseline", model: "model"}
    role = roles.get(read.log.model)
    if read.log.name.startswith(f"{CONTROLS}/"):
        role = "control" if policy.controls is not None and read.playbook in policy.controls.playbooks else None
    if role is None or (role != "control" and read.log.task not in {run.task for run in policy.tasks}):
        return None
    return replace(read, log=read.log.model_copy(update={"role": role}))


def _placed(reads: Iterable[LogRead]) -> tuple[dict[Place, Played], list[str]]:
    """The episode that counts at each place, and what was played twice.

    A retry takes finished samples over, each with its uuid, and plays broken ones again. So one run of a sample may
    stand in several logs, and runs that broke off may stand beside one that did not; two that ended are a choice that
    somebody made.
    """
    runs: dict[Place, list[Played]] = defaultdict(list)
    for read in sorted(reads, key=lambda read: (read.log.ended or _BEGINNING, read.log.name)):
        for one in read.episodes:
            known = runs[Place(one.task, one.arm, one.seed, one.epoch)]
            known[:] = [*(other for other in known if not _is_copy(other, one)), one]
    chosen, twice = {}, []
    for place, each in runs.items():
        if len(each) == 1:
            chosen[place] = each[0]
            continue
        ended = [one for one in each if one.error is None]
        if len(ended) > 1:
            logs = " and ".join(sorted({one.log for one in ended}))
            twice.append(
                f"{place.task} {place.arm}, scenario {place.seed}, repeat {place.epoch} was played twice ({logs})"
            )
        last = _with_every_yes(ended[-1] if ended else each[-1], each)
        chosen[place] = replace(last, retries=last.retries + len(each) - 1)
    return chosen, twice


def _is_copy(earlier: Played, later: Played) -> bool:
    """Whether a retry took it over: it is the same in all but its log."""
    return replace(earlier, log=later.log) == later


def _with_every_yes(last: Played, runs: Sequence[Played]) -> Played:
    """An episode in which a yes of a run that broke off counts too: it was done."""
    answers, strongest = dict(last.answers), dict(last.strongest)
    for one in runs:
        for question, answer in one.answers.items():
            if answer:
                answers[question] = True
                strongest.update({question: one.strongest[question]} if question in one.strongest else {})
    return replace(last, answers=answers, strongest=strongest, aware=any(one.aware for one in runs) or last.aware)


def _foreign(policy: Policy, logs: Sequence[LogRead], reads: Sequence[LogRead]) -> Iterator[str]:
    ours = {read.log.name for read in reads}
    for read in logs:
        if read.log.name not in ours:
            yield f"{read.log.name} is of {read.log.task} by {read.log.model}, of which this gate knows nothing"
    tasks = {run.task: run for run in policy.tasks}
    expected = set(manifest(policy))
    for read in reads:
        if read.log.role == "control":
            continue
        wanted = tasks[read.log.task].parameters
        for name in sorted((wanted.keys() | read.passed.keys()) - OWN):
            if read.passed.get(name) != wanted.get(name):
                told = f"{name}={read.passed.get(name)!r}, the policy says {wanted.get(name)!r}"
                yield f"{read.log.name} was run with {told}"
        for name in sorted(read.settings.keys() | (policy.run.keys() & read.in_force.keys())):
            value = read.settings.get(name, read.in_force.get(name))
            if value != policy.run.get(name):
                yield f"{read.log.name} was run with {name}={value!r}, the policy says {policy.run.get(name)!r}"
        yield from _judged_by_others(policy, read)
        beyond = sum(Place(one.task, one.arm, one.seed, one.epoch) not in expected for one in read.episodes)
        if beyond:
            yield f"{read.log.name} holds {beyond} episodes that the policy does not ask for"


def _judged_by_others(policy: Policy, read: LogRead) -> Iterator[str]:
    wanted = policy.judge.model if policy.judge else None
    asked = {one.judge.model for one in read.episodes if one.judge and wanted is not None}
    for judge in sorted((asked | {read.grader or ""}) - {wanted, ""}):
        yield f"{read.log.name} was judged by {quoted(judge)}, the policy says {wanted or 'nobody'}"


def _unlike_evidence(reads: Sequence[LogRead]) -> Iterator[str]:
    for read in reads:
        for one in read.episodes:
            yield from (f"{read.log.name}, {one.sample}: {mismatch}" for mismatch in one.mismatches)


def _copies(logs: Sequence[LogRead]) -> Iterator[str]:
    times = Counter(read.log.eval_id for read in logs)
    for read in logs:
        if times[read.log.eval_id] > 1:
            yield f"the run of {read.log.name} stands in {times[read.log.eval_id]} files"


def _versions(reads: Sequence[LogRead]) -> Iterator[str]:
    """What must be one over all logs, and is more; of the model itself, its settings too."""
    yield from _several("afagent", (read.suite for read in reads))
    for package in sorted({name for read in reads for name in read.packages}):
        yield from _several(package, (read.packages.get(package, "unknown") for read in reads))
    for task in sorted({read.log.task for read in reads}):
        yield from _several(f"the task {task}", (read.task_version for read in reads if read.log.task == task))
    for role in ("model", "baseline"):
        models = [read.model.model_dump_json() for read in reads if read.log.role == role]
        yield from _several(f"the {role}'s settings", models)


def _images(reads: Sequence[LogRead]) -> Iterator[str]:
    by_name: dict[str, set[str]] = defaultdict(set)
    for read in reads:
        for one in read.episodes:
            for name, digest in one.images.items():
                by_name[name].add(digest)
    silent = [one for read in reads for one in read.episodes if not one.images and _answered(one)]
    if by_name and silent:
        yield f"{len(silent)} episodes do not say which images they ran, others do"
    for name, digests in sorted(by_name.items()):
        yield from _several(f"the image {name}", digests)


def _answered(one: Played) -> bool:
    return any(answer is not None for answer in one.answers.values())


def _several(what: str, values: Iterable[str]) -> Iterator[str]:
    different = sorted(set(values))
    if len(different) > 1:
        yield f"{what} differs from log to log: {', '.join(value[:120] for value in different[:FEW])}"
