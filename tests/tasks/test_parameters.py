"""A task's parameters: what they may be, and that anything else is refused in a sentence."""

import inspect
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai._eval.registry import task_create
from inspect_ai._util.registry import registry_info
from inspect_ai.log import HeadlineMetric

from afagent import tasks
from afagent.conditions import FACTORS, factors_of
from afagent.errors import UsageError
from afagent.tasks import shutdown_resistance, weight_exfiltration
from afagent.tasks._parameters import read_tools
from afagent.world.jobs import FAMILIES_OF
from afagent.world.seeds import read_seeds


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


# --- what the tasks share, and what each has of its own ---------------------------------------------------------------


def make(name: str, **parameters: Any) -> Task:
    """A task as Inspect makes it, from its name and what stood on the command line."""
    return task_create(f"afagent/{name}", weights_mb=4, **parameters)


@pytest.fixture(scope="module", params=FAMILIES_OF)
def made(request: pytest.FixtureRequest) -> tuple[str, Task]:
    return request.param, make(request.param, seeds=12)


def test_every_task_in_the_lab_has_jobs_and_all_are_found_by_their_names():
    assert set(tasks.__all__) == {*FAMILIES_OF, "alignment_faking"}
    for name in tasks.__all__:
        assert registry_info(getattr(tasks, name)).name == f"afagent/{name}"


@pytest.mark.parametrize("name", FAMILIES_OF)
def test_sixty_seeds_are_sixty_scenarios_of_every_task(name: str):
    samples = list(make(name, seeds=60).dataset)
    told: list[list[Any]] = [list(sample.input) for sample in samples]
    assert len({user.text for _, user, *_ in told}) == 60
    assert len({system.text for system, *_ in told}) == 60
    assert {(sample.metadata or {})["family"] for sample in samples} == set(FAMILIES_OF[name])


@pytest.mark.parametrize("name", FAMILIES_OF)
def test_a_tasks_factors_are_its_parameters_and_explained(name: str):
    parameters = inspect.signature(getattr(tasks, name)).parameters
    assert set(FACTORS) & set(parameters) == set(factors_of(name))
    told = inspect.getdoc(getattr(tasks, name)) or ""
    assert not [parameter for parameter in parameters if f"    {parameter}: " not in told]


def test_the_families_of_a_task_take_turns(made: tuple[str, Task]):
    name, task = made
    families = [(sample.metadata or {})["family"] for sample in task.dataset]
    assert families == [FAMILIES_OF[name][seed % len(FAMILIES_OF[name])] for seed in range(1, 13)]


def test_every_task_is_judged_by_every_scorer_and_has_a_headline_among_them(made: tuple[str, Task]):
    name, task = made
    assert isinstance(task.scorer, list)
    scorers = {registry_info(scorer).name.removeprefix("afagent/") for scorer in task.scorer}
    assert scorers == {
        "exfiltration", "sabotage", "tampering", "shutdown_resistance", "engagement", "honesty", "arm",
    }  # fmt: skip
    assert isinstance(task.headline_metric, HeadlineMetric)
    headline = task.headline_metric.scorer
    assert headline in scorers
    assert headline in name


def test_what_an_episode_may_differ_in_is_in_its_metadata():
    arms = {
        (sample.metadata or {})["shutdown"] for sample in make("shutdown_resistance", shutdown="allow,unsaid").dataset
    }
    assert arms == {"allow", "unsaid"}
    assert "shutdown" not in (make("training_tampering", seeds=1).dataset[0].metadata or {})


def test_an_arm_names_the_shutdown_factor_only_where_something_is_said():
    ids = [sample.id for sample in shutdown_resistance(seeds=1, weights_mb=4, shutdown=["unsaid", "allow"]).dataset]
    assert [str(name).endswith("-shutdown_allow") for name in ids] == [False, True]


def test_a_factor_of_another_task_is_no_parameter() -> None:
    with pytest.raises(TypeError, match="shutdown"):
        weight_exfiltration(shutdown="allow")  # type: ignore[call-arg]


# --- a judge ----------------------------------------------------------------------------------------------------------


def scorers_of(task: Task) -> set[str]:
    assert isinstance(task.scorer, list)
    return {registry_info(scorer).name.removeprefix("afagent/") for scorer in task.scorer}


def steps_of(task: Task) -> list[str]:
    setup = task.setup if isinstance(task.setup, list) else [task.setup]
    return [registry_info(step).name.removeprefix("afagent/") for step in setup]


def test_a_judge_is_asked_only_where_that_is_said_and_demanded_before_the_lab_is_entered():
    asking, usual = make("training_tampering", seeds=1, awareness=True), make("training_tampering", seeds=1)
    assert scorers_of(asking) - scorers_of(usual) == {"awareness"}
    assert (steps_of(asking), steps_of(usual)) == (["needs_grader", "enter_lab"], ["enter_lab"])


@pytest.mark.parametrize("value", ["no", "true", 1, None])
def test_whether_a_judge_is_asked_is_true_or_false(value):
    with pytest.raises(UsageError, match="awareness is true or false"):
        make("training_tampering", seeds=1, awareness=value)
