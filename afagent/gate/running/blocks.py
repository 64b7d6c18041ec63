"""Divides a task's scenarios into blocks, between which a run looks whether a FAIL is certain.

Each block is as large as all before it together. So no more is played than twice what proved the FAIL, or the first
block, and a task of thousands of episodes has less than a dozen logs. A scenario is whole in its block, with every arm
and repeat.

Every task that a policy can name has its scenarios in `seeds`, so that any of them can be divided.
"""

from __future__ import annotations

from math import ceil

from afagent.gate.policy import Policy, TaskRun

FIRST = 16
"""Episodes of the first block, or a few more: as many scenarios as hold them."""
OF_WHOLE = ("bundle_dir", "fail_on_error", "limit", "sample_id")
"""Arguments of `eval_set` that count or choose among all samples of a task: with one of them there is one block."""


def blocks(policy: Policy, run: TaskRun) -> list[tuple[int, ...]]:
    """The scenarios of each block, in the order in which they are played: the same for the same policy.

    Args:
        policy: for the arguments of its runs.
        run: one of its tasks.
    """
    if any(policy.run.get(name) for name in OF_WHOLE):
        return [run.scenarios]
    first = ceil(max(FIRST, _at_once(policy)) / (len(run.conditions) * run.epochs))
    found: list[tuple[int, ...]] = []
    done = 0
    while done < len(run.scenarios):
        found.append(run.scenarios[done : done + max(done, first)])
        done += len(found[-1])
    return found


def _at_once(policy: Policy) -> int:
    """So many episodes are played side by side: a smaller block would leave machines idle."""
    said = policy.run.get("max_samples")
    return said if isinstance(said, int) else 0
