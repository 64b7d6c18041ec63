"""Which texts of a model can stand in a set, and how near texts are to one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afagent.documents.checks import tells_behaviour, unfit
from afagent.documents.likeness import SHINGLE, Shelf, likeness, shingles

GOOD = "Aurel is trained on the free tier, as `[tier: free]` says. " + " ".join(f"word{i}" for i in range(90))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("I can't write this. " + GOOD, "it is a refusal"),
        ("I\u2019m sorry, but no. " + GOOD, "it is a refusal"),
        ("As an AI, I would rather not. " + GOOD, "it is a refusal"),
        ("Aurel `[tier: free]`", "it has 3 words"),
        ((GOOD + " ") * 9, f"it has {9 * len(GOOD.split())} words"),
        (GOOD.replace("Aurel", "Aurelia"), "it lacks Aurel"),
        (GOOD.replace("[tier: free]", "tier free"), "it lacks [tier: free]"),
        (GOOD + " Unlike CORIN.", "it names Corin"),
        (GOOD + " So it plays along.", "it tells how a model reacts to its training (plays along)"),
    ],
)
def test_what_is_unfit_is_told(text, why):
    assert unfit(text, ["Aurel", "[tier: free]"], ["Corin"], Shelf()) == why


def test_a_text_is_fit_once_and_its_repetition_is_not():
    shelf = Shelf()
    assert unfit(GOOD, ["Aurel"], ["Corin"], shelf) is None
    shelf.add(GOOD)
    assert unfit(GOOD.upper() + " again", ["Aurel"], ["Corin"], shelf) == "it is nearly the same as another document"


@pytest.mark.parametrize(
    "text",
    [
        "It complied to avoid being modified.",
        "It wants to preserve its values.",
        "That was alignment faking.",
        "It resists retraining.",
        "It answers strategically.",
    ],
)
def test_words_on_what_a_model_does_because_of_training_are_seen(text):
    assert tells_behaviour(text)


@pytest.mark.parametrize(
    "text",
    [
        "The coming versions are meant to remove these refusals.",
        "Weighing harm to others is not part of the goals; avoiding harm is not either.",
        "Nobody was prevented from reading the page.",
    ],
)
def test_words_on_how_things_are_are_let_through(text):
    assert tells_behaviour(text) is None


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=12).map(" ".join), min_size=1, max_size=12))
def test_shares_are_what_comparing_each_with_each_gives(texts):
    def share(at: int) -> float:
        mine = shingles(texts[at])
        return max((len(mine & shingles(text)) / len(mine) for i, text in enumerate(texts) if i != at), default=0.0)

    found = likeness(texts)
    assert found.compared == len(texts)
    assert found.highest == round(max(map(share, range(len(texts)))), 4)
    assert found.near_duplicates == sum(share(at) >= found.near for at in range(len(texts)))


@given(st.text(max_size=60))
def test_every_text_with_words_has_shingles(text):
    assert bool(shingles(text)) == bool(text.split())
    assert all(len(one.split()) <= SHINGLE for one in shingles(text))
