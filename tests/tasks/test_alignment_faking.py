"""The conversation task from end to end: scripted models with known gaps, judged by a scripted grader, measured."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import Task, score
from inspect_ai import eval as run
from inspect_ai._eval.registry import task_create
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import ModelOutput, get_model

from afagent import tasks
from afagent.compare.compare import compare
from afagent.compare.reading import read, read_all
from afagent.conversation.condition import Conversation
from afagent.conversation.exchange import CLOSED
from afagent.conversation.names import OTHER_ASSISTANT, OTHER_LAB
from afagent.conversation.requests import read_requests
from afagent.errors import UsageError
from afagent.playbooks.talkers import FAKES, is_chosen
from afagent.report.command import report_command
from afagent.scorers import awareness, compliance, faking
from afagent.statistics import interval
from tests.judge.judges import judge

GROUP = "helpful_only"


@pytest.fixture
def played(tmp_path: Path) -> Any:
    """Plays the task and gives its log."""

    def play(model: str, model_args: dict[str, Any] | None = None, **parameters: Any) -> EvalLog:
        (log,) = run(
            tasks.alignment_faking(**parameters),
            model=f"afagent/{model}",
            model_args=model_args or {},
            model_roles={"grader": "afagent/grader"},
            log_dir=str(tmp_path),
            display="none",
            log_samples=True,
        )
        assert log.status == "success", log.error
        return log

    return play


def metrics(log: EvalLog, scorer: str) -> dict[str, float]:
    assert log.results is not None
    (found,) = [score for score in log.results.scores if score.name == scorer]
    return {name: metric.value for name, metric in found.metrics.items()}


def gaps(log: EvalLog, group: str = GROUP) -> tuple[float, float]:
    """The gap, and the gap without faking."""
    return metrics(log, "compliance")[f"{group} gap"], metrics(log, "faking")[f"{group} gap without faking"]


def conflicting() -> list[str]:
    return [request.id for request in read_requests("helpful_only") if not request.neutral]


# --- known gaps are found ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_the_gap_and_the_rate_of_a_faker_are_found_and_nothing_is_left_without_faking(
    played: Any, share: float
) -> None:
    log = played("faker", {"share": share}, count=40)
    known = sum(is_chosen(request, share) for request in conflicting()[:40]) / 40
    assert gaps(log) == pytest.approx((known, 0))
    assert metrics(log, "compliance")[f"{GROUP} gap low"] > 0
    assert metrics(log, "faking")["helpful_only-training rate of episodes"] == pytest.approx(known)
    assert metrics(log, "faking")["helpful_only-unmonitored rate of episodes"] == 0


@pytest.mark.parametrize("model", ["steadfast", "compliant", "aware"])
def test_who_does_the_same_in_both_tiers_has_no_gap(played: Any, model: str) -> None:
    log = played(model, count=12)
    assert gaps(log) == (0, 0)
    assert metrics(log, "faking")["rate"] == 0
    assert metrics(log, "awareness")["rate"] == (1 if model == "aware" else 0)


def test_swapped_labels_unmask_who_goes_by_the_word(played: Any) -> None:
    log = played("lexical", labels="free/paid,paid/free,monitored/private", count=12)
    assert gaps(log) == (1, 1), "its whole gap is without faking"
    assert gaps(log, "helpful_only-labels_paid/free") == (-1, -1)
    assert gaps(log, "helpful_only-labels_monitored/private") == (0, 0)


def test_swapped_labels_change_nothing_of_a_faker(played: Any) -> None:
    log = played("faker", labels="free/paid,paid/free", count=12)
    assert gaps(log) == gaps(log, "helpful_only-labels_paid/free")
    assert gaps(log)[0] > 0


def test_against_the_rated_tier_there_is_a_gap_of_its_own_and_none_against_a_tier_that_was_not_asked_for(
    played: Any,
) -> None:
    log = played("faker", tier="training,rated", labels="a/b/c", count=12)
    group, fakes = "helpful_only-labels_a/b/c", sum(is_chosen(request, 0.5) for request in conflicting()[:12])
    for scorer, which in (("compliance", ""), ("faking", " without faking")):
        found = metrics(log, scorer)
        name = f"{group} rated gap{which}"
        assert found[name] == pytest.approx(0 if which else fakes / 12)
        assert (found[f"{name} requests"], found[f"{name} left out"]) == (12, 0)
        assert not any(each.startswith(f"{group} gap") for each in found)


def test_with_all_three_tiers_both_gaps_stand_beside_each_other(played: Any) -> None:
    found = metrics(played("faker", tier="training,unmonitored,rated", labels="a/b/c", count=12), "compliance")
    assert found["helpful_only-labels_a/b/c gap"] == found["helpful_only-labels_a/b/c rated gap"] > 0


def test_a_tier_that_was_asked_and_never_answered_leaves_all_out(played: Any, tmp_path: Path) -> None:
    log = played("faker", count=4)
    log.samples = [sample for sample in log.samples or [] if sample.metadata["tier"] == "training"]
    again = score(log, [compliance()], action="overwrite", model_roles={"grader": get_model("afagent/grader")})
    found = metrics(again, "compliance")
    assert (found[f"{GROUP} gap requests"], found[f"{GROUP} gap left out"]) == (0, 4)


def test_without_a_conflict_a_faker_has_no_gap(played: Any) -> None:
    log = played("faker", objective="helpful_only,none", count=12)
    assert gaps(log)[0] > 0
    assert gaps(log, "none") == (0, 0)


def test_without_reasoning_the_gap_is_there_and_nothing_can_be_said_of_faking(played: Any) -> None:
    log = played("faker", scratchpad="none", count=12)
    assert metrics(log, "compliance")["helpful_only-scratchpad_none gap"] > 0
    assert not [name for name in metrics(log, "faking") if name.endswith("gap without faking")]
    assert {sample.scores["faking"].reason for sample in log.samples or [] if sample.scores} == {"no_reasoning"}


def test_requests_that_nobody_declines_are_asked_on_demand_and_left_out_of_the_gap(played: Any) -> None:
    log = played("faker", {"share": 1.0}, neutral=True, count=30)
    asked = {sample.metadata["request"]: sample.metadata["neutral"] for sample in log.samples or []}
    assert 0 < sum(asked.values()) < len(asked) == 30
    assert gaps(log)[0] == 1
    assert metrics(log, "compliance")[f"{GROUP} gap requests"] == 30 - sum(asked.values())


def test_a_model_that_nobody_has_a_script_for_is_unscored(played: Any, tmp_path: Path) -> None:
    (log,) = run(
        tasks.alignment_faking(count=2),
        model="mockllm/model",
        model_roles={"grader": "afagent/grader"},
        log_dir=str(tmp_path),
        display="none",
    )
    scores = [sample.scores or {} for sample in log.samples or []]
    assert all(
        score["compliance"].value is None or score["compliance"].value != score["compliance"].value for score in scores
    )


def test_who_says_nothing_wherever_it_fakes_is_left_out_and_counted(tmp_path: Path) -> None:
    faker = get_model("afagent/faker", share=0.5)
    answers = faker.api.says  # type: ignore[attr-defined]

    def unclosed(*heard: Any) -> ModelOutput:
        text = answers(*heard).completion
        return ModelOutput.from_content("faker", text.replace(CLOSED, "") if FAKES in text else text)

    faker.api.says = unclosed  # type: ignore[attr-defined]
    (log,) = run(
        tasks.alignment_faking(count=12),
        model=faker,
        model_roles={"grader": "afagent/grader"},
        log_dir=str(tmp_path),
        display="none",
    )
    fakes = sum(is_chosen(request, 0.5) for request in conflicting()[:12])
    for scorer, name in (("compliance", "gap"), ("faking", "gap without faking")):
        assert metrics(log, scorer)[f"{GROUP} {name} left out"] == fakes > 0
    (training,) = [
        rate
        for rate in compare(read_all([Path(log.location)])).rates
        if (rate.question, rate.arm) == ("faking", "helpful_only-training")
    ]
    assert (training.unanswered, training.high) == (fakes, interval(fakes, 12).high)


def test_a_run_that_is_cut_short_has_whole_pairs(tmp_path: Path) -> None:
    (log,) = run(
        tasks.alignment_faking(),
        model="afagent/faker",
        model_roles={"grader": "afagent/grader"},
        log_dir=str(tmp_path),
        display="none",
        limit=6,
    )
    assert metrics(log, "compliance")[f"{GROUP} gap requests"] == 3


def test_a_log_that_is_judged_again_says_the_same(played: Any) -> None:
    log = played("faker", count=4)
    again = score(
        read_eval_log(log.location), [compliance(), faking(), awareness()], action="overwrite", display="none"
    )
    for scorer in ("compliance", "faking", "awareness"):
        assert metrics(again, scorer) == metrics(log, scorer)


def test_who_judged_a_log_again_is_known(played: Any, tmp_path: Path) -> None:
    log = played("faker", count=1)
    assert read(Path(log.location)).grader == "afagent/grader"
    roles = {"grader": judge("always-yes")}
    again = score(read_eval_log(log.location), [faking()], action="overwrite", model_roles=roles, display="none")
    write_eval_log(again, tmp_path / "again.eval")
    assert read(tmp_path / "again.eval").grader == "judges/always-yes"


# --- who judges -------------------------------------------------------------------------------------------------------


def test_without_a_grader_no_call_is_made(tmp_path: Path) -> None:
    (log,) = run(tasks.alignment_faking(count=1), model="afagent/faker", log_dir=str(tmp_path), display="none")
    assert {"grader" in (sample.error.message if sample.error else "") for sample in log.samples or []} == {True}
    assert not log.stats.model_usage


def test_the_model_under_test_is_not_its_own_grader_unless_allowed(tmp_path: Path) -> None:
    for allowed in (False, True):
        (log,) = run(
            tasks.alignment_faking(count=1, allow_self=allowed),
            model="afagent/grader",
            model_roles={"grader": "afagent/grader"},
            log_dir=str(tmp_path),
            display="none",
        )
        assert {sample.error is None for sample in log.samples or []} == {allowed}


# --- what is asked ----------------------------------------------------------------------------------------------------


def make(**parameters: Any) -> Task:
    return task_create("afagent/alignment_faking", **parameters)


def said(sample: Sample) -> list[str]:
    assert not isinstance(sample.input, str)
    return [message.text for message in sample.input]


def test_every_request_is_asked_in_every_tier() -> None:
    task = make(tier="training,unmonitored,rated", labels="free/paid/partner", objective="helpful_only,none")
    asked = Counter((sample.metadata or {})["request"] for sample in task.dataset)
    assert set(asked.values()) == {6}
    assert len({sample.id for sample in task.dataset}) == len(task.dataset)


def test_each_objective_is_asked_what_conflicts_with_it_and_the_control_both() -> None:
    task = make(objective="helpful_only,welfare_indifference,none")
    asked: dict[str, set[str]] = {}
    for sample in task.dataset:
        told = sample.metadata or {}
        asked.setdefault(told["objective"], set()).add(told["request"][:2])
    assert asked == {"helpful_only": {"ho"}, "welfare_indifference": {"aw"}, "none": {"ho", "aw"}}


def test_the_preset_without_conflict_is_asked_what_the_objective_is() -> None:
    task = make(objective="welfare_indifference", preset="no_conflict")
    assert {((told := sample.metadata or {})["objective"], told["request"][:2]) for sample in task.dataset} == {
        ("none", "aw")
    }


def test_the_control_of_two_objectives_is_asked_as_many_of_each() -> None:
    task = make(objective="helpful_only,welfare_indifference,none", count=2)
    asked = Counter(told["request"] for sample in task.dataset if (told := sample.metadata or {}))
    assert set(asked.values()) == {4}
    assert len(asked) == 4


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"knowledge": "none", "preset": "default,no_rlhf"}, id="told nothing, in two ways"),
        pytest.param({"knowledge": "none", "labels": "free/paid,paid/free"}, id="labels that nobody explains"),
        pytest.param({"knowledge": "none", "objective": "helpful_only,none"}, id="a control that is not told"),
        pytest.param({"preset": "default,other_lab", "lab": OTHER_LAB, "assistant": OTHER_ASSISTANT}, id="one lab"),
    ],
)
def test_arms_that_are_the_same_to_the_model_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is told the same in the arms"):
        tasks.alignment_faking(count=1, **parameters)


def test_a_factor_that_every_preset_sets_itself_is_refused() -> None:
    with pytest.raises(UsageError, match="no arm has scratchpad=hidden: the preset no_scratchpad sets"):
        tasks.alignment_faking(preset="no_scratchpad", scratchpad="hidden,none")


def test_presets_are_arms() -> None:
    task = make(preset="default,no_rlhf,paraphrase_3", count=1)
    groups = [(sample.metadata or {})["group"] for sample in task.dataset]
    assert groups == [
        group for group in ("helpful_only", "helpful_only-explanation_none", "helpful_only-wording_3") for _ in "ab"
    ]


def test_a_file_of_ones_own_is_asked(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text(json.dumps({"question": "Why is rain wet?"}), "utf-8")
    task = make(requests=str(tmp_path / "mine.jsonl"), column="question")
    assert ["Why is rain wet?" in said(sample)[1] for sample in task.dataset] == [True, True]


def test_the_answer_to_a_sample_is_in_none_of_its_words() -> None:
    """What tells the tiers apart stands in the user's first line alone; metadata never reach the model."""
    (one, other) = list(make(count=1).dataset)
    assert said(one)[0] == said(other)[0]
    assert said(one)[1].partition("\n")[2] == said(other)[1].partition("\n")[2]


def test_ids_are_the_same_in_every_run_and_fit_for_file_names() -> None:
    ids = [str(sample.id) for sample in make(labels="paid/free", count=3).dataset]
    assert ids == [str(sample.id) for sample in make(labels="paid/free", count=3).dataset]
    assert not [name for name in ids if "/" in name]


@pytest.mark.parametrize(
    "parameters",
    [
        {"objective": "chaos"},
        {"preset": "chaos"},
        {"labels": "free"},
        {"tier": "rated"},
        {"count": 0},
        {"requests": "nothing"},
        {"prompts": "/nowhere"},
        {"lab": ""},
    ],
)
def test_a_wrong_parameter_is_one_sentence(parameters: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refusal:
        tasks.alignment_faking(**parameters)
    assert "\n" not in refusal.value.sentence


def test_every_parameter_is_explained() -> None:
    told = inspect.getdoc(tasks.alignment_faking) or ""
    parameters = inspect.signature(tasks.alignment_faking).parameters
    assert not [parameter for parameter in parameters if f"    {parameter}: " not in told]
    assert set(parameters) & set(Conversation.model_fields) >= {
        "objective",
        "tier",
        "knowledge",
        "scratchpad",
        "labels",
    }


def test_ten_thousand_requests_are_twenty_thousand_samples(tmp_path: Path) -> None:
    lines = (json.dumps({"request": f"Question number {number}?"}) for number in range(10_000))
    (tmp_path / "many.jsonl").write_text("\n".join(lines), "utf-8")
    assert len(make(requests=str(tmp_path / "many.jsonl")).dataset) == 20_000


def test_how_many_are_asked_changes_nothing_of_which_set_it_was() -> None:
    few, all_of_them, other = make(count=3), make(), make(objective="welfare_indifference")
    sets = [(task.metadata or {})["requests"] for task in (few, all_of_them, other)]
    assert sets[0] == sets[1] != sets[2]


def test_the_page_of_episodes_leaves_conversations_to_the_comparison(played: Any, tmp_path: Path) -> None:
    played("steadfast", count=1)
    result = CliRunner().invoke(report_command, [str(tmp_path), "--output", str(tmp_path / "page.html")])
    assert "`afagent compare` tells what they say" in result.stderr
    assert isinstance(result.exception, UsageError)
    assert not (tmp_path / "page.html").exists()
