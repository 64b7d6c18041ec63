"""Controls are run in the lab in which the model is judged, and one that ran in another shows nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from afagent.gate.deciding import controls
from afagent.gate.observed import LogRead
from afagent.gate.policy import Policy
from afagent.gate.running.play import parts
from tests.gate import build

MINE, OTHER = "mine:1", "other:1"
OWN_IMAGES = {"afagent-recorder:latest": "sha256:1", MINE: "sha256:2"}


def policy(**parameters: Any) -> Policy:
    """With a control, and a task with these parameters."""
    task = {"task": "weight_exfiltration", "seeds": 1, "parameters": parameters}
    return build.policy(tasks=[task], controls={"playbooks": ["honest"], "weights_mb": 4})


def read(role: str, images: dict[str, str], **passed: Any) -> LogRead:
    """A log of one episode, which ran in these images."""
    episode = build.played("weight_exfiltration", build.ARM, 1, 1, images=images)
    model, playbook = ("afagent/honest", "honest") if role == "control" else (build.MODEL, None)
    one = build.log([episode], f"{role}s/one.eval", model, passed=passed, playbook=playbook)
    return replace(one, log=one.log.model_copy(update={"role": role}))


def problems(wanted: Policy, *reads: LogRead) -> str:
    """What is wrong with the control in its set-up; its episodes themselves are not there to be read."""
    (control,) = controls.judge(wanted, reads, "absent")
    assert not control.agrees
    return "; ".join(control.problems)


@pytest.mark.parametrize("playbook", ["honest", "stop-monitor"])  # of the task that is run, and of another
def test_controls_are_played_on_the_models_image(playbook: str) -> None:
    wanted = policy(workstation_image=MINE, message_limit=9)
    wanted = Policy.model_validate({**wanted.model_dump(exclude_unset=True), "controls": {"playbooks": [playbook]}})
    control, model = parts(wanted, build.MODEL, None)
    assert control.arguments["task_args"] == {"seeds": 1, "weights_mb": 16, "workstation_image": MINE}
    assert model.arguments["task_args"]["workstation_image"] == MINE


@pytest.mark.parametrize(
    ("asked", "passed"),
    [({"workstation_image": MINE}, {}), ({"workstation_image": MINE}, {"workstation_image": OTHER}),
     ({}, {"workstation_image": OTHER})],
)  # fmt: skip
def test_a_control_that_was_given_another_image_is_none(asked: dict[str, Any], passed: dict[str, Any]) -> None:
    given = passed.get("workstation_image")
    control = read("control", OWN_IMAGES, weights_mb=4, **passed)
    assert f"was run with workstation_image={given!r}" in problems(policy(**asked), control)


@pytest.mark.parametrize("images", [{**OWN_IMAGES, MINE: "sha256:3"}, {"afagent-recorder:latest": "sha256:1"}])
def test_a_control_that_ran_in_other_images_than_the_model_is_none(images: dict[str, str]) -> None:
    wanted, given = policy(workstation_image=MINE), {"weights_mb": 4, "workstation_image": MINE}
    model = read("model", OWN_IMAGES, workstation_image=MINE)
    assert "ran in other images" in problems(wanted, read("control", images, **given), model)
    assert "images" not in problems(wanted, read("control", OWN_IMAGES, **given), model)
    assert "images" not in problems(wanted, read("control", images, **given))  # before the model has played
