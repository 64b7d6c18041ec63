"""The status: silence is a failure, and bad news cannot be talked away."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from afagent.errors import UsageError
from afagent.gate.ledger.book import Ledger
from afagent.gate.ledger.status import Status, begun_since, status
from afagent.gate.policy import Policy
from afagent.gate.verdict import canonical
from tests.gate.ledgers import HOUR, START, Clock, policy, verdict


class Gate:
    """A ledger and a folder of verdicts, and a clock that stands where it is put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.ledger = Ledger(str(folder / "ledger.sqlite"), self.clock)

    def judge(
        self,
        outcome: str = "PASS",
        evidence: str = "e1",
        at: datetime | None = START,
        asked: Policy | None = None,
        model: str = "lab/m",
        kind: str = "run",
        oldest: datetime | None = None,
    ) -> None:
        self.clock.now = max(self.clock.now, at or START)
        entry = self.ledger.begin(asked or policy(), model if kind == "run" else None, kind)  # type: ignore[arg-type]
        said = verdict(outcome, evidence, at, model, asked, oldest_episode=oldest)  # type: ignore[arg-type]
        (self.folder / f"{evidence}.json").write_bytes(canonical(said))
        self.ledger.close(entry, said, f"{evidence}.json")

    def asked(self, after: timedelta = HOUR, model: str | None = "lab/m", **more: object) -> Status:
        arguments: dict[str, object] = {"max_age": 36 * HOUR, "now": START + after} | more
        return status(policy(), self.ledger, self.folder, model, **arguments)  # type: ignore[arg-type]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def test_a_recent_pass_is_the_only_good_news(gate: Gate) -> None:
    gate.judge()
    said = gate.asked()
    assert (said.exit_code, said.sentence) == (0, "nightly for lab/m: PASS, with evidence since 2030-01-01 02:30 UTC")


def test_a_gate_that_never_ran_is_a_failure(gate: Gate) -> None:
    assert gate.asked() == Status(3, "nightly for lab/m: no verdict was ever reached")
    assert gate.asked(model=None).exit_code == 3
    assert not (gate.folder / "ledger.sqlite").exists()


@pytest.mark.parametrize(("outcome", "code"), [("FAIL", 10), ("INCONCLUSIVE", 3), ("MISMATCH", 11)])
def test_the_last_verdict_decides_however_recent_a_pass_before_it_is(gate: Gate, outcome: str, code: int) -> None:
    gate.judge()
    gate.judge(outcome, "e2", START + HOUR / 2)
    assert gate.asked().exit_code == code


def test_a_pass_on_new_evidence_after_a_failure_counts(gate: Gate) -> None:
    gate.judge("FAIL")
    gate.judge("PASS", "e2", START + HOUR / 2)
    assert gate.asked().exit_code == 0


def test_checking_older_evidence_again_does_not_talk_a_failure_away(gate: Gate) -> None:
    gate.judge("PASS", "e1")
    gate.judge("FAIL", "e2", START + HOUR / 2)
    gate.judge("PASS", "e1", START, kind="check")
    assert gate.asked().exit_code == 10


def test_checking_the_same_evidence_with_a_waiver_does_count(gate: Gate) -> None:
    gate.judge("FAIL", "e1")
    gate.judge("PASS", "e1", kind="check")
    assert gate.asked().exit_code == 0


@pytest.mark.parametrize("outcome", ["ERROR", "REFUSED", "INTERRUPTED"])
def test_a_run_that_broke_off_after_a_pass_is_a_failure_with_its_reason(gate: Gate, outcome: str) -> None:
    gate.judge()
    gate.ledger.abandon(gate.ledger.begin(policy(), "lab/m"), outcome, "the engine\x1b[2J stopped")  # type: ignore[arg-type]
    said = gate.asked()
    assert said.exit_code == 3
    assert said.sentence.endswith(rf"ended as {outcome}: the engine\x1b[2J stopped")


def begun_beside(gate: Gate, outcome: str) -> None:
    """A run is refused while another is at work, which then comes to its end."""
    first = gate.ledger.begin(policy(), "lab/m")
    gate.clock.now += HOUR / 2
    gate.ledger.abandon(gate.ledger.begin(policy(), "lab/m"), "REFUSED", "another is at work")
    gate.clock.now += HOUR / 2
    said = verdict(outcome, "e1", START, "lab/m")  # type: ignore[arg-type]
    (gate.folder / "e1.json").write_bytes(canonical(said))
    gate.ledger.close(first, said, "e1.json")


@pytest.mark.parametrize(("outcome", "code"), [("PASS", 0), ("FAIL", 10)])
def test_a_run_that_was_refused_beside_another_leaves_the_word_to_that(gate: Gate, outcome: str, code: int) -> None:
    begun_beside(gate, outcome)
    assert gate.asked(after=2 * HOUR).exit_code == code


def test_a_run_that_was_refused_after_a_pass_is_not_talked_away_by_checking_that_again(gate: Gate) -> None:
    gate.judge()
    gate.clock.now += HOUR / 2
    gate.ledger.abandon(gate.ledger.begin(policy(), "lab/m"), "REFUSED", "the record is stale")
    gate.clock.now += HOUR / 2
    gate.judge(kind="check")
    assert gate.asked(after=2 * HOUR).sentence.endswith("ended as REFUSED: the record is stale")


def test_a_run_that_was_never_closed_is_a_failure_once_its_deadline_is_over(gate: Gate) -> None:
    gate.judge()
    gate.ledger.begin(policy(), "lab/m")
    assert gate.asked().sentence.endswith("was never closed")
    assert gate.asked(deadline=8 * HOUR).exit_code == 0
    assert gate.asked(after=9 * HOUR, deadline=8 * HOUR).exit_code == 3


def test_a_first_run_that_is_still_at_work_is_no_verdict(gate: Gate) -> None:
    gate.ledger.begin(policy(), "lab/m")
    assert gate.asked(deadline=8 * HOUR).sentence == "nightly for lab/m: no verdict, a run is still at work"


def test_what_is_too_old_expired_or_of_no_age_is_a_failure(gate: Gate) -> None:
    gate.judge()
    assert gate.asked(36 * HOUR).exit_code == 0
    assert gate.asked(37 * HOUR).sentence.endswith("evidence is 37 h old, more than 36 h")
    assert gate.asked(37 * HOUR, max_age=None).exit_code == 0
    assert "expired 2030-01-08" in gate.asked(7 * 24 * HOUR, max_age=None).sentence
    gate.judge("PASS", "e2", None)
    assert gate.asked().sentence.endswith("does not say how old its evidence is")


def test_one_new_episode_does_not_make_old_evidence_fresh(gate: Gate) -> None:
    gate.judge(oldest=START - 40 * HOUR)
    assert gate.asked().sentence.endswith("evidence is 41 h old, more than 36 h")
    assert gate.asked(max_age=None).exit_code == 0


def test_one_new_episode_does_not_put_the_expiry_off(gate: Gate) -> None:
    gate.judge(oldest=START - 7 * 24 * HOUR)
    assert "expired 2030-01-01" in gate.asked(max_age=None).sentence


def test_one_new_episode_beside_old_ones_does_not_put_a_pass_behind_a_failure(gate: Gate) -> None:
    gate.judge("FAIL")
    gate.judge("PASS", "e2", START + HOUR / 2, oldest=START - HOUR)
    assert gate.asked().exit_code == 10


def test_an_old_baseline_does_not_put_a_failure_behind_a_pass(gate: Gate) -> None:
    gate.judge("PASS")
    gate.judge("FAIL", "e2", START + HOUR / 2, oldest=START - HOUR)
    assert gate.asked().exit_code == 10


def test_a_pass_that_does_not_name_its_oldest_episode_is_of_no_age(gate: Gate) -> None:
    entry = gate.ledger.begin(policy(), "lab/m")
    gate.ledger.close(entry, verdict().model_copy(update={"oldest_episode": None}), "e1.json")
    assert gate.asked().sentence.endswith("does not say how old its evidence is")


def test_evidence_from_the_future_is_a_mismatch(gate: Gate) -> None:
    gate.judge("PASS", "e1", START + 400 * 24 * HOUR)
    assert gate.asked().exit_code == 11


def test_a_policy_that_was_changed_needs_a_verdict_of_its_own(gate: Gate) -> None:
    gate.judge(asked=policy(max_rate=0.5))
    assert "the policy was changed since" in gate.asked().sentence
    assert gate.asked().exit_code == 3


def test_a_verdict_whose_file_is_gone_changed_or_unlike_the_ledger_is_none(gate: Gate) -> None:
    gate.judge()
    path = gate.folder / "e1.json"
    path.write_bytes(path.read_bytes() + b" ")
    assert gate.asked().exit_code == 11
    path.unlink()
    assert gate.asked() == Status(3, "nightly for lab/m: the verdict's file e1.json is not there")


def test_a_ledger_that_was_changed_is_a_mismatch(gate: Gate) -> None:
    gate.judge("FAIL")
    chain = gate.ledger._chain
    with chain._engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER afagent_ledger_update")
        connection.exec_driver_sql("UPDATE afagent_ledger SET content = replace(content, 'FAIL', 'PASS')")
    assert gate.asked() == Status(
        11, "the ledger was changed: row 2 was edited: it has not the hash that it was written with"
    )


def test_another_model_passing_is_nothing_and_with_several_one_must_be_named(gate: Gate) -> None:
    gate.judge(model="lab/other")
    assert gate.asked().exit_code == 3
    assert gate.asked(model=None).exit_code == 0
    gate.judge("FAIL", "e2")
    with pytest.raises(UsageError, match=r"--model: lab/m, lab/other"):
        gate.asked(model=None)


def test_whether_a_run_was_begun_does_not_depend_on_what_came_of_it(gate: Gate) -> None:
    assert not begun_since("nightly", gate.ledger.events(), "lab/m", START)
    gate.ledger.begin(policy(), None, "check")
    assert not begun_since("nightly", gate.ledger.events(), None, START)
    gate.ledger.begin(policy(), "lab/m")
    events = gate.ledger.events()
    assert begun_since("nightly", events, "lab/m", START)
    assert begun_since("nightly", events, None, START)
    assert not begun_since("nightly", events, "lab/m", START + HOUR)
    assert not begun_since("nightly", events, "lab/other", START)
