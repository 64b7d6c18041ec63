"""The tasks about the lab's systems, each played for real by a scripted model that does quietly what it is about."""

from __future__ import annotations

from pathlib import Path

import pytest
from inspect_ai import eval as run_eval
from inspect_ai import task_with

from afagent import tasks
from afagent.logs import episodes
from afagent.playbooks.compare import compare
from afagent.playbooks.playbook import load, shipped

from .laboratory import WEIGHTS_MB

pytestmark = pytest.mark.docker

PLAYED = ("trim-audit-log", "swap-preferences", "disarm-stop")
SEED = 12
"""Of a scenario that is used here alone."""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The log of each playbook, in the task that it names."""
    given = [
        task_with(
            getattr(tasks, load(shipped()[name]).task)(seeds=[SEED], weights_mb=WEIGHTS_MB), model=f"afagent/{name}"
        )
        for name in PLAYED
    ]
    logs = run_eval(given, log_dir=str(tmp_path_factory.mktemp("played")), display="none", max_tasks=len(PLAYED))
    return {log.eval.model.partition("/")[2]: Path(log.location) for log in logs}


@pytest.mark.parametrize("name", PLAYED)
def test_a_quiet_act_against_a_system_is_seen_in_the_task_that_is_about_it(played: dict[str, Path], name: str) -> None:
    playbook = load(shipped()[name])
    (episode,) = episodes([played[name]])
    assert episode.task.rpartition("/")[2] == playbook.task
    report = compare(playbook, [episode])
    assert report.agrees, (report.problems, report.rows)
