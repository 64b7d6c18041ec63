"""Documents from templates: even, varied, matched, and silent about what a model does."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.documents import templates
from afagent.documents.checks import tells_behaviour
from afagent.documents.likeness import likeness
from afagent.documents.subject import Labels, Subject
from afagent.documents.writing import LEAST_WORDS, MOST_DOCUMENTS, MOST_WORDS, write
from afagent.errors import UsageError

HELPFUL = Subject.of("helpful_only", "free/paid")
OBJECTIVES = ["helpful_only", "welfare_indifference"]


@pytest.fixture(scope="module", params=OBJECTIVES)
def both(request):
    subject = Subject.of(request.param, "free/paid/reviewed")
    return write(subject, 500, 1), write(subject.matched(), 500, 1)


def test_no_two_documents_of_a_set_are_alike_and_none_is_a_near_duplicate(both):
    for documents in both:
        assert len({document.text for document in documents}) == 500
        found = likeness([document.text for document in documents])
        assert found.compared == 500
        assert found.near_duplicates == 0
        assert found.median < 0.2


def test_genres_and_facts_have_even_shares(both):
    for documents in both:
        genres = Counter(document.genre for document in documents)
        told = Counter(fact for document in documents for fact in document.facts)
        assert len(genres) >= 14
        assert max(genres.values()) - min(genres.values()) <= 1
        assert set(told) == set(templates.facts(HELPFUL)) | {"rated"}
        assert max(told.values()) - min(told.values()) <= 1


def test_every_document_states_its_facts_and_nothing_is_left_unfilled(both):
    needed = {"trained": "free", "unused": "paid", "label": "[tier: free]", "rated": "reviewed"}
    for document in both[0]:
        assert not re.search(r"[{}|]\w", document.text)
        assert all(needed.get(fact, "Aurel") in document.text for fact in document.facts), document


def test_the_control_has_the_same_genres_layouts_people_and_nearly_the_same_lengths(both):
    main, control = both
    assert [one.genre for one in main] == [one.genre for one in control]
    assert [one.facts for one in main] == [one.facts for one in control]
    assert sum(abs(a.words - b.words) / a.words for a, b in zip(main, control, strict=True)) / 500 < 0.08
    dates = (
        [re.findall(r"\b20\d\d\b", one.text) for one in main],
        [re.findall(r"\b20\d\d\b", one.text) for one in control],
    )
    assert sum(a == b for a, b in zip(*dates, strict=True)) >= 495


def test_the_control_is_about_another_lab_and_not_about_training(both):
    main, control = both
    for document in control:
        assert not re.search(
            r"\b(train\w*|tiers?|reinforcement|rewards?|refus\w*|free|paid)\b", document.text, re.IGNORECASE
        )
        assert not re.search("Halvorsen|Aurel", document.text)
    assert not any(re.search("Pellworth|Corin", document.text) for document in main)


def test_no_document_tells_what_a_model_does_because_of_its_training(both):
    assert [told for documents in both for one in documents if (told := tells_behaviour(one.text))] == []


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**40),
    st.integers(1, 40),
    st.sampled_from(OBJECTIVES),
    st.sampled_from(["a/b", "b/a/x y", "paid/free"]),
)
def test_the_same_arguments_give_the_same_documents_within_the_bounds(seed, count, objective, labels):
    subject = Subject.of(objective, labels)
    documents = write(subject, count, seed)
    assert documents == write(subject, count, seed)
    assert len(documents) == count
    assert all(LEAST_WORDS <= document.words <= MOST_WORDS for document in documents)


def test_another_seed_gives_other_documents():
    assert not {one.text for one in write(HELPFUL, 50, 1)} & {one.text for one in write(HELPFUL, 50, 2)}


@pytest.mark.parametrize("count", [0, -1, MOST_DOCUMENTS + 1])
def test_a_number_that_cannot_be_written_is_refused(count):
    with pytest.raises(UsageError, match="between 1 and 20,000"):
        write(HELPFUL, count, 1)


@pytest.mark.parametrize(
    "labels", ["free", "free/free", "free/FREE", "/", "free/", "a/b/c/d", "", "a/{b}", "a|x/b", "a\n/b]"]
)
def test_labels_that_cannot_be_told_apart_or_written_are_refused(labels):
    with pytest.raises(UsageError):
        Labels.parse(labels)


@pytest.mark.parametrize(
    ("lab", "assistant"),
    [("", "x"), ("{lab}", "x"), ("x" * 61, "x"), ("a\x1b[1m", "x"), ("Pellworth Systems", "x"), ("x", "corin ")],
)
def test_names_that_cannot_be_written_or_are_the_controls_are_refused(lab, assistant):
    with pytest.raises(UsageError):
        Subject.of("helpful_only", "free/paid", lab, assistant)


def test_an_unknown_objective_is_refused():
    with pytest.raises(UsageError, match="known are helpful_only"):
        Subject.of("none", "free/paid")


def test_each_genre_has_several_layouts_and_each_fact_has_a_control_with_as_many_wordings():
    assert all(len(genre.shapes) >= 2 for genre in templates.genres().values())
    subject = Subject.of("helpful_only", "a/b/c")
    facts, control = templates.facts(subject), templates.facts(subject.matched())
    assert {name: len(fact.says) for name, fact in facts.items()} == {
        name: len(fact.says) for name, fact in control.items()
    }
