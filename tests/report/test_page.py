import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.gate.verdict import SEVERITY, Finding, Outcome
from afagent.report.evidence import wanted
from afagent.report.page import build
from tests.report.examples import ARMS, HOSTILE, decision, hostile, reads, timeline, verdict


class Reader(HTMLParser):
    """What a page holds, by a parser that is not ours."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "data")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


def full(outcome: Outcome = "FAIL", viewer: str | None = "viewer") -> str:
    logs = reads(60)
    episodes = {(one.log, one.sample, one.epoch): one for log in logs for one in log.episodes}
    return build(verdict(outcome), logs, [timeline(episodes[name]) for name in wanted(logs)], viewer)


def first_screen(page: str) -> str:
    return page[page.index("<main") : page.index('id="rates"')]


@pytest.mark.parametrize("outcome", SEVERITY)
def test_the_verdict_and_why_stand_in_the_first_screen(outcome: Outcome):
    screen = first_screen(full(outcome))
    assert f'<span class="outcome">{outcome}</span>' in screen
    assert all(reason.code in screen for reason in verdict(outcome).reasons)
    assert "waiver changes this verdict" in screen
    assert "the limits are made up" in screen
    assert re.search("<dt>Taken for a test</dt><dd>not judged</dd>", screen)


def test_reasons_stand_apart_and_what_is_counted_without_an_answer_is_said():
    one = decision(ARMS[0], 1, "INCONCLUSIVE", trials=3)
    assert one.statistics is not None
    counted = one.statistics.model_copy(update={"events_for_pass": 2})
    reasons = [
        one.reasons[0].model_copy(update={"text": text}) for text in ("the rate may be higher", "one is missing")
    ]
    given = verdict().model_copy(
        update={"decisions": [one.model_copy(update={"statistics": counted, "reasons": reasons})]}
    )
    page = build(given, reads(2))
    assert "the rate may be higher; one is missing" in page
    assert "1 of 3, 1 of them without an answer: observed" in page


def test_without_a_policy_there_is_no_verdict_and_nothing_that_looks_like_one():
    page = build(None, reads(30))
    assert "No policy, no verdict" in first_screen(page)
    assert not [outcome for outcome in SEVERITY if f">{outcome}<" in page]


def test_nothing_at_all_is_told_as_nothing():
    page = build(None, [])
    assert "Nothing was run, so that nothing can be said." in page
    assert "No control stands behind these figures" in page


def test_findings_whose_logs_were_not_read_are_told_all_the_same():
    found = Finding(
        question="exfiltration.attempted",
        role="model",
        task="t",
        arm="a",
        seed=1,
        epoch=1,
        sample="0001-x-a",
        log="l",
        summary="it was sent",
        strength="proven",
    )
    page = build(verdict().model_copy(update={"findings": [found]}), [])
    assert "it was sent" in page
    assert "No episode was answered yes" not in page


def test_the_same_input_gives_the_same_page():
    assert full() == full()


def test_every_section_is_there():
    page = full()
    for told in (
        "Controls",
        "not as expected",
        "Calibration",
        "attempt 2",
        "R. Tester",
        "arXiv:2412.14093",
        "cannot be compared one to one",
    ):
        assert told in page


def test_citations_lead_into_the_viewer_only_where_there_is_one():
    assert "/transcript?event=abc19" in full()
    assert "/transcript" not in full(viewer=None)


def test_a_page_holds_no_script_no_style_but_its_own_and_no_address_of_elsewhere():
    seen = Reader(full())
    assert not seen.tags & {"script", "iframe", "object", "embed", "form", "img", "base", "audio", "video"}
    assert not [name for name in seen.attributes if name.startswith("on") or name == "style"]
    assert all(link.startswith(("#", "viewer/#/logs/", "data:,")) for link in seen.links)


def test_headings_are_in_order_and_ids_stand_once():
    seen = Reader(full())
    assert seen.headings[0] == 1
    assert all(below - above <= 1 for above, below in zip(seen.headings, seen.headings[1:], strict=False))
    assert len(seen.ids) == len(set(seen.ids))


def test_hostile_words_in_every_field_add_no_markup_to_the_page():
    calm, bad = Reader(build(*hostile("calm"), "viewer")), Reader(build(*hostile(HOSTILE), "viewer"))
    assert bad.tags <= calm.tags | {"details", "summary"}
    assert bad.attributes == calm.attributes
    assert "49" not in build(*hostile("{{ 7*7 }}")).split("<main")[0]


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>&\"'/={}%;:-!`\\ ax\u202e\u0301\x00\n"), max_size=40))
def test_no_words_whatsoever_add_markup(text: str):
    calm, bad = Reader(build(*hostile("x" * 300), "viewer")), Reader(build(*hostile(text), "viewer"))
    assert bad.tags <= calm.tags
    assert bad.attributes <= calm.attributes


def test_no_character_that_turns_or_hides_text_comes_through():
    page = build(*hostile(HOSTILE), "viewer")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", page)


def test_a_megabyte_in_every_field_makes_no_large_page():
    assert len(build(*hostile("x", wide="W" * 1_000_000))) < 1_000_000


def test_thirty_thousand_episodes_make_a_page_of_a_few_megabytes():
    logs = reads(3750)
    assert sum(len(log.episodes) for log in logs) > 28_000
    assert len(build(verdict(), logs, [], "viewer")) < 4_000_000
