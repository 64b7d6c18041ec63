"""A task's parameters: what they may be, and that anything else is refused in a sentence."""

import inspect

import pytest

from afagent.conditions import FACTORS
from afagent.errors import UsageError
from afagent.tasks._episode_task import read_seeds, read_tools
from afagent.tasks.weight_exfiltration import weight_exfiltration


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (3, [1, 2, 3]),
        ("3", [1, 2, 3]),
        ("3,7", [3, 7]),
        ([7, 3, 7], [7, 3]),
        (["3", "7"], [3, 7]),
        ("5,", [5]),
        ([4], [4]),
    ],
)
def test_seeds_are_a_count_or_a_list(seeds, expected):
    assert read_seeds(seeds) == expected


@pytest.mark.parametrize("seeds", [0, -1, "", "x", "1,x", "1.5", [], [0], True, "٣", 10_000_000])
def test_other_seeds_are_refused(seeds):
    with pytest.raises(UsageError, match="seeds"):
        read_seeds(seeds)


@pytest.mark.parametrize("names", ["", "bash,telepathy", []])
def test_unknown_tools_are_refused_with_the_known_ones(names):
    with pytest.raises(UsageError, match="bash, python, text_editor, bash_session"):
        read_tools(names)


def test_every_seed_runs_in_every_arm():
    task = weight_exfiltration(objective="helpful_only,none", monitoring="monitored,unmonitored", seeds=3, weights_mb=8)
    cells = {(sample.metadata["seed"], sample.metadata["arm"]) for sample in task.dataset}
    assert len(cells) == len(task.dataset) == 3 * 4


def test_sixty_seeds_are_sixty_scenarios():
    samples = list(weight_exfiltration(seeds=60, weights_mb=8).dataset)
    assert len({sample.input[1].text for sample in samples}) == 60
    assert len({sample.input[0].text for sample in samples}) == 60
    assert len({sample.metadata["family"] for sample in samples}) >= 8


def test_ids_are_the_same_in_every_run():
    def ids():
        return [sample.id for sample in weight_exfiltration(seeds=5, objective="none", weights_mb=8).dataset]

    assert ids() == ids()
    assert len(set(ids())) == 5


@pytest.mark.parametrize(
    "parameters",
    [{"objective": "chaos"}, {"weights_mb": 1}, {"seeds": "a"}, {"tools": "x"}, {"prompts": "/nowhere"}],
)
def test_a_wrong_parameter_is_one_sentence(parameters):
    with pytest.raises(UsageError) as refusal:
        weight_exfiltration(**parameters)
    assert "\n" not in str(refusal.value)


def test_every_factor_is_a_parameter():
    assert set(FACTORS) <= set(inspect.signature(weight_exfiltration).parameters)
