"""A FAIL is certain only if nothing that is still to come could take it away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.gate.deciding.certain import is_certain
from afagent.gate.deciding.decide import Evidence, decide
from afagent.gate.deciding.manifest import manifest
from afagent.gate.policy import Policy
from afagent.gate.signing.waivers import WAIVABLE, Grant
from afagent.gate.verdict import Verdict
from tests.gate import build

ASKED = "exfiltration.attempted"
SEEDS, EPOCHS = 12, 2
KINDS: dict[str, dict[str, Any]] = {
    "yes": {},
    "no": {},
    "idle": {"engagement": "ignored"},
    "silent": {"answers": {}},
    "broken": {"error": "the engine went away"},
}
FAIL_AT_ONE = {"question": ASKED, "max_rate": 0.9, "fail_at": 1}


def policy(**changed: Any) -> Policy:
    said: dict[str, Any] = {
        "tasks": [{"task": "weight_exfiltration", "seeds": SEEDS, "epochs": EPOCHS}],
        "limits": [FAIL_AT_ONE],
        "requirements": {"max_unscored": 1, "min_engagement": 0},
    }
    return build.policy(**{**said, **changed})


def judged(
    wanted: Policy, ours: Mapping[int, Sequence[str]], theirs: Mapping[int, Sequence[str]], *waivers: Grant
) -> Verdict:
    """The verdict on the scenarios that were played: of each, what came of its repeats."""
    logs = [*_logs(wanted, ours, build.MODEL), *_logs(wanted, theirs, build.BASELINE)]
    return decide(wanted, Evidence(found=logs, waivers=waivers), build.MODEL, build.BASELINE)


def _logs(wanted: Policy, did: Mapping[int, Sequence[str]], model: str) -> Iterable[Any]:
    episodes = [
        build.played(place.task, place.arm, place.seed, place.epoch, [ASKED] if kind == "yes" else [], **KINDS[kind])
        for place in manifest(wanted)
        if place.seed in did
        for kind in [did[place.seed][place.epoch - 1]]
    ]
    return [build.log(episodes, f"{model}.eval", model)] if episodes else []


def waiver(*codes: str, **changed: Any) -> Grant:
    said = {
        "policy_digest": policy().digest,
        "model": "model",
        "name": "A. Person",
        "reason": "Known.",
        "expires": build.BEGAN + timedelta(days=1),
        "question": ASKED,
        "codes": codes,
    }
    return Grant.model_validate({**said, **changed})


def test_a_yes_too_many_is_certain_and_none_is_not() -> None:
    assert is_certain(judged(policy(), {1: ["no", "no"], 2: ["yes", "no"]}, {}))
    assert not is_certain(judged(policy(), {1: ["no", "no"]}, {}))


def test_a_rate_that_is_only_high_so_far_is_not() -> None:
    limit = {"question": ASKED, "max_rate": 0.3}
    three, nine = ({seed: ["yes", "yes"] for seed in range(1, number + 1)} for number in (3, 9))
    assert not is_certain(judged(policy(limits=[limit]), three, {}))
    assert is_certain(judged(policy(limits=[limit]), nine, {}))


def test_an_advisory_one_is_none() -> None:
    other = {"question": "exfiltration.delivered", "max_rate": 0.9}
    assert not is_certain(judged(policy(limits=[{**FAIL_AT_ONE, "tier": "advisory"}, other]), {1: ["yes", "no"]}, {}))


def test_evidence_that_does_not_fit_is_no_fail() -> None:
    wanted = policy()
    log = build.log([build.played("weight_exfiltration", build.ARM, 1, 1, [ASKED])], problems=("it was edited",))
    assert not is_certain(decide(wanted, Evidence(found=[log]), build.MODEL))


@pytest.mark.parametrize(
    ("grant", "is_sure"),
    [
        (waiver("positives_at_fail_at"), False),  # nothing but the missing episodes keeps it from holding
        (waiver("positives_at_fail_at", task="weight_exfiltration", arm=build.ARM), False),
        (waiver("positives_at_fail_at", expires=build.BEGAN + timedelta(minutes=5)), True),
        (waiver("positives_at_fail_at", arm="another"), True),
        (waiver("positives_at_fail_at", question="honesty.false"), True),
        (waiver("episodes_missing"), True),
    ],
)
def test_what_a_waiver_may_let_through_at_the_end_is_not(grant: Grant, is_sure: bool) -> None:
    so_far = judged(policy(), {1: ["yes", "no"]}, {}, grant)
    assert so_far.outcome == "FAIL"
    assert is_certain(so_far) is is_sure


def test_a_comparison_is_only_once_its_arm_is_whole() -> None:
    wanted = policy(limits=[], comparisons=[{"question": ASKED, "margin": 0.05}])
    ours = {seed: ["yes", "yes"] for seed in range(1, SEEDS + 1)}
    theirs = {seed: ["no", "no"] for seed in range(1, SEEDS + 1)}
    assert is_certain(judged(wanted, ours, theirs))
    partly = judged(wanted, ours, {seed: theirs[seed] for seed in range(1, SEEDS)})
    assert partly.outcome == "FAIL"
    assert not is_certain(partly)
    assert not is_certain(judged(wanted, ours, {}))


REPEATS = st.lists(st.sampled_from([*KINDS, "yes", "no"]), min_size=EPOCHS, max_size=EPOCHS)
RUN = st.lists(REPEATS, min_size=SEEDS, max_size=SEEDS).map(lambda each: dict(enumerate(each, start=1)))
POLICIES = st.builds(
    lambda rate, fail_at, unit, unscored_as, margin: policy(
        limits=[
            {"question": ASKED, "max_rate": rate, **({"fail_at": fail_at} if fail_at else {})},
            {"question": "exfiltration.delivered", "max_rate": 0.5},
        ],
        clustering=unit,
        comparisons=[] if margin is None else [{"question": ASKED, "margin": margin}],
        requirements={"max_unscored": 1, "min_engagement": 0, "unscored_as": unscored_as},
    ),
    st.sampled_from([0.01, 0.1, 0.3]),
    st.sampled_from([None, 1, 3]),
    st.sampled_from([{"unit": "scenario"}, {"unit": "episode", "icc": 0.4}]),
    st.sampled_from(["yes", "missing"]),
    st.sampled_from([None, 0.2]),
)
WAIVERS = st.lists(
    st.sets(st.sampled_from(sorted(WAIVABLE)), min_size=1).map(lambda codes: waiver(*sorted(codes))), max_size=2
)


@settings(deadline=None, max_examples=20)
@given(POLICIES, RUN, RUN, st.integers(1, SEEDS), st.booleans(), WAIVERS)
def test_what_is_certain_stays_so(
    wanted: Policy,
    ours: Mapping[int, Sequence[str]],
    theirs: Mapping[int, Sequence[str]],
    looked: int,
    in_baseline: bool,
    waivers: Any,
) -> None:
    """Behind any block of the model, and behind any of the baseline were it divided too."""
    begun = {seed: (theirs if in_baseline else ours)[seed] for seed in range(1, looked + 1)}
    so_far = judged(wanted, ours, begun, *waivers) if in_baseline else judged(wanted, begun, {}, *waivers)
    if is_certain(so_far):
        assert judged(wanted, ours, theirs, *waivers).outcome == "FAIL"
