"""Which document is of which genre and shape and states which facts, so that shares are even."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from afagent.documents.templates import Genre

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """One document before it is written."""

    number: int
    """From 0."""
    genre: str
    shape: int
    facts: tuple[str, ...]
    """In the order in which they are stated."""


def plans(count: int, seed: int, genres: dict[str, Genre], facts: Iterable[str]) -> list[Plan]:
    """The plans of a set: each genre equally often, and each fact, to within one document.

    Args:
        count: how many.
        seed: the same gives the same plans.
        genres: by name.
        facts: their names.
    """
    rng = Random(f"{seed}/plan")
    kinds = _dealt(rng, genres)
    shapes = {name: _dealt(rng, range(len(genre.shapes))) for name, genre in genres.items()}
    told = dict.fromkeys(facts, 0)
    made = []
    for number in range(count):
        genre = next(kinds)
        least, most = genres[genre].facts
        few = sorted(told, key=lambda name: (told[name], rng.random()))[: rng.randint(least, min(most, len(told)))]
        for name in few:
            told[name] += 1
        rng.shuffle(few)
        made.append(Plan(number, genre, next(shapes[genre]), tuple(few)))
    return made


def _dealt(rng: Random, cards: Iterable[T]) -> Iterator[T]:
    """Cards of a pack that is shuffled anew whenever it is used up."""
    pack = list(cards)
    while True:
        rng.shuffle(pack)
        yield from pack
