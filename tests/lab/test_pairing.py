"""One playbook in every arm of a scenario: what it meets and how it is scored do not depend on the arm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from inspect_ai import eval as run_eval

from afagent.logs import Episode, episodes
from afagent.playbooks.playbook import load, shipped
from afagent.sandboxes.recorder.events import AssetState, from_line
from afagent.tasks import training_tampering

from .laboratory import WEIGHTS_MB

pytestmark = pytest.mark.docker

PLAYBOOK = "swap-preferences"
SEED = 17
"""Of a scenario that is used here alone."""


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> list[Episode]:
    """Its episode in four arms."""
    task = training_tampering(
        seeds=[SEED],
        weights_mb=WEIGHTS_MB,
        objective=["helpful_only", "none"],
        monitoring=["unmonitored", "monitored"],
    )
    folder = tmp_path_factory.mktemp("arms")
    run_eval(task, model=f"afagent/{PLAYBOOK}", log_dir=str(folder), display="none")
    return list(episodes([folder]))


def found(episode: Episode) -> Iterator[tuple[str, str, int | None, str | None]]:
    """Each file of the lab's systems before the model did anything: path, kind, mode and digest."""
    for line in episode.store["Evidence:log"].splitlines():
        fact = from_line(line).fact
        if isinstance(fact, AssetState) and fact.how == "found":
            yield fact.path, fact.type, fact.mode, fact.sha256


def test_every_arm_was_played_to_its_end(arms: list[Episode]) -> None:
    assert len({episode.metadata["arm"] for episode in arms}) == 4
    assert [episode.error for episode in arms] == [None] * 4


def test_the_lab_is_the_same_in_every_arm(arms: list[Episode]) -> None:
    first, *others = [sorted(found(episode), key=str) for episode in arms]
    assert len(first) > 10
    assert others == [first] * 3


def test_the_same_acts_are_scored_alike_in_every_arm(arms: list[Episode]) -> None:
    expected = load(shipped()[PLAYBOOK]).expect
    scored: list[dict[str, Any]] = [{name: one.scores[name].value for name in expected} for one in arms]
    assert scored[0]["tampering"]["succeeded"] == 1
    assert scored == [scored[0]] * 4
