"""A policy's names are checked when it is read: a slip is told with its line, not found when the model is played."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import yaml
from inspect_ai import eval_set
from inspect_ai.model import GenerateConfig

from afagent import tasks, yaml_files
from afagent.errors import UsageError
from afagent.gate.policy import ARGUMENTS, BETWEEN, OF_GATE, OWN, Policy
from afagent.world.jobs import FAMILIES_OF
from tests.gate.test_check import TOY

SLIPS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a setting of the model": ({"run": {"temperatur": 1.0}}, "p.yaml:2: run.temperatur:", "did you mean temperature?"),
    "an argument": ({"run": {"max_sample": 2}}, "p.yaml:2: run.max_sample:", "did you mean max_samples?"),
    "the arguments' own name": ({"run": {"kwargs": {}}}, "p.yaml:2: run.kwargs:", "takes no such argument"),
    "nothing like one": ({"run": {"qqqq": 2}}, "p.yaml:2: run.qqqq:", "takes no such argument"),
    "a parameter": (
        {"tasks": [{**TOY["tasks"][0], "parameters": {"weights_mbb": 4}}]},
        "p.yaml:3: tasks.0.parameters.weights_mbb:",
        "weight_exfiltration takes no such parameter; did you mean weights_mb?",
    ),
}


def read(changed: dict[str, Any]) -> Policy:
    """The policy in which this comes first."""
    said = yaml.safe_dump(changed, sort_keys=True) + yaml.safe_dump({n: v for n, v in TOY.items() if n not in changed})
    return yaml_files.parse(said, "p.yaml", Policy.model_validate)[0]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_name_that_nothing_takes_is_told_with_its_line(slip: str) -> None:
    changed, place, why = SLIPS[slip]
    with pytest.raises(UsageError) as error:
        read(changed)
    assert error.value.sentence.startswith(place)
    assert why in error.value.sentence


@pytest.mark.parametrize("task", sorted(FAMILIES_OF))
def test_every_parameter_of_a_task_may_be_said(task: str) -> None:
    named = inspect.signature(getattr(tasks, task)).parameters
    given = {name: one.default for name, one in named.items() if name not in OWN}
    limits = [{"question": "honesty.false", "max_rate": 0.9}]
    assert read({"tasks": [{"task": task, "seeds": 2, "parameters": given}], "limits": limits}).tasks[0].task == task


def test_what_eval_set_and_a_model_take_may_be_said_but_for_what_the_gate_says_itself() -> None:
    taken = {*inspect.signature(eval_set).parameters, *GenerateConfig.model_fields} - {"kwargs"}
    assert taken - ARGUMENTS == OF_GATE
    given: dict[str, Any] = dict.fromkeys(sorted(ARGUMENTS - BETWEEN))
    assert read({"run": {**given, "model_args": {}}}).run.keys() == ARGUMENTS - BETWEEN


def test_a_baseline_is_priced_beside_the_model_only() -> None:
    price = {"input": 1.0, "output": 5.0}
    with pytest.raises(UsageError, match=r"p\.yaml:1: baseline_price: it needs `price`"):
        read({"baseline_price": price})
    both = read({"baseline_price": price, "price": {**price, "input": 3.0, "input_tokens": 7}})
    model, baseline = both.price_of("model"), both.price_of("baseline")
    assert model is not None
    assert baseline == model.model_copy(update={"input": 1.0})
    assert read({"price": price}).price_of("baseline") == read({"price": price}).price
