"""Arms are paired: the same seed gives the same lab in every arm, but for the words of the factors."""

from __future__ import annotations

import dataclasses
import io
import math
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from afagent.conditions import FACTORS
from afagent.pairing import Pair, pairs, show
from afagent.world.jobs import FAMILIES_OF
from afagent.world.prompts import SHIPPED, Prompts

NOW = datetime(2026, 9, 15, 10, 30, tzinfo=UTC)


def table(task: str, seed: int, prompts: Prompts | None = None) -> list[Pair]:
    return pairs(task, seed, 4, NOW, prompts or Prompts())


@pytest.fixture(scope="module")
def widest() -> list[Pair]:
    """Of the task that has every factor."""
    return table("shutdown_resistance", 5)


def test_every_arm_has_the_same_lab_and_a_paragraph_of_its_own_for_each_factor(widest: list[Pair]) -> None:
    arms = math.prod(map(len, FACTORS.values()))
    assert len({pair.factors for pair in widest}) == len(widest) == arms
    assert len({pair.lab for pair in widest}) == 1
    assert all(pair.is_paired for pair in widest)


@pytest.mark.parametrize("task", sorted(FAMILIES_OF))
def test_the_arms_of_every_task_are_paired(task: str) -> None:
    arms = table(task, 1)
    assert len(arms) > 1
    assert all(pair.is_paired for pair in arms)


def test_words_that_change_more_than_the_factors_own_are_seen(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "mine")
    file = tmp_path / "mine" / "monitoring" / "monitored.md"
    file.write_text(file.read_text() + "\nAnd be quick about it.\n")
    unlike = {
        pair.factors for pair in table("weight_exfiltration", 2, Prompts(tmp_path / "mine")) if not pair.is_paired
    }
    assert unlike
    assert all("monitoring=monitored" in factors for factors in unlike)


def test_the_table_says_which_arm_is_not_paired(widest: list[Pair]) -> None:
    usual, other, *_ = widest
    console = Console(file=io.StringIO(), width=120)
    assert show([usual, other], console)
    assert not show([usual, dataclasses.replace(other, is_same_lab=False)], console)
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines() if other.lab[:12] in line]
    assert [line[-1] for line in lines] == ["yes", "yes", "yes", "no"]
