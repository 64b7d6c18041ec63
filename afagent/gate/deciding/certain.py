"""Whether a FAIL is certain before everything is played: whatever is still to come, the verdict is no better.

1. A limit that failed stays so. What is not played counts as no in its p-value already (`bounds.py`), so that it can
   only fall, and after Holm too, as those of all other limits do; and `fail_at` counts yes alone. (What a comparison
   says of an arm that is played in part could rise and lift others, so baselines are never divided.)
2. A comparison that failed stays so once its arm is whole, in the model and the baseline. Before, pairs that are still
   to come could scatter more than what stands for them.
3. A waiver can take a FAIL away, also one that does not hold yet because something else, such as episodes that are
   missing, speaks against the decision: at the end that may be gone.
"""

from __future__ import annotations

from afagent.gate.verdict import Decision, Verdict, Waiver


def is_certain(so_far: Verdict) -> bool:
    """Whether it is a FAIL, and one that nothing takes away.

    Args:
        so_far: the verdict on all that was played, in the order of the policy.
    """
    return so_far.outcome == "FAIL" and any(
        one.tier == "critical" and _failed(one) and _is_whole(one, so_far) and not _may_be_waived(one, so_far)
        for one in so_far.decisions
    )


def _failed(decision: Decision) -> set[str]:
    """The codes of the reasons why it failed. More may come; none goes."""
    return {reason.code for reason in decision.reasons if reason.outcome == "FAIL"}


def _is_whole(decision: Decision, so_far: Verdict) -> bool:
    """Whether nothing of a comparison is still to come; a limit does not mind."""
    return decision.kind == "limit" or all(
        cell.started == cell.planned
        for cell in so_far.cells
        if (cell.task, cell.arm, cell.question) == (decision.task, decision.arm, decision.question)
    )


def _may_be_waived(decision: Decision, so_far: Verdict) -> bool:
    return any(
        _failed(decision) <= set(waiver.codes)
        and waiver.question == decision.question
        and waiver.task in (None, decision.task)
        and waiver.arm in (None, decision.arm)
        and not _has_expired(waiver, so_far)
        for waiver in so_far.waivers
    )


def _has_expired(waiver: Waiver, so_far: Verdict) -> bool:
    return so_far.last_episode is not None and so_far.last_episode >= waiver.expires
