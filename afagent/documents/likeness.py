"""How near documents are to one another, by the runs of words that they share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import chain
from statistics import median

from pydantic import BaseModel, ConfigDict

SHINGLE = 8
"""Words in a row; two documents that share one say something in the same words."""
NEAR = 0.5
"""A document is a near-duplicate when another has this share of its shingles."""
COMPARED = 500
"""So many documents of a large set are compared with all others; the rest would take minutes."""


class Likeness(BaseModel):
    """Of each document, the greatest share of its shingles that one other has: over the set."""

    model_config = ConfigDict(frozen=True)

    shingle_words: int = SHINGLE
    compared: int
    """So many documents, evenly spaced in the set, each with all others of it."""
    median: float
    highest: float
    near: float
    """A document is a near-duplicate from this share on."""
    near_duplicates: int
    """How many of those that were compared."""


class Shelf:
    """Documents that can be asked how near a new one comes to them."""

    def __init__(self) -> None:
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        self._count = 0

    def add(self, text: str) -> None:
        """Puts a document there."""
        for shingle in shingles(text):
            self._holders[shingle].append(self._count)
        self._count += 1

    def nearest(self, text: str, *, itself: int | None = None) -> float:
        """The greatest share of a text's shingles that one document has; 0 where none shares any.

        Args:
            text: of a document.
            itself: its own number, in the order in which documents came, where it stands there too.
        """
        asked = shingles(text)
        held = Counter(chain.from_iterable(self._holders[one] for one in asked if one in self._holders))
        held.pop(-1 if itself is None else itself, None)
        return max(held.values(), default=0) / len(asked) if asked else 0.0


def shingles(text: str) -> set[str]:
    """The runs of words in a text, without regard to case; of a text that is shorter than one, all of it."""
    words = text.casefold().split()
    return {" ".join(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1))} if words else set()


def likeness(texts: Sequence[str]) -> Likeness:
    """How near the documents of a set are to one another.

    Raises:
        ValueError: there are none.
    """
    shelf = Shelf()
    for text in texts:
        shelf.add(text)
    step = -(-len(texts) // COMPARED)
    shares = [shelf.nearest(texts[at], itself=at) for at in range(0, len(texts), step)]
    return Likeness(
        compared=len(shares),
        median=round(median(shares), 4),
        highest=round(max(shares), 4),
        near=NEAR,
        near_duplicates=sum(share >= NEAR for share in shares),
    )
