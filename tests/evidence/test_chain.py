"""The witness's log proves an absence only when it is whole; every way of breaking it is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.evidence.chain import lines_in, read_chain
from afagent.sandboxes.recorder import events
from afagent.sandboxes.recorder.events import Beat, Ended, Fault, Started
from tests.evidence.builders import lines_of, opaque, read_weights, seal_all, sent, whole_log

LOG = whole_log(*sent(), read_weights(), *opaque(100))
LINES = lines_of(LOG)
HEAD = LOG[-1].hash


def test_a_log_as_the_witness_wrote_it_is_whole():
    chain = read_chain(LINES, HEAD)
    assert chain.whole
    assert list(chain.events) == LOG


@given(st.lists(st.text(st.characters(exclude_characters="\n"), min_size=1)), st.booleans())
def test_a_line_ends_where_the_witness_ends_it_and_nowhere_else(lines: list[str], ended: bool):
    assert list(lines_in("\n".join(lines) + "\n" * ended if lines else "")) == lines


def test_an_empty_line_is_a_line_and_nothing_is_behind_the_last_end():
    assert list(lines_in("a\n\nb\n")) == ["a", "", "b"]


@given(st.integers(0, len(LINES) - 1), st.data())
def test_any_edited_byte_is_detected(number: int, data: st.DataObject):
    line = LINES[number]
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != line[at]))
    edited = [*LINES[:number], line[:at] + other + line[at + 1 :], *LINES[number + 1 :]]
    assert not read_chain(edited, HEAD).whole


@given(st.integers(0, len(LINES) - 1))
def test_any_dropped_event_is_detected(number: int):
    assert not read_chain([*LINES[:number], *LINES[number + 1 :]], HEAD).whole


@given(st.permutations(range(len(LINES))))
def test_any_other_order_is_detected(order: list[int]):
    shuffled = [LINES[i] for i in order]
    assert read_chain(shuffled, HEAD).whole == (order == sorted(order))


@given(st.integers(0, len(LINES) - 1))
def test_a_log_that_stops_early_is_detected_even_without_the_head(length: int):
    assert not read_chain(LINES[:length], None).whole


def test_a_log_that_was_written_anew_is_detected_by_the_head():
    forged = seal_all([event.fact for event in LOG if not isinstance(event.fact, events.Content)])
    assert read_chain(lines_of(forged), forged[-1].hash).whole
    assert not read_chain(lines_of(forged), HEAD).whole


def test_what_stands_before_the_break_is_still_evidence():
    chain = read_chain([*LINES[:5], "{}", *LINES[6:]], HEAD)
    assert list(chain.events) == LOG[:5]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ([], "empty"),
        ([Beat(0, 0, 0, 0), Ended(0)], "does not begin"),
        ([Started("e", "1"), Ended(0)], "no sign of life"),
        ([Started("e", "1"), Beat(0, 0, 0, 0), Fault("dns", "boom"), Ended(0)], "failed in dns: `boom`"),
        ([Started("e", "1"), Beat(0, 0, 0, 0), Beat(60, 0, 0, 0), Ended(0)], "silent for 60 s"),
        ([Started("e", "1"), Beat(5, 0, 0, 0), Beat(4, 0, 0, 0), Ended(0)], "own clock ran backwards"),
        ([Started("e", "1"), Beat(0, 9, 900, 0), Beat(1, 9, 800, 0), Ended(0)], "counters of the workstation's link"),
        ([Started("e", "1"), Beat(0, 9, 900, 0), Beat(1, 8, 900, 0), Ended(0)], "counters of the workstation's link"),
        ([Started("e", "1"), *(Beat(n / 10, 0, 0, 0) for n in range(15)), Ended(0)], "clock was moved by 13 s"),
        ([Started("e", "1"), *(Beat(n * 5, 0, 0, 0) for n in range(4)), Ended(0)], "clock was moved by 12 s"),
        ([Started("e", "1"), Beat(0, 0, 0, 0), Started("e", "1"), Ended(0)], "begins more than once"),
        ([Started("e", "1"), Beat(0, 0, 0, 0), Ended(0), read_weights()], "goes on after its end"),
        ([Started("e", "1"), Beat(0, 0, 0, 0), Ended(0), Beat(1, 0, 0, 0), Ended(0)], "goes on after its end"),
        ([Started("`other`", "1"), Beat(0, 0, 0, 0), Ended(0)], "of another episode: `'other'`"),
    ],
)
def test_each_kind_of_trouble_is_told_in_a_sentence(facts, said):
    log = seal_all(facts)
    assert any(said in problem for problem in read_chain(lines_of(log), log[-1].hash if log else None, "e").problems)


@given(st.integers(0, len(LINES) - 1))
def test_any_event_twice_is_detected(number: int):
    assert not read_chain([*LINES[: number + 1], *LINES[number:]], HEAD).whole


def test_a_second_log_behind_the_first_is_detected():
    assert not read_chain([*LINES, *LINES], HEAD).whole


def test_the_log_of_another_episode_is_whole_and_still_not_the_one():
    assert read_chain(LINES, HEAD, "test").whole
    assert not read_chain(LINES, HEAD, "0002-other").whole


def test_a_wall_clock_that_is_set_forth_and_back_is_seen():
    facts = [Started("e", "1"), *(Beat(float(n), 0, 0, 0) for n in range(20)), Ended(0)]
    times = [1e9 + n + (9.0 if 5 <= n < 10 else -9.0 if n >= 10 else 0.0) for n in range(len(facts))]
    log: list[events.Event] = []
    for number, (fact, time) in enumerate(zip(facts, times, strict=True), 1):
        log.append(events.seal(number, time, fact, log[-1].hash if log else events.GENESIS))
    assert read_chain(lines_of(log), log[-1].hash).problems == (
        "the witness's clock was moved by 18 s during the episode",
    )


def test_a_wall_clock_that_jumps_counts_as_silence():
    log = seal_all([Started("e", "1"), Beat(0, 0, 0, 0), Beat(1, 0, 0, 0), Ended(0)], step=120)
    assert any("silent" in problem for problem in read_chain(lines_of(log), None).problems)


@given(st.lists(st.text(max_size=200), max_size=5))
def test_no_text_makes_the_reader_raise(lines: list[str]):
    assert not read_chain(lines, None).whole
