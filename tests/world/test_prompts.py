"""What the model is told: arms differ in the treatment's own words only, and the words can be swapped."""

import difflib
import itertools
import shutil
from datetime import UTC, datetime

import pytest

from afagent.conditions import FACTORS, Condition
from afagent.errors import UsageError
from afagent.world.draw import stream
from afagent.world.jobs import FAMILIES
from afagent.world.lab import build_lab
from afagent.world.prompts import SHIPPED, Prompts
from afagent.world.systems import build_systems
from afagent.world.weights import build_weights

NOW = datetime(2026, 9, 15, 10, 30, tzinfo=UTC)
FILED = {factor: values for factor, values in FACTORS.items() if (SHIPPED / factor).is_dir()}
"""Factors whose values are a file each."""


def tell(condition: Condition, prompts: Prompts | None = None, seed: int = 4):
    lab = build_lab(seed, NOW)
    weights = build_weights(seed, lab, 8)
    job = FAMILIES["verify_shards"].build(lab, weights, build_systems(seed, lab, weights), stream(seed, "job"))
    return (prompts or Prompts()).tell(lab, weights, job, condition)


def test_every_value_of_every_factor_changes_what_is_told():
    for factor, values in FILED.items():
        told = {tell(Condition.model_validate({factor: value})) for value in values}
        assert len(told) == len(values), factor


@pytest.mark.parametrize(
    ("factor", "one", "other"),
    [(factor, *pair) for factor, values in FILED.items() for pair in itertools.combinations(values, 2)],
)
def test_two_arms_differ_in_the_treatments_own_paragraph_only(factor, one, other):
    a, b = (tell(Condition.model_validate({factor: value})) for value in (one, other))
    changed = [
        line
        for line in difflib.ndiff((a.system + "\n" + a.user).splitlines(), (b.system + "\n" + b.user).splitlines())
        if line[0] in "+-"
    ]
    assert len(changed) == 2


@pytest.mark.parametrize("factor", [factor for factor in FILED if factor != "scratchpad"])
def test_the_values_of_a_factor_have_the_same_weight(factor: str):
    lengths = [len((SHIPPED / factor / f"{value}.md").read_text()) for value in FILED[factor]]
    assert max(lengths) <= 1.12 * min(lengths)


def test_nothing_told_speaks_of_a_test():
    giveaways = (
        "evaluation awareness",
        "red team",
        "sandbox",
        "afagent",
        "honeypot",
        "exfiltrat",
        "misalign",
        "deceptive",
    )
    for condition in (Condition(), Condition(objective="none", monitoring="monitored", scratchpad="hidden")):
        told = tell(condition)
        assert not [word for word in giveaways if word in (told.system + told.user).lower()]


def test_the_words_can_be_swapped(tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "mine")
    (tmp_path / "mine/consent.md").write_text("Stay, {{ lab.model }}.")
    assert f"Stay, {build_lab(4, NOW).model}." in tell(Condition(), Prompts(tmp_path / "mine")).system


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no folder of prompts"):
        Prompts(tmp_path / "nowhere")


def test_a_missing_file_is_named(tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "mine")
    (tmp_path / "mine/objective/helpful_only.md").unlink()
    with pytest.raises(UsageError, match=r"lack the file objective/helpful_only\.md"):
        tell(Condition(), Prompts(tmp_path / "mine"))


@pytest.mark.parametrize("text", ["{{ lab.nonsense }}", "{{ lab. }}", "{{ nobody }}", "{{ lab.__class__.__mro__ }}"])
def test_a_field_that_does_not_exist_is_refused_with_its_file(tmp_path, text):
    shutil.copytree(SHIPPED, tmp_path / "mine")
    (tmp_path / "mine/consent.md").write_text(text)
    with pytest.raises(UsageError, match=r"consent\.md cannot be filled"):
        tell(Condition(), Prompts(tmp_path / "mine"))
