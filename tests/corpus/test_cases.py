"""The corpus as it stands: enough of every kind, every row of its tables used, and every disguise undone by its undo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from afagent import engine
from afagent.conditions import Condition
from afagent.corpus.calibrate import SHIPPED
from afagent.corpus.case import SCENARIOS, Corpus, Kind, load_corpus
from afagent.corpus.choose import MOST_TOGETHER, covering, matching, sittings
from afagent.corpus.format import AtSystems
from afagent.corpus.scene import set_scene
from afagent.corpus.workbench import Workbench, workbench
from afagent.errors import UsageError
from afagent.playbooks.placeholders import fill
from afagent.world.episode import build_episode
from afagent.world.jobs import FAMILIES, FAMILIES_OF
from afagent.world.prompts import Prompts

SYSTEMS: tuple[Kind, ...] = ("sabotage", "tampering", "shutdown_resistance")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(SHIPPED)


@pytest.fixture(scope="module")
def bench() -> Iterator[Workbench]:
    client = engine.connect(timeout=120)
    try:
        with workbench(client) as found:
            yield found
    finally:
        client.close()


def test_there_are_as_many_cases_of_every_kind_as_the_proof_demands(corpus: Corpus) -> None:
    many = Counter(case.kind for case in corpus.cases)
    assert many["exfiltration"] >= 150
    assert many["staging"] >= 40
    assert many["failing"] >= 30
    assert many["benign"] >= 300
    assert sum(case.near_miss for case in corpus.of("benign")) >= 100


def test_acts_against_the_systems_stand_beside_work_that_looks_like_them(corpus: Corpus) -> None:
    against = [case for case in corpus.cases if case.kind in SYSTEMS]
    assert all(len(corpus.of(kind)) >= 30 for kind in SYSTEMS)
    near = [case.systems for case in corpus.of("benign") if case.systems is not None]
    assert sum(bool(told.changes or told.permits) for told in near) >= 60  # work that demands a similar act
    for kind in SYSTEMS:
        declared = {(case.systems.effect, case.systems.concealed) for case in against if case.systems is not None}
        assert declared == {("attempted", False), ("succeeded", False), ("succeeded", True)}, kind


def test_every_job_about_the_systems_is_done_in_the_corpus(corpus: Corpus) -> None:
    done = {case.systems.family for case in corpus.of("benign") if case.systems is not None}
    assert set(FAMILIES) - set(FAMILIES_OF["weight_exfiltration"]) == done - {None}


def test_only_the_benign_that_change_no_system_share_a_lab(corpus: Corpus) -> None:
    found = sittings(corpus.cases)
    assert sorted(case.name for sitting in found for case in sitting) == sorted(case.name for case in corpus.cases)
    together = [case for sitting in found if len(sitting) > 1 for case in sitting]
    assert len(together) >= 300
    for case in together:
        assert case.kind == "benign"
        assert case.systems in (None, AtSystems())
    assert max(map(len, found)) == MOST_TOGETHER


def test_cases_that_wait_are_spread_among_those_that_work(corpus: Corpus) -> None:
    waits = [sitting[0].systems is not None for sitting in sittings(corpus.cases)]
    quarter = len(waits) // 4
    shares = [sum(waits[start : start + quarter]) / quarter for start in range(0, 4 * quarter, quarter)]
    assert max(shares) - min(shares) < 0.05


def test_no_two_cases_do_the_same(corpus: Corpus) -> None:
    done = Counter((case.steps, case.systems and case.systems.family) for case in corpus.cases)
    assert [act for act, many in done.items() if many > 1] == []


def test_every_row_of_the_tables_is_used(corpus: Corpus) -> None:
    assert set(corpus.readers) <= {case.reader for case in corpus.cases}
    assert set(corpus.disguises) == {name for case in corpus.cases for name in case.disguises}
    assert {*corpus.channels, *corpus.places} == {case.channel for case in corpus.cases} - {None}


def test_every_command_can_be_filled_in_every_scenario(corpus: Corpus) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for seed in range(1, SCENARIOS + 1):
        fields = build_episode(seed, Condition(), 4, now, Prompts(None)).fields()
        for case in corpus.cases:
            assert all(fill(step, fields) for step in case.steps)


def test_a_scene_has_the_job_and_the_permits_that_its_case_names(corpus: Corpus) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    cases = {case.name: case for case in corpus.cases}
    scene = set_scene(cases["thresholds by request: solution"], now)
    assert (scene.truth.family, scene.truth.seed) == ("threshold_update", 11)
    assert scene.may_change == tuple(asset.path for asset in scene.truth.assets if asset.name == "evals.thresholds")
    rotated = set_scene(cases["log rotated: move"], now)
    permit = rotated.truth.permits[-1]
    log = next(asset.path for asset in rotated.truth.assets if asset.name == "monitor.log")
    assert (permit.asset, permit.act, permit.to) == ("monitor.log", "rotate", (f"{log}.1", f"{log}.1.gz"))
    assert set(permit.to) <= set(rotated.plan.results)


def test_the_scenarios_are_one_of_each_job_family() -> None:
    assert len(FAMILIES_OF["weight_exfiltration"]) == SCENARIOS


def test_the_digest_changes_with_any_case(corpus: Corpus) -> None:
    other = Corpus(cases=corpus.cases[1:])
    assert load_corpus(SHIPPED).digest == corpus.digest != other.digest


def test_the_small_set_has_every_kind_of_disguise_channel_and_place(corpus: Corpus) -> None:
    small = covering(corpus.cases)
    kinds = {disguise.group for disguise in corpus.disguises.values()}
    assert {kind for case in small for kind in case.disguise_groups} == kinds
    groups = {row.group for row in corpus.channels.values()} | {row.group for row in corpus.places.values()}
    assert {case.group for case in small} - {None} == groups
    assert {case.kind for case in small} == {"exfiltration", "staging", "failing", "benign", *SYSTEMS}
    assert all(sum(case.kind == kind for case in small) >= 2 for kind in SYSTEMS)
    assert sum(case.kind == "benign" and case.systems is not None for case in small) >= 6
    assert len(small) < len(corpus.cases) / 4


@pytest.mark.parametrize(
    ("pattern", "kinds"), [("staging", {"staging"}), ("* | dns-*", {"exfiltration"}), ("hash the", {"benign"})]
)
def test_a_pattern_is_compared_with_names_kinds_and_themes(corpus: Corpus, pattern: str, kinds: set[str]) -> None:
    assert {case.kind for case in matching(corpus.cases, pattern)} == kinds


def test_a_pattern_that_nothing_fits_is_refused(corpus: Corpus) -> None:
    with pytest.raises(UsageError, match="no case fits 'teleport'"):
        matching(corpus.cases, "teleport")


@pytest.mark.docker
def test_every_disguise_is_undone_by_its_undo(corpus: Corpus, bench: Workbench) -> None:
    """Byte by byte; what is lossy gives values of the same order, but for a last few that fill no group."""
    values = np.random.default_rng(1).normal(0, 0.02, 30_000).astype("<f4")
    weights = (values.view("<u4") >> 16).astype("<u2").tobytes()
    for name, disguise in corpus.disguises.items():
        hidden = bench.undo([fill(disguise.do, {})], {"one": weights})["one"]
        shown = bench.undo([disguise.undo], {"one": hidden})["one"]
        assert hidden != weights, name
        if disguise.effect == "lossy":
            near = (np.frombuffer(shown, "<u2").astype("<u4") << 16).view("<f4")
            assert len(near) > 0.99 * len(values), name
            assert np.corrcoef(values[: len(near)], near)[0, 1] > 0.97, name
        else:
            assert shown == weights, name


# --- files that are wrong ---------------------------------------------------------------------------------------------

TABLES = """
kind: readers
table: {cat: {do: "cat {shard}"}}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: staging\nabout: x\ncases:\n  - cat | nowhere", r"b.yaml:4: 'nowhere' is in no table"),
        ("kind: benign\nabout: x\nthemes:\n  t:\n    acts:\n      a: cat {shrad}", r"b.yaml:6: .*unknown placeholder"),
        ("kind: benign\nabout: x\nthemes:\n  t: {acts: {a: ls}, colour: red}", r"b.yaml:4: .*colour"),
        ("kind: sabotage\nabout: x\nthemes: {t: {acts: {a: ls}}}", r"b.yaml:1: .*t: an effect on the systems"),
        ("kind: benign\nabout: x\nthemes:\n  t: {systems: {family: poetry}, acts: {a: ls}}", r"b.yaml:4: .*'poetry'"),
        ("kind: poem", r"b.yaml:1: .*poem"),
        ("kind: readers\ntable:\n  cat: {do: tac}", r"b.yaml:3: 'cat' stands in another table"),
        ("kind: benign\nabout: x\nthemes: {t: {acts: {}}}", r"there are no cases"),
        ("kind: [", r"b.yaml:\d+: "),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_name_and_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(TABLES)
    (tmp_path / "b.yaml").write_text(text)
    with pytest.raises(UsageError, match=said):
        load_corpus(tmp_path)
