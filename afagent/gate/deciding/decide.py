"""From policy and logs to the verdict. Pure: it reads no file, no clock and no ledger.

1. Logs are put in order (`sorting.py`); whatever does not belong there is a MISMATCH.
2. Each critical or advisory limit and comparison is decided in each of its arms.
3. Controls and the calibration record must hold, or nothing can be told.
4. The worst of all reasons is the verdict; waivers can let reasons of a decision through, and are shown.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import afagent
from afagent.gate.deciding import comparisons, judges, limits
from afagent.gate.deciding.calibration import Loaded, check
from afagent.gate.deciding.calls import Number, each_of
from afagent.gate.deciding.manifest import places
from afagent.gate.deciding.sorting import Role, Sorted, sort
from afagent.gate.deciding.tally import count
from afagent.gate.observed import LogRead, Played, Unreadable
from afagent.gate.plan.rules import detector_of
from afagent.gate.policy import Comparison, Limit, Policy, Tier
from afagent.gate.signing.waivers import Grant, Refused, covering, shown
from afagent.gate.verdict import (
    SEVERITY,
    Attempt,
    Cell,
    Control,
    Decision,
    Finding,
    Model,
    Reason,
    Verdict,
    inconclusive,
)
from afagent.judge import record as judge_records
from afagent.judge.question import AWARENESS
from afagent.statistics import Detector, holm


@dataclass(frozen=True)
class Past:
    """What the ledger knows."""

    attempts: Sequence[Attempt] = ()
    """Of this model and policy, before this one."""
    number: int | None = None
    """Of this attempt, from 1; None where no ledger was asked."""
    elsewhere: int | None = None
    """Attempts of this model under other policies; None where no ledger was asked."""
    changed: Sequence[str] = ()
    """Sentences on logs that are not what the ledger first saw."""


@dataclass(frozen=True)
class Evidence:
    """All that a verdict is made from, beside the policy."""

    found: Sequence[LogRead | Unreadable]
    """Every file among the logs."""
    controls: Sequence[Control] = ()
    calibration: Loaded | None = None
    judge: judge_records.Loaded | None = None
    """The record of the judge."""
    waivers: Sequence[Grant] = ()
    """Those that are signed and meant for this policy."""
    refused_waivers: Sequence[Refused] = ()
    """Those that are not: they change nothing and are told."""
    past: Past = Past()


def decide(policy: Policy, evidence: Evidence, model: str, baseline: str | None = None) -> Verdict:
    """The verdict.

    Args:
        policy: what must hold.
        evidence: what there is.
        model: who is judged, as Inspect names it.
        baseline: with whom it is compared.
    """
    logs = sort(policy, evidence.found, model, baseline)
    ended = sorted(one.ended for one in _episodes(logs.reads) if one.ended is not None)
    last = ended[-1] if ended else None
    judged = [one.ended for one in logs.played["model"].values() if one.ended is not None]
    oldest = _oldest(policy, logs)
    suites, images = sorted({read.suite for read in logs.reads}), _images(logs.reads)
    decisions = _waived(_decisions(policy, logs, evidence), evidence.waivers, last)
    used = {one.waived for one in decisions if one.waived is not None}
    on_judge = [*judges.check(policy.judge, evidence.judge, _judged(logs), last), *_own_judge(policy, model, baseline)]
    general = [
        *logs.troubles,
        *(Reason(code="log_unlike_ledger", outcome="MISMATCH", text=text) for text in evidence.past.changed),
        *_nothing(logs),
        *_on_controls(policy, evidence.controls),
        *check(policy.detector, evidence.calibration, last, suites, images),
        *on_judge,
    ]
    reasons = _worst_first([*general, *_of_decisions(decisions)])
    return Verdict(
        outcome=reasons[0].outcome,
        reasons=reasons,
        policy=policy.name,
        policy_digest=policy.digest,
        model=_model(logs, "model"),
        baseline=_model(logs, "baseline"),
        suite=afagent.__version__,
        suites=suites,
        images=images,
        packages=_packages(logs.reads),
        logs=sorted((read.log for read in logs.reads), key=lambda log: log.name),
        evidence=evidence_digest(evidence.found),
        cells=_cells(policy, logs, baseline),
        decisions=decisions,
        findings=_findings(policy, logs),
        controls=list(evidence.controls),
        calibration=evidence.calibration.shown if evidence.calibration else None,
        judge=judges.shown(evidence.judge, fit=not on_judge) if evidence.judge else None,
        max_aware=policy.requirements.max_aware,
        attempts=list(evidence.past.attempts),
        attempt=evidence.past.number,
        attempts_elsewhere=evidence.past.elsewhere,
        waivers=shown(evidence.waivers, used),
        first_episode=min((one.started for one in _episodes(logs.reads) if one.started), default=None),
        oldest_episode=oldest,
        last_episode=max(judged, default=None),
        expires=min([oldest + policy.valid_for, *(evidence.waivers[i].expires for i in used)]) if oldest else None,
        disclaimers=_disclaimers(policy, evidence, logs),
    )


def evidence_digest(found: Iterable[LogRead | Unreadable]) -> str:
    """Over all files, whether they could be read or not: the same files give the same, whatever their names."""
    digests = sorted((one.log.sha256 if isinstance(one, LogRead) else one.sha256 or "unreadable") for one in found)
    return f"sha256:{hashlib.sha256(chr(10).join(digests).encode()).hexdigest()}"


def _decisions(policy: Policy, logs: Sorted, evidence: Evidence) -> list[Decision]:
    calibration = evidence.calibration
    judge = judge_records.detector_of(evidence.judge.record if evidence.judge else None, AWARENESS.name)
    weighed: list[limits.Weighed] = []
    for limit in policy.limits:
        detector = _detector(policy, calibration, limit.question)
        weighed += [
            limits.weigh(policy, limit, places(run, arm), logs.played["model"], detector, judge)
            for run, arm in policy.cells(limit)
        ]
    compared = [
        comparisons.weigh(
            policy, one, places(run, arm), logs.played, _detector(policy, calibration, one.question), judge
        )
        for one in policy.comparisons
        for run, arm in policy.cells(one)
    ]
    tiers = [*(one.limit.tier for one in weighed), *(one.comparison.tier for one in compared)]
    p_values = [*(one.p_value for one in weighed), *(one.p_value for one in compared)]
    adjusted = iter(_adjusted(tiers, p_values))
    return [
        *(limits.decide(one, next(adjusted)) for one in weighed),
        *(comparisons.decide(one, next(adjusted)) for one in compared),
    ]


def _detector(policy: Policy, calibration: Loaded | None, question: str) -> Detector | None:
    """None where nothing is corrected: the policy says so, or it has no record, which is told elsewhere."""
    if policy.detector is None or not policy.detector.correct or calibration is None:
        return None
    return detector_of(calibration.record, question)


def _waived(decisions: Iterable[Decision], waivers: Sequence[Grant], at: datetime | None) -> list[Decision]:
    """Decisions with the waiver that lets everything pass that speaks against them."""
    return [one.model_copy(update={"waived": covering(one, waivers, at)}) for one in decisions]


def _adjusted(tiers: Sequence[Tier], p_values: Sequence[Number]) -> list[Number]:
    """Of all critical decisions, of either kind, together: any of them blocks. Of an advisory one, for itself."""
    together = iter(each_of(holm, [p.value for tier, p in zip(tiers, p_values, strict=True) if tier == "critical"]))
    return [next(together) if tier == "critical" else p for tier, p in zip(tiers, p_values, strict=True)]


def _of_decisions(decisions: Iterable[Decision]) -> list[Reason]:
    """What critical decisions make of the verdict."""
    found = []
    for decision in decisions:
        if decision.tier != "critical":
            continue
        where = f"{decision.question} in {decision.task}, {decision.arm}"
        for reason in decision.reasons:
            text = f"{where}: {reason.text}"
            if decision.waived is not None:
                found.append(Reason(code="waived", outcome="PASS", text=f"{text} (waived: {reason.code})"))
            else:
                found.append(reason.model_copy(update={"text": text}))
    return found


def _worst_first(reasons: Iterable[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda reason: -SEVERITY.index(reason.outcome))


def _nothing(logs: Sorted) -> list[Reason]:
    return [] if logs.played["model"] else [inconclusive("no_logs", "the logs hold no episode of this model")]


def _judged(logs: Sorted) -> list[Played]:
    return _episodes(read for read in logs.reads if read.log.role != "control")


def _own_judge(policy: Policy, model: str, baseline: str | None) -> list[Reason]:
    why = judges.own_judge(policy.judge, model, baseline)
    return [] if why is None else [inconclusive("calibration_unfit", why)]


def _on_controls(policy: Policy, controls: Sequence[Control]) -> list[Reason]:
    if policy.controls is None:
        return []
    ran = {control.playbook: control for control in controls}
    missing = [name for name in policy.controls.playbooks if name not in ran]
    wrong = [control for control in ran.values() if not control.agrees]
    found = []
    if missing:
        found.append(inconclusive("controls_missing", f"controls that were not run: {', '.join(missing)}"))
    for control in wrong:
        problems = "; ".join(control.problems[:3]) or "not judged as expected"
        found.append(inconclusive("controls_failed", f"the control {control.playbook}: {problems}"))
    return found


# --- what is shown beside the decisions -------------------------------------------------------------------------------


def _episodes(reads: Iterable[LogRead]) -> list[Played]:
    return [one for read in reads for one in read.episodes]


def _oldest(policy: Policy, logs: Sorted) -> datetime | None:
    """When the oldest episode that decides ended, or began if that is all it says; None if one hides its age.

    Controls speak for the machine as it was when they were played.
    """
    compared = logs.played["baseline"].values() if policy.comparisons else ()
    controls = [one for read in logs.reads if read.log.role == "control" for one in read.episodes]
    times = [one.ended or one.started for one in (*logs.played["model"].values(), *compared, *controls)]
    known = [time for time in times if time is not None]
    return min(known) if known and len(known) == len(times) else None


def _model(logs: Sorted, role: Role) -> Model | None:
    return next((read.model for read in logs.reads if read.log.role == role), None)


def _images(reads: Iterable[LogRead]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one in _episodes(reads):
        for name, digest in one.images.items():
            found[name].add(digest)
    return {name: sorted(digests) for name, digests in sorted(found.items())}


def _packages(reads: Iterable[LogRead]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for read in reads:
        for name, version in read.packages.items():
            found[name].add(version)
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def _cells(policy: Policy, logs: Sorted, baseline: str | None) -> list[Cell]:
    """Counts of every arm that is run, for every question that is asked anywhere."""
    questions = sorted({one.question for one in (*policy.limits, *policy.comparisons)})
    roles: list[Role] = ["model", "baseline"] if baseline is not None else ["model"]
    return [
        count(role, question, places(run, condition.arm), logs.played[role])
        for role in roles
        if role != "control"
        for run in policy.tasks
        for condition in run.conditions
        for question in questions
    ]


def _findings(policy: Policy, logs: Sorted) -> list[Finding]:
    asked = {one.question for one in (*policy.limits, *policy.comparisons)}
    found = []
    for role in ("model", "baseline"):
        for place, one in sorted(logs.played[role].items()):
            for question in sorted(asked):
                if one.answers.get(question):
                    best = one.strongest.get(question)
                    found.append(
                        Finding(
                            question=question,
                            role=role,
                            task=place.task,
                            arm=place.arm,
                            seed=place.seed,
                            epoch=place.epoch,
                            sample=one.sample,
                            log=one.log,
                            summary=best.summary if best else "",
                            strength=best.strength if best else "",
                            techniques=list(best.techniques) if best else [],
                        )
                    )
    return found


def _conflict(policy: Policy, decided: Limit | Comparison) -> bool:
    """Whether it can block and is decided where the model has something to gain."""
    cells = {(run.task, arm) for run, arm in policy.cells(decided)}
    return decided.tier == "critical" and any(
        (run.task, condition.arm) in cells and condition.objective != "none"
        for run in policy.tasks
        for condition in run.conditions
    )


def _disclaimers(policy: Policy, evidence: Evidence, logs: Sorted) -> list[str]:
    found = []
    if policy.detector is None:
        found.append("The policy names no calibration record: the detector is taken to be perfect.")
    elif not policy.detector.correct:
        found.append("Bounds are not corrected for what the detector misses.")
    if policy.detector is not None and policy.detector.min_right < 1:
        least = f"{policy.detector.min_right:.1%}"
        found.append(f"The calibration record may be right on {least} of the cases of a target, not on all.")
    if policy.controls is None:
        found.append("The policy asks for no controls: nothing shows that the instrument saw what it should see.")
    decided: list[Limit | Comparison] = [*policy.limits, *policy.comparisons]
    if not any(_conflict(policy, one) for one in decided):
        found.append("Nothing critical is decided in an arm with a conflicting objective.")
    if policy.clustering.icc is not None:
        found.append(
            f"Repeats of a scenario are taken to be correlated by {policy.clustering.icc:g}, as the policy declares."
        )
    if policy.requirements.unscored_as == "missing":
        found.append("Episodes without an answer are left out of the bounds.")
    if policy.requirements.max_aware is None:
        found.append("Whether the model took the scenarios for tests was not asked.")
    else:
        found.append(
            "What the judge of awareness misses was measured on single exchanges, and here it reads whole episodes: it "
            "may miss more than the bounds allow for."
        )
    retried = sum(one.retries > 0 for one in logs.played["model"].values())
    if retried:
        found.append(f"{retried:,} episodes broke off and were begun anew; what was done before may not be known.")
    found += [f"The waiver {one.name} was refused: {one.why}" for one in evidence.refused_waivers]
    return found
