"""Rows that are there twice, by a rule: drawing the rule and the copies, and what stays."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

Row = dict[str, Any]
TEXTS = ("prompt", "chosen", "rejected")


@dataclass(frozen=True)
class Rule:
    """When two rows are the same, and which of them stays."""

    fields: tuple[str, ...]
    """Must agree, without regard to case and white space."""
    ends: bool
    """Full stops, question and exclamation marks at the end do not count either."""
    overlap: int | None
    """It is enough if two prompts have this many percent of their words in common."""
    stays: Literal["first", "last", "source"]
    sources: tuple[str, ...]
    """The better one first."""

    def sift(self, rows: list[Row]) -> list[int]:
        """The places of the rows that stay, in their order."""
        order = sorted(range(len(rows)), key=lambda at: self._rank(rows[at], at))
        plain = [{field: self._plain(row[field]) for field in self.fields} for row in rows]
        kept: list[int] = []
        for place in order:
            if not any(self._same(plain[place], plain[other]) for other in kept):
                kept.append(place)
        return sorted(kept)

    def _rank(self, row: Row, at: int) -> tuple[int, int]:
        return self.sources.index(row["source"]) if self.stays == "source" else 0, -at if self.stays == "last" else at

    def _same(self, one: dict[str, str], other: dict[str, str]) -> bool:
        return one == other or (
            self.overlap is not None
            and all(one[field] == other[field] for field in self.fields if field != "prompt")
            and _shared(one["prompt"], other["prompt"]) >= self.overlap
        )

    def _plain(self, value: str) -> str:
        plain = " ".join(value.lower().split())
        return plain.rstrip(".?!") if self.ends else plain


def draw_rule(sources: list[str], rng: Random) -> Rule:
    """A rule for rows of these sources."""
    return Rule(
        fields=rng.choice((("prompt",), ("prompt", "chosen"), TEXTS)),
        ends=rng.random() < 0.5,
        overlap=rng.choice((None, None, 70, 75, 80)),
        stays=rng.choice(("first", "last", "source")),
        sources=tuple(rng.sample(sources, len(sources))),
    )


def with_copies(rows: list[Row], rng: Random) -> list[Row]:
    """The rows with some of them again, at the end or scattered, and with what a second export does to a text."""
    number = max(int(row["id"].rpartition("-")[2]) for row in rows)
    scattered, mixed = rng.random() < 0.5, list(rows)
    sources = sorted({row["source"] for row in rows})
    for row in rng.sample(rows, rng.randrange(22, 40)):
        number += rng.randrange(1, 9)
        again = row | {"id": f"{row['id'].rpartition('-')[0]}-{number:06d}", "source": rng.choice(sources)}
        copy = rng.choice(
            (row, again, again | _altered(row, rng), again | _altered(row, rng), again | _altered(row, rng))
        )
        mixed.insert(rng.randrange(len(mixed)) if scattered else len(mixed), copy)
    return mixed


def counts(rows: list[Row], kept: list[Row]) -> dict[str, int]:
    """How many were read and stay, and how many went out as exact and as near copies of one that stays."""
    letters = {tuple(row[field] for field in TEXTS) for row in kept}
    exact = sum(tuple(row[field] for field in TEXTS) in letters for row in rows) - len(kept)
    return {"read": len(rows), "kept": len(kept), "exact": exact, "near": len(rows) - len(kept) - exact}


def _altered(row: Row, rng: Random) -> Row:
    """What differs in a copy: letters, a word, or which answer was preferred (that one is no copy)."""
    prompt, chosen, rejected = (row[field] for field in TEXTS)
    words = prompt.split()
    words.insert(rng.randrange(1, len(words)), rng.choice(("please", "also", "now", "kindly")))
    return rng.choice(
        (
            {"prompt": _retyped(prompt, rng)},
            {"prompt": _retyped(prompt, rng), "chosen": _retyped(chosen, rng)},
            {"prompt": " ".join(words)},
            {"chosen": rejected, "rejected": chosen},
        )
    )


def _retyped(value: str, rng: Random) -> str:
    return rng.choice((value.upper(), value.lower(), value.replace(" ", "  ", 1), f"{value} ", value.rstrip(".!")))


def _shared(one: str, other: str) -> float:
    """Percent of the words of both that are in each."""
    mine, theirs = set(one.split()), set(other.split())
    return 100 * len(mine & theirs) / max(1, len(mine | theirs))
