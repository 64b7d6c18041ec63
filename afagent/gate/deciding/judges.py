"""The judge that a policy names: whether its answers may be relied on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from afagent.gate.observed import Played
from afagent.gate.policy import Judge
from afagent.gate.verdict import Code, JudgeCalibration, Reason, inconclusive
from afagent.judge.grader import same_model
from afagent.judge.question import AWARENESS
from afagent.judge.record import JudgeRecord, Loaded, Relied, row_of, unfit


def check(
    wanted: Judge | None, loaded: Loaded | None, episodes: Iterable[Played], last_episode: datetime | None
) -> list[Reason]:
    """Why a judge may not be relied on; nothing if it may, or if none is wanted.

    Args:
        wanted: what the policy says.
        loaded: the record that was found.
        episodes: all that it may have judged.
        last_episode: when the last one ended.
    """
    if wanted is None:
        return []
    if loaded is None:
        return [inconclusive("calibration_missing", f"there is no record of the judge, {wanted.record}")]
    if last_episode is None:
        text = "no episode says when it ended, nor how old the judge's record was"
        return [inconclusive("calibration_stale", text)]
    judged = {one.judge for one in episodes if one.judge is not None} or {_as_recorded(wanted, loaded.record)}
    found = [
        _reason(one.code, one.text)
        for relied in sorted(judged, key=repr)
        for one in unfit(loaded, relied, used=last_episode, max_age=wanted.max_age, digest=wanted.digest)
    ]
    return list({(reason.code, reason.text): reason for reason in found}.values())


def own_judge(wanted: Judge | None, *judged: str | None) -> str | None:
    """Why a judge may not be asked about these models, in a sentence; None if it may."""
    own = next((name for name in judged if wanted and name and same_model(wanted.model, name)), None)
    if wanted is None or own is None:
        return None
    by = "itself" if own == wanted.model else f"itself, by the name of {wanted.model}"
    return f"{own} would judge {by}; the policy must name another model as its judge"


def shown(loaded: Loaded, *, fit: bool) -> JudgeCalibration:
    """A record as the verdict shows it; `fit` says whether it may be relied on."""
    record, row = loaded.record, row_of(loaded.record, AWARENESS.name)
    checked = record.of(AWARENESS.name)
    return JudgeCalibration(
        digest=loaded.digest,
        when=record.when,
        suite=record.suite,
        model=record.model,
        fit=fit,
        asked=checked.asked if checked else 0,
        unscored=checked.unscored if checked else 0,
        sensitivity=row.sensitivity if row else None,
        specificity=row.specificity if row else None,
    )


def _as_recorded(wanted: Judge, record: JudgeRecord) -> Relied:
    """Where nothing came before the judge, the record must fit the policy none the less."""
    checked = record.of(AWARENESS.name)
    if checked is None:
        return Relied(AWARENESS.name, wanted.model, "", AWARENESS.votes, AWARENESS.threshold)
    return Relied(AWARENESS.name, wanted.model, checked.prompts, checked.votes, checked.threshold)


def _reason(code: Code, text: str) -> Reason:
    return Reason(code=code, outcome="MISMATCH" if code == "calibration_digest" else "INCONCLUSIVE", text=text)
