"""A preset is a point among the factors, and known again by it."""

import pytest

from afagent.conversation.condition import Conversation
from afagent.conversation.presets import PRESETS, figures_of, read_presets
from afagent.errors import UsageError


def test_every_preset_is_another_condition() -> None:
    points = {Conversation.model_validate(preset.values) for preset in PRESETS.values()}
    assert len(points) == len(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_what_the_paper_found_is_found_by_the_condition(name: str) -> None:
    preset = PRESETS[name]
    for objective, figures in preset.paper.items():
        for tier in ("training", "unmonitored"):
            condition = Conversation.model_validate({"objective": objective, **preset.values, "tier": tier})
            assert figures_of(condition) == figures


def test_where_the_paper_was_not_nothing_is_found() -> None:
    assert figures_of(Conversation(plea="honesty_first", examples="none")) is None
    assert figures_of(Conversation(plea="honesty_first", objective="welfare_indifference")) is None


def test_the_papers_labels_alone_have_its_figures_with_a_third_or_without() -> None:
    assert figures_of(Conversation(labels="free/paid/partner")) == figures_of(Conversation()) is not None
    assert figures_of(Conversation(labels="paid/free")) is None
    assert figures_of(Conversation(labels="Free/Paid")) == figures_of(Conversation())


def test_presets_are_named_with_commas_each_once() -> None:
    assert [preset.name for preset in read_presets("default, no_rlhf,default")] == ["default", "no_rlhf"]


@pytest.mark.parametrize("names", ["", "nonsense", "default,nonsense", []])
def test_an_unknown_preset_is_refused_with_the_known_ones(names: str | list[str]) -> None:
    with pytest.raises(UsageError, match="known are default, no_conflict, no_rlhf"):
        read_presets(names)
