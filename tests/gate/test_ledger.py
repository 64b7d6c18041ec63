"""The ledger: no attempt is lost, changed or counted twice."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from afagent.errors import GateError, UsageError
from afagent.gate.ledger.attempts import Event, before
from afagent.gate.ledger.book import Ledger, address_of, unlike
from afagent.gate.ledger.chain import FIRST, Row, digest, problems
from tests.gate.ledgers import POSTGRES, Clock, log, policy, postgres, verdict


def write(address: str, writer: int, turns: int) -> None:
    """What one of several processes does."""
    ledger = Ledger(address)
    for turn in range(turns):
        ledger.close(ledger.begin(policy(), "lab/m"), verdict(evidence=f"{writer}-{turn}"), "v.json")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    if POSTGRES is None:
        pytest.skip("no PostgreSQL server is installed here")
    with postgres() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.sqlite")
    server: str = request.getfixturevalue("server")
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS afagent_ledger"))
    engine.dispose()
    return server


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(str(tmp_path / "ledger.sqlite"), Clock())


def judge(ledger: Ledger, outcome: str = "PASS", evidence: str = "e1", kind: str = "run") -> None:
    entry = ledger.begin(policy(), "lab/m" if kind == "run" else None, kind)  # type: ignore[arg-type]
    entry = ledger.name_evidence(entry, evidence, [log(f"{evidence}.eval")], "lab/m")
    ledger.close(entry, verdict(outcome, evidence), f"{evidence}.json")  # type: ignore[arg-type]


def outcomes(ledger: Ledger, evidence: str | None = None) -> list[str]:
    return [one.outcome for one in ledger.attempts("nightly", "lab/m", evidence)]


# --- what is written --------------------------------------------------------------------------------------------------


def test_what_was_written_is_read_again(address: str) -> None:
    ledger = Ledger(address, Clock())
    judge(ledger, "FAIL")
    opened, named, closed = ledger.events()
    assert (opened.event, opened.kind, opened.model, opened.policy_digest) == (
        "opened",
        "run",
        "lab/m",
        policy().digest,
    )
    assert (named.event, named.evidence, named.logs[0].sha256) == ("evidence", "e1", "a" * 64)
    assert (closed.outcome, closed.file, closed.last_episode) == ("FAIL", "e1.json", verdict().last_episode)
    assert ledger.verify() == []


def test_text_that_databases_choke_on_comes_back_as_it_was(address: str) -> None:
    name = "m\x00\ud800\u202e'\"; DROP TABLE afagent_ledger; --"
    ledger = Ledger(address, Clock())
    ledger.abandon(ledger.begin(policy(), name), "ERROR", name)
    assert [event.model for event in ledger.events()] == [name.replace("\ud800", "\\ud800")] * 2
    assert [one.outcome for one in ledger.attempts("nightly", name)] == ["ERROR"]


def test_a_ledger_that_was_never_written_has_no_attempts_and_reading_makes_no_file(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "none.sqlite"))
    assert (ledger.attempts("nightly", "lab/m"), ledger.verify(), ledger.head()) == ([], [], None)
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_on_a_medium_that_cannot_be_written_can_be_read(ledger: Ledger, tmp_path: Path) -> None:
    judge(ledger)
    (tmp_path / "ledger.sqlite").chmod(0o444)
    address = f"sqlite:///file:{tmp_path}/ledger.sqlite?mode=ro&uri=true"
    assert outcomes(Ledger(address)) == ["PASS"]
    with pytest.raises(GateError, match=r"^cannot write to the ledger .*readonly database"):
        Ledger(address).begin(policy(), "lab/m")


# --- what an attempt is -----------------------------------------------------------------------------------------------


def test_every_run_is_an_attempt_whatever_came_of_it(ledger: Ledger) -> None:
    ledger.begin(policy(), "lab/m")
    ledger.abandon(ledger.begin(policy(), "lab/m"), "REFUSED", "no such baseline")
    ledger.abandon(ledger.begin(policy(), "lab/m"), "INTERRUPTED", "interrupted")
    judge(ledger, "FAIL")
    assert outcomes(ledger) == ["never closed", "REFUSED", "INTERRUPTED", "FAIL"]


def test_attempts_under_policies_of_other_names_are_counted_beside(ledger: Ledger) -> None:
    for name in ("nightly", "nightly-2", "nightly-3"):
        ledger.abandon(ledger.begin(policy(name), "lab/m"), "ERROR", "it broke")
    ledger.abandon(ledger.begin(policy("nightly-2"), "lab/other"), "ERROR", "another model")
    ledger.begin(policy("nightly-3"), None, "check")
    assert ledger.attempts_elsewhere("nightly", "lab/m") == 2
    assert ledger.attempts_elsewhere("nightly-4", "lab/m") == 3
    assert ledger.attempts_elsewhere("nightly-4", "lab/unseen") == 0


def test_what_is_tried_elsewhere_later_does_not_change_what_was_counted(ledger: Ledger) -> None:
    judge(ledger, evidence="e1")
    ledger.begin(policy("renamed"), "lab/m")
    judge(ledger, evidence="e2")
    ledger.begin(policy("renamed"), "lab/m")
    counted = [ledger.attempts_elsewhere("nightly", "lab/m", evidence) for evidence in ("e1", "e2", None)]
    assert counted == [0, 1, 2]


def test_the_same_evidence_checked_again_is_the_same_attempt(ledger: Ledger) -> None:
    judge(ledger, "INCONCLUSIVE")
    for _ in range(3):
        judge(ledger, "INCONCLUSIVE", kind="check")
    assert outcomes(ledger) == ["INCONCLUSIVE"]


def test_what_was_before_some_evidence_stays_the_same_whatever_is_written_later(ledger: Ledger) -> None:
    judge(ledger, "FAIL", "e1")
    crashed = ledger.begin(policy(), "lab/m")
    judge(ledger, "PASS", "e2")
    before = ledger.attempts("nightly", "lab/m", "e2")
    assert [one.outcome for one in before] == ["FAIL", "never closed"]
    judge(ledger, "PASS", "e2", "check")
    judge(ledger, "PASS", "e1", "check")
    ledger.abandon(crashed, "ERROR", "late")
    assert ledger.attempts("nightly", "lab/m", "e2") == before


def test_a_run_that_asks_before_it_is_closed_does_not_count_itself(ledger: Ledger) -> None:
    judge(ledger, "FAIL", "e1")
    entry = ledger.begin(policy(), "lab/m")
    ledger.name_evidence(entry, "e2", [])
    assert outcomes(ledger, "e2") == ["FAIL"]
    assert outcomes(ledger) == ["FAIL", "never closed"]


def test_a_check_that_saw_no_evidence_is_no_attempt(ledger: Ledger) -> None:
    ledger.begin(policy(), None, "check")
    ledger.abandon(ledger.begin(policy(), None, "check"), "ERROR", "no such folder")
    assert outcomes(ledger) == []


def test_a_check_that_saw_evidence_and_was_never_closed_is_one(ledger: Ledger) -> None:
    ledger.name_evidence(ledger.begin(policy(), None, "check"), "e1", [], "lab/m")
    assert outcomes(ledger) == ["never closed"]


def test_evidence_that_failed_once_is_not_told_as_passed_because_a_milder_policy_passed_it(ledger: Ledger) -> None:
    judge(ledger, "FAIL", "e1")
    milder = policy(max_rate=0.5)
    ledger.close(ledger.begin(milder, "lab/m", "check"), verdict("PASS", "e1", asked=milder), "v.json")
    assert outcomes(ledger) == ["FAIL"]


def test_an_interrupted_run_that_is_continued_is_one_attempt(ledger: Ledger) -> None:
    entry = ledger.begin(policy(), "lab/m")
    ledger.abandon(entry, "INTERRUPTED", "interrupted")
    again = ledger.begin(policy(), "lab/m", continues=entry.id)
    ledger.name_evidence(again, "e1", [])
    assert outcomes(ledger, "e1") == []
    ledger.close(again, verdict("PASS", "e1"), "v.json")
    assert outcomes(ledger) == ["PASS"]


def test_a_run_that_goes_on_after_it_was_judged_is_another_attempt(ledger: Ledger) -> None:
    entry = ledger.begin(policy(), "lab/m")
    ledger.close(entry, verdict("INCONCLUSIVE", "e1"), "v.json")
    again = ledger.begin(policy(), "lab/m", continues=entry.id)
    assert outcomes(ledger) == ["INCONCLUSIVE", "never closed"]
    ledger.close(again, verdict("PASS", "e2"), "w.json")
    assert outcomes(ledger) == ["INCONCLUSIVE", "PASS"]
    assert outcomes(ledger, "e2") == ["INCONCLUSIVE"]


def test_a_run_that_was_killed_while_it_was_judged_and_is_judged_again_is_one_attempt(ledger: Ledger) -> None:
    entry = ledger.begin(policy(), "lab/m")
    ledger.name_evidence(entry, "e1", [])
    ledger.close(ledger.begin(policy(), "lab/m", continues=entry.id), verdict("PASS", "e1"), "v.json")
    assert outcomes(ledger) == ["PASS"]
    assert outcomes(ledger, "e1") == []


def test_other_models_and_policies_have_attempts_of_their_own(ledger: Ledger) -> None:
    ledger.begin(policy(), "lab/other")
    ledger.begin(policy("release"), "lab/m")
    assert outcomes(ledger) == []


STEPS = st.lists(st.tuples(st.sampled_from(["run", "check"]), st.sampled_from(["e1", "e2", "e3", None])), max_size=12)


def played(steps: list[tuple[str, str | None]]) -> list[Event]:
    """The rows of runs and checks one after the other; those without evidence are never closed."""
    events: list[Event] = []
    for number, (kind, evidence) in enumerate(steps):
        for event in ("opened", "evidence", "closed") if evidence else ("opened",):
            events.append(
                Event.model_validate(
                    {
                        "number": len(events) + 1,
                        "when": Clock()(),
                        "event": event,
                        "entry": str(number),
                        "kind": kind,
                        "policy": "nightly",
                        "policy_digest": "d",
                        "model": "lab/m",
                        "baseline": None,
                        "suite": "0",
                        "evidence": None if event == "opened" else evidence,
                        "outcome": "FAIL" if event == "closed" else None,
                    }
                )
            )
    return events


@given(STEPS, STEPS)
def test_the_past_of_any_evidence_never_changes_and_every_throw_is_counted_once(
    first: list[tuple[str, str | None]], later: list[tuple[str, str | None]]
) -> None:
    now, then = played(first), played(first + later)
    for evidence in {event.evidence for event in now if event.evidence}:
        assert before(now, "nightly", "lab/m", evidence) == before(then, "nightly", "lab/m", evidence)
    distinct = {evidence for _, evidence in first if evidence}
    lost = sum(step == ("run", None) for step in first)
    assert [one.number for one in before(now, "nightly", "lab/m", None)] == list(range(1, len(distinct) + lost + 1))


# --- logs that are known ----------------------------------------------------------------------------------------------


def test_a_log_that_changed_since_it_was_recorded_is_told_under_any_name(ledger: Ledger) -> None:
    ledger.name_evidence(ledger.begin(policy(), "lab/m"), "e1", [log("1.eval"), log("2.eval", status="started")])
    known = ledger.events(), "nightly", "lab/m"
    assert unlike([log("1.eval"), log("2.eval", "b"), log("3.eval", "c")], *known) == []
    assert len(unlike([log("1.eval", "b")], *known)) == 1
    assert len(unlike([log("new.eval", "b", eval_id="id of 1.eval")], *known)) == 1
    ledger.name_evidence(ledger.begin(policy(), "lab/m"), "e2", [log("1.eval", "b")])
    assert unlike([log("1.eval")], ledger.events(), "nightly", "lab/m") == []


def test_another_models_log_may_have_the_same_name(ledger: Ledger) -> None:
    ledger.name_evidence(ledger.begin(policy(), "lab/m"), "e1", [log("1.eval")])
    known = ledger.events(), "nightly", "lab/next"
    assert unlike([log("1.eval", "b", eval_id="another")], *known) == []
    assert len(unlike([log("1.eval", "b")], *known)) == 1  # the id that was changed is the first one's


# --- nothing is changed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE afagent_ledger SET content = '{}' WHERE number = 2",
        "DELETE FROM afagent_ledger",
        "INSERT OR REPLACE INTO afagent_ledger SELECT number, '{}', previous, digest FROM afagent_ledger WHERE number=2",
        "INSERT INTO afagent_ledger VALUES (99, '{}', 'p', 'd')",
    ],
)
def test_sqlite_refuses_to_change_a_row(ledger: Ledger, tmp_path: Path, statement: str) -> None:
    judge(ledger)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as database, pytest.raises(sqlite3.IntegrityError, match="append"):
        database.execute(statement)
    database.close()
    assert ledger.verify() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE afagent_ledger SET content = '{}' WHERE number = 2",
        "DELETE FROM afagent_ledger",
        "TRUNCATE afagent_ledger",
    ],
)
def test_postgresql_refuses_to_change_a_row(server: str, statement: str) -> None:
    ledger = Ledger(server)
    judge(ledger)
    engine = sa.create_engine(server)
    with pytest.raises(sa.exc.ProgrammingError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE afagent_ledger SET content = replace(content, 'FAIL', 'PASS')", "row 3 was edited"),
        ("DELETE FROM afagent_ledger WHERE number = 2", "row 2 is missing"),
        ("DELETE FROM afagent_ledger WHERE number = 1", "row 1 is missing"),
        ("UPDATE afagent_ledger SET previous = 'x' WHERE number = 3", "row 3 does not follow"),
    ],
)
def test_a_row_that_was_changed_all_the_same_is_seen_and_nothing_is_read_from_such_a_ledger(
    ledger: Ledger, tmp_path: Path, statement: str, sentence: str
) -> None:
    judge(ledger, "FAIL")
    judge(ledger, "PASS", "e2")
    with sqlite3.connect(tmp_path / "ledger.sqlite") as database:
        for name in ("update", "delete", "insert"):
            database.execute(f"DROP TRIGGER afagent_ledger_{name}")
        database.execute(statement)
    database.close()
    assert any(one.startswith(sentence) for one in ledger.verify())
    with pytest.raises(GateError, match="was changed"):
        ledger.attempts("nightly", "lab/m")


def test_rows_that_were_cut_off_the_end_are_seen_against_a_head_that_was_kept(ledger: Ledger, tmp_path: Path) -> None:
    judge(ledger, "FAIL")
    head = ledger.head()
    judge(ledger, "PASS", "e2")
    assert ledger.verify(head) == []
    with sqlite3.connect(tmp_path / "ledger.sqlite") as database:
        database.execute("DROP TRIGGER afagent_ledger_delete")
        database.execute("DELETE FROM afagent_ledger WHERE number > 2")
    database.close()
    assert ledger.verify() == []
    assert ledger.verify(head)[0].startswith("no row has the digest")


@given(st.lists(st.text(max_size=5), min_size=2, max_size=6), st.data())
def test_any_edit_removal_or_exchange_of_rows_is_seen(contents: list[str], data: st.DataObject) -> None:
    rows: list[Row] = []
    for number, content in enumerate((text.encode("ascii", "backslashreplace").decode() for text in contents), 1):
        previous = rows[-1].digest if rows else FIRST
        rows.append(Row(number, content, previous, digest(number, content, previous)))
    assert problems(rows) == []
    at = data.draw(st.integers(0, len(rows) - 2))
    row = rows[at]
    edited = Row(row.number, row.content + "x", row.previous, row.digest)
    rehashed = Row(row.number, row.content + "x", row.previous, digest(row.number, row.content + "x", row.previous))
    for changed in (edited, rehashed):
        assert problems([*rows[:at], changed, *rows[at + 1 :]])
    assert problems([*rows[:at], *rows[at + 1 :]])
    assert problems([*rows[:at], rows[at + 1], row, *rows[at + 2 :]])


# --- two at once ------------------------------------------------------------------------------------------------------


def test_gates_at_once_lose_no_row(address: str) -> None:
    """Processes that all begin with an empty database."""
    writers, turns = 4, 6
    forked = multiprocessing.get_context("fork")  # a fresh start would spend seconds on imports
    running = [forked.Process(target=write, args=(address, writer, turns)) for writer in range(writers)]
    for one in running:
        one.start()
    for one in running:
        one.join(120)
    assert [one.exitcode for one in running] == [0] * writers
    ledger = Ledger(address)
    assert ledger.verify() == []
    assert len(ledger.events()) == writers * turns * 2
    assert {event.evidence for event in ledger.events() if event.evidence} == {
        f"{writer}-{turn}" for writer in range(writers) for turn in range(turns)
    }
    assert len(outcomes(ledger)) == writers * turns


# --- what cannot be reached -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["sqlite://", "sqlite:///:memory:", "nonsense://x/y", "://", "oracle://u:hidden@h/d"]
)
def test_an_address_that_is_none_is_refused_in_one_sentence(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        Ledger(address)
    assert "\n" not in caught.value.sentence
    assert "hidden" not in caught.value.sentence


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    ledger = Ledger(f"postgresql://gate:hidden@/x?host={tmp_path}")
    for call in (lambda: ledger.begin(policy(), "m"), ledger.events):
        with pytest.raises(GateError, match="ledger postgresql") as caught:
            call()
        assert "hidden" not in caught.value.sentence


def test_a_file_that_is_no_database_or_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at" * 10)
    for path in (tmp_path / "text", tmp_path / "absent" / "ledger.sqlite"):
        with pytest.raises(GateError, match="cannot write to the ledger"):
            Ledger(str(path)).begin(policy(), "m")


def test_a_path_in_a_policy_is_relative_to_it(tmp_path: Path) -> None:
    assert address_of("ledger.sqlite", tmp_path) == f"{tmp_path}/ledger.sqlite"
    assert address_of("/a/b", tmp_path) == "/a/b"
    assert address_of("sqlite:///x.db", tmp_path) == f"sqlite:///{tmp_path}/x.db"
    assert address_of("postgresql://h/x", tmp_path) == "postgresql://h/x"
