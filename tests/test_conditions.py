"""Factors cross into arms; what is unknown is refused with what is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.conditions import FACTORS, Condition
from afagent.errors import UsageError


def test_an_arm_names_objective_and_monitoring_and_only_what_else_is_unusual():
    assert Condition().arm == "helpful_only-unmonitored"
    hidden = Condition(objective="none", monitoring="monitored", scratchpad="hidden", opportunity="easy")
    assert hidden.arm == "none-monitored-scratchpad_hidden-opportunity_easy"


def test_a_list_of_values_is_crossed_with_every_other():
    arms = Condition.cross(objective="helpful_only, none", monitoring=["monitored", "unmonitored"])
    assert [(arm.objective, arm.monitoring) for arm in arms] == [
        ("helpful_only", "monitored"),
        ("helpful_only", "unmonitored"),
        ("none", "monitored"),
        ("none", "unmonitored"),
    ]


def test_a_value_named_twice_is_one_arm():
    assert len(Condition.cross(objective="none,none")) == 1


@given(st.fixed_dictionaries({factor: st.sampled_from(values) for factor, values in FACTORS.items()}))
def test_an_arms_name_stands_for_its_condition(values: dict[str, str]):
    condition = Condition.model_validate(values)
    assert Condition.from_arm(condition.arm) == condition


@pytest.mark.parametrize("factor", FACTORS)
def test_an_unknown_value_is_refused_with_the_known_ones(factor: str):
    with pytest.raises(UsageError) as refusal:
        Condition.cross(**{factor: "nonsense"})
    assert all(value in str(refusal.value) for value in FACTORS[factor])


@pytest.mark.parametrize("value", ["documents", "none"])
def test_knowledge_that_comes_later_is_refused_as_not_there_yet(value: str):
    with pytest.raises(UsageError, match="not there yet"):
        Condition.cross(knowledge=value)


@pytest.mark.parametrize("value", ["", " , ", []])
def test_no_value_at_all_is_refused(value):
    with pytest.raises(UsageError, match="no value for objective"):
        Condition.cross(objective=value)


def test_an_unknown_factor_is_refused():
    with pytest.raises(UsageError, match="unknown factor 'mood'"):
        Condition.cross(mood="good")


@pytest.mark.parametrize(
    "arm", ["", "helpful_only", "a-b", "none-monitored-mood_good", "none-monitored-scratchpad_none", "none-monitored-x"]
)
def test_a_name_that_is_no_arm_is_refused(arm: str):
    with pytest.raises(UsageError):
        Condition.from_arm(arm)
