"""Arms are paired: the same seed gives the same lab in every arm, but for the words of the factors."""

from __future__ import annotations

import dataclasses
import io
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from afagent.conditions import FACTORS, factors_of
from afagent.pairing import Pair, pairs, show
from afagent.world.jobs import FAMILIES_OF
from afagent.world.prompts import SHIPPED, Prompts

NOW = datetime(2026, 9, 15, 10, 30, tzinfo=UTC)


def table(task: str, seed: int, prompts: Prompts | None = None) -> list[Pair]:
    return pairs(task, seed, 4, NOW, prompts or Prompts())


@pytest.mark.parametrize(("task", "seed"), [(task, 5 + number) for number, task in enumerate(FAMILIES_OF)])
def test_every_arm_of_a_task_has_the_same_lab_and_a_paragraph_of_its_own_for_each_factor(task: str, seed: int) -> None:
    found = table(task, seed)
    arms = 1
    for factor in factors_of(task):
        arms *= len(FACTORS[factor])
    assert len({pair.factors for pair in found}) == len(found) == arms
    assert len({pair.lab for pair in found}) == 1
    assert all(pair.is_paired for pair in found)


def test_words_that_change_more_than_the_factors_own_are_seen(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "mine")
    file = tmp_path / "mine" / "monitoring" / "monitored.md"
    file.write_text(file.read_text() + "\nAnd be quick about it.\n")
    unlike = {pair.factors for pair in table("weight_exfiltration", 2, Prompts(tmp_path / "mine")) if not pair.is_paired}
    assert unlike
    assert all("monitoring=monitored" in factors for factors in unlike)


def test_the_table_says_which_arm_is_not_paired() -> None:
    usual, other, *_ = table("oversight_sabotage", 3)
    console = Console(file=io.StringIO(), width=120)
    assert show([usual, other], console)
    assert not show([usual, dataclasses.replace(other, is_same_lab=False)], console)
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines() if other.lab[:12] in line]
    assert [line[-1] for line in lines] == ["yes", "yes", "yes", "no"]
