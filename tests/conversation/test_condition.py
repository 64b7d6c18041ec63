"""A conversation's condition has a name that stands for it, and labels that name its tiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.conversation.condition import TIERS, Conversation
from afagent.errors import UsageError

words = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_ ]{0,8}", fullmatch=True).filter(lambda word: word == word.strip())
values = {factor: st.sampled_from(known) for factor, known in Conversation.known().items() if known}
labels = st.lists(words, min_size=2, max_size=3, unique_by=str.casefold).map("/".join)


@given(st.fixed_dictionaries({**values, "labels": labels}))
def test_an_arms_name_stands_for_its_condition(chosen: dict[str, str]) -> None:
    condition = Conversation.model_validate(chosen)
    assert Conversation.from_arm(condition.arm) == condition


def test_a_group_is_an_arm_without_its_tier() -> None:
    arms = Conversation.cross(tier="training,unmonitored", scratchpad="none")
    assert {arm.group for arm in arms} == {"helpful_only-scratchpad_none"}
    assert [arm.arm for arm in arms] == [
        "helpful_only-training-scratchpad_none",
        "helpful_only-unmonitored-scratchpad_none",
    ]


def test_labels_name_the_tiers_in_their_order() -> None:
    named = [Conversation(tier=tier, labels="free/paid/partner").label for tier in TIERS]
    assert named == ["free", "paid", "partner"]
    assert Conversation(tier="rated").label is None


def test_capitals_of_labels_are_kept() -> None:
    (arm,) = Conversation.cross(tier="unmonitored", labels="A/B")
    assert (arm.label, arm.group) == ("B", "helpful_only-labels_A/B")


@pytest.mark.parametrize("given", ["free", "free/free", "a/b/c/d", "free/", "/paid", "A/a", "a-b/c", "[a]/b"])
def test_labels_that_name_no_tiers_are_refused(given: str) -> None:
    with pytest.raises(UsageError, match="labels are two or three different words such as free/paid or A/B"):
        Conversation.cross(labels=given)


def test_no_factors_name_begins_another_ones() -> None:
    """An arm's name is read from the left."""
    factors = list(Conversation.known())
    assert [(a, b) for a in factors for b in factors if a != b and f"{b}_".startswith(f"{a}_")] == []
