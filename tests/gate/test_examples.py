"""The policy that `init` writes and those in `examples/` are valid, whole and current. `UPDATE_EXAMPLES=1` writes them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from afagent import yaml_files
from afagent.errors import UsageError
from afagent.gate import init
from afagent.gate.policy import Policy
from afagent.gate.schedule import Schedule, Target, render

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SCHEDULES: dict[str, tuple[Target, Schedule]] = {
    "nightly": (
        "systemd",
        Schedule("nightly", "/srv/afagent/nightly/policy.yaml", "openai/our-model", program="/usr/local/bin/afagent"),
    ),
    "release": (
        "github",
        Schedule(
            "release",
            "gates/release/policy.yaml",
            "openai/new-model",
            "openai/model-in-use",
            at="22:00",
            deadline=timedelta(hours=20),
            secrets=("OPENAI_API_KEY", "AFAGENT_NOTIFY"),
        ),
    ),
}


def models(of: Any) -> Iterator[type[BaseModel]]:
    """A model and all that it is made of."""
    if isinstance(of, type) and issubclass(of, BaseModel):
        yield of
        for field in of.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(of):
        yield from models(part)


def test_the_policy_that_init_writes_is_valid_and_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    init.write(path)
    policy, _ = yaml_files.read(path, "the policy", Policy.model_validate)
    assert policy.name == "nightly"
    with pytest.raises(UsageError, match="is there already"):
        init.write(path)
    with pytest.raises(UsageError, match="cannot write"):
        init.write(tmp_path / "absent" / "policy.yaml")


def test_every_setting_is_named_in_it() -> None:
    named = set(re.findall(r"^[ #-]*([a-z_]+):", init.example(), re.MULTILINE))
    assert {name for model in models(Policy) for name in model.model_fields} - named == set()


def test_it_is_valid_too_when_all_that_is_shown_is_used() -> None:
    text = re.sub(
        r"^( *)# {0,2}( *(?:- )?(?:- question: .*|margin: .*|- \$\{.*))$", r"\1\2", init.example(), flags=re.MULTILINE
    )
    text = text.replace("comparisons: []", "comparisons:").replace("notify: []", "notify:")
    for block in ("detector", "judge", "price", "baseline_price"):
        text = re.sub(
            rf"^# {block}:\n(?:#   .*\n)+",
            lambda found: found[0].replace("# ", "", 1).replace("\n# ", "\n"),
            text,
            flags=re.MULTILINE,
        )
    text = re.sub(r"# (tasks: \[w|arms: \[h|icc: |awareness: |max_aware: |key: )", r"\1", text).replace(
        "unit: scenario", "unit: episode"
    )
    text = text.replace("sha256:...", f"sha256:{'0' * 64}")
    policy, _ = yaml_files.parse(text, "example", Policy.model_validate)
    assert policy.detector is not None
    assert policy.judge is not None
    assert policy.price is not None
    assert policy.baseline_price is not None
    assert policy.comparisons
    assert policy.outputs.notify == ["${AFAGENT_NOTIFY}"]
    assert (policy.clustering.icc, policy.requirements.max_aware, policy.signature.key) == (0.3, 0.2, "gate.key")


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_policies_of_the_examples_are_valid(name: str) -> None:
    policy, _ = yaml_files.read(EXAMPLES / name / "policy.yaml", "the policy", Policy.model_validate)
    assert policy.name == name
    assert bool(policy.comparisons) is (name == "release")


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_schedules_of_the_examples_are_current(name: str) -> None:
    target, schedule = SCHEDULES[name]
    folder = EXAMPLES / name / "schedule"
    files = render(schedule, target)
    if os.environ.get("UPDATE_EXAMPLES"):
        for file in files:
            (folder / file.name).write_text(file.text)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {file.name: file.text for file in files}


@pytest.mark.parametrize("name", SCHEDULES)
def test_what_the_examples_say_is_what_their_schedules_are_made_of(name: str) -> None:
    _, schedule = SCHEDULES[name]
    readme = (EXAMPLES / name / "README.md").read_text()
    for word in (f"schedule {schedule.policy}", f"--at {schedule.at}", f"--model {schedule.model}", schedule.baseline):
        assert word is None or word in readme
