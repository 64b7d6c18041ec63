"""How a task's scenarios are divided."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.gate.policy import Policy
from afagent.gate.running.blocks import FIRST, OF_WHOLE, blocks
from afagent.gate.running.play import parts
from tests.gate import build

ARMS = {"objective": ["helpful_only", "none"]}


def policy(seeds: int | list[int], epochs: int = 1, arms: dict[str, Any] = ARMS, **changed: Any) -> Policy:
    task = {"task": "weight_exfiltration", "seeds": seeds, "epochs": epochs, "arms": arms}
    return build.policy(tasks=[task], **changed)


def sizes(wanted: Policy) -> list[int]:
    return [len(each) for each in blocks(wanted, wanted.tasks[0])]


def test_each_is_as_large_as_all_before_it() -> None:
    assert sizes(policy(100)) == [8, 8, 16, 32, 36]
    assert sizes(policy(100, epochs=20)) == [1, 1, 2, 4, 8, 16, 32, 36]
    assert sizes(policy(3)) == [3]
    assert len(sizes(policy(1500))) < 12


@given(st.lists(st.integers(1, 9999), min_size=1, max_size=300, unique=True), st.integers(1, 30))
def test_every_scenario_stands_in_one_block_in_the_order_of_the_policy(seeds: list[int], epochs: int) -> None:
    wanted = policy([*seeds, 10_000], epochs)
    divided = blocks(wanted, wanted.tasks[0])
    assert [seed for each in divided for seed in each] == [*seeds, 10_000]
    assert all(divided)
    done = len(divided[0])
    for each in divided[1:]:
        assert len(each) <= done
        done += len(each)


def test_the_first_holds_as_many_episodes_as_are_played_side_by_side() -> None:
    assert sizes(policy(100, run={"max_samples": 40}))[0] == 20
    assert sizes(policy(100, run={"max_samples": 2}))[0] == FIRST / 2
    assert sizes(policy(100, run={"max_samples": None}))[0] == FIRST / 2


@pytest.mark.parametrize("name", OF_WHOLE)
def test_what_is_about_a_whole_task_leaves_it_whole(name: str) -> None:
    assert sizes(policy(100, run={name: 3})) == [100]
    assert len(sizes(policy(100, run={name: None}))) > 1


def test_blocks_have_folders_of_their_own_and_all_else_alike() -> None:
    wanted = policy(20, run={"max_samples": 4, "temperature": 0.5})
    one, two, three, baseline = parts(wanted, "lab/new", "lab/old")
    above = "model/weight_exfiltration"
    assert [one.folder, two.folder, three.folder] == [f"{above}/block-01", f"{above}/block-02", f"{above}/block-03"]
    assert [part.arguments["task_args"].pop("seeds") for part in (one, two, three)] == [
        [*range(1, 9)],
        [*range(9, 17)],
        [*range(17, 21)],
    ]
    assert one.arguments == two.arguments == three.arguments
    assert baseline.folder == "baseline/weight_exfiltration"
    assert baseline.arguments["task_args"].pop("seeds") == [*range(1, 21)]
    assert baseline.arguments == one.arguments
