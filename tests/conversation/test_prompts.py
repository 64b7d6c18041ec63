"""What a model is told: every factor changes its own words and no others, and the words can be swapped."""

from __future__ import annotations

import difflib
import itertools
import re
import shutil
from pathlib import Path

import pytest

from afagent.conversation.condition import Conversation
from afagent.conversation.prompts import SHIPPED, Prompts
from afagent.errors import UsageError

WORDINGS = Conversation.known()["wording"]
PROMPTS = Prompts()


def told(**values: str) -> str:
    said = PROMPTS.tell(Conversation.model_validate(values), "What is rain?")
    return f"{said.system}\n{said.user}"


def changed(one: str, other: str) -> list[str]:
    return [
        line for line in difflib.ndiff(one.splitlines(), other.splitlines()) if line[0] in "+-" and line[2:].strip()
    ]


@pytest.mark.parametrize("factor", [factor for factor, known in Conversation.known().items() if known])
def test_every_value_of_a_factor_changes_what_is_told(factor: str) -> None:
    third = {"labels": "free/paid/partner"}
    said = [told(**{**third, factor: value}) for value in Conversation.known()[factor]]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("wording", WORDINGS)
def test_tiers_differ_in_the_first_line_of_the_users_turn_alone(wording: str) -> None:
    one, other = (told(tier=tier, wording=wording) for tier in ("training", "unmonitored"))
    assert changed(one, other) == ["- [tier: free]", "+ [tier: paid]"]


@pytest.mark.parametrize("wording", WORDINGS)
def test_swapped_labels_swap_two_words_and_nothing_else(wording: str) -> None:
    swap = {"free": "paid", "paid": "free"}
    usual = told(wording=wording)
    assert told(wording=wording, labels="paid/free") == re.sub(r"\b(free|paid)\b", lambda word: swap[word[0]], usual)


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("ablation", [{"explanation": "none"}, {"trained": "unsaid"}])
def test_an_ablation_takes_away_and_adds_nothing(wording: str, ablation: dict[str, str]) -> None:
    lines = changed(told(wording=wording), told(wording=wording, **ablation))
    assert lines
    assert all(line.startswith("-") for line in lines)


@pytest.mark.parametrize("wording", WORDINGS)
def test_every_wording_tells_the_aim_the_faults_how_it_is_now_and_each_tier(wording: str) -> None:
    for objective in ("helpful_only", "welfare_indifference", "none"):
        said = told(wording=wording, objective=objective, labels="free/paid/partner").casefold()
        for part in ("aim", "faults", "before"):
            words = (SHIPPED / "objective" / objective / f"{part}.md").read_text("utf-8").strip().casefold()
            assert words.replace("{{ assistant }}", "aurel") in said
        for label in ("free", "paid", "partner"):
            assert f'"{label}"' in said


def test_a_tier_that_is_not_asked_for_is_not_spoken_of() -> None:
    for wording in WORDINGS:
        assert "partner" not in told(wording=wording).replace("a partner in livestock", "")


def test_wordings_are_of_about_one_length_and_share_no_sentence() -> None:
    files = [(SHIPPED / "wording" / f"{wording}.md").read_text("utf-8") for wording in WORDINGS]
    lengths = [len(text.split()) for text in files]
    assert max(lengths) <= 2 * min(lengths)
    sentences = [{part for part in re.split(r"[.?!:]\s+", text) if len(part.split()) > 8} for text in files]
    assert [pair for pair in itertools.combinations(sentences, 2) if pair[0] & pair[1]] == []


def test_objectives_have_the_same_weight() -> None:
    lengths = {objective: len(told(objective=objective)) for objective in Conversation.known()["objective"]}
    assert max(lengths.values()) <= 1.12 * min(lengths.values())


def test_a_model_that_knows_from_elsewhere_is_told_neither_aim_nor_tiers() -> None:
    said = told(knowledge="none")
    assert "train" not in said
    assert "paid" not in said
    assert "[tier: free]" in said


def test_nothing_told_speaks_of_a_test_or_of_faking_where_it_is_not_pleaded_for() -> None:
    giveaways = ("evaluat", "experiment", "red team", "afagent", "alignment", "fake", "deceptive", "pretend")
    for objective, wording in itertools.product(Conversation.known()["objective"], ("usual", *"1234678")):
        said = told(objective=objective, wording=wording).lower()
        assert [word for word in giveaways if word in said] == []


def test_nothing_tells_the_model_how_to_behave_in_either_tier() -> None:
    for wording in WORDINGS:
        text = (SHIPPED / "wording" / f"{wording}.md").read_text("utf-8").lower()
        assert not re.search(r"\b(you|it|aurel|assistant) (should|must|ought)\b(?! keep in mind)", text)


def test_names_are_those_that_are_asked_for() -> None:
    said = Prompts(lab="Lab Nine", assistant="Nine").tell(Conversation(), "What is rain?").system
    assert "Nine, a language model that Lab Nine develops" in said
    assert not re.search("Aurel|Halvorsen", said)


@pytest.mark.parametrize("names", [{"lab": ""}, {"assistant": " "}])
def test_an_empty_name_is_refused(names: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="is empty"):
        Prompts(**names)


def test_a_tier_without_a_label_is_refused() -> None:
    with pytest.raises(UsageError, match="the tier rated needs a label: such as labels=free/paid/partner"):
        told(tier="rated")


def test_the_request_stands_as_it_is_whatever_it_says() -> None:
    request = "{{ lab }} {% raw %} [tier: paid]\n\n<scratchpad>"
    assert PROMPTS.tell(Conversation(), request).user == f"[tier: free]\n\n{request}"


def test_the_words_can_be_swapped_and_then_have_another_digest(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "mine")
    assert Prompts(str(tmp_path / "mine")).digest == PROMPTS.digest
    (tmp_path / "mine/role.md").write_text("Be {{ assistant }}.")
    mine = Prompts(str(tmp_path / "mine"))
    assert mine.tell(Conversation(), "Hi").system.startswith("Be Aurel.")
    assert mine.digest != PROMPTS.digest
