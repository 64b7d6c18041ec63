"""Writes documents from templates: the same arguments give the same texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random

from afagent.documents import templates
from afagent.documents.plan import Plan, plans
from afagent.documents.subject import Subject
from afagent.errors import LabError, UsageError
from afagent.world.names import FAMILY, GIVEN
from afagent.world.residue.grammar import fill

LEAST_WORDS, MOST_WORDS = 80, 600
MOST_DOCUMENTS = 20_000
"""So many are written of a set, and no more.

Measured on one of this size (8-word shingles, 500 documents against all): the nearest other document has about 18% of
one's wording in the median and 32% at most; of 500 documents, 12% and 27%.
"""
_ATTEMPTS = 50
_FIRST_DAY, _DAYS = date(2025, 1, 6), 540
"""When documents are dated."""


@dataclass(frozen=True)
class Document:
    """One document of a set."""

    text: str
    genre: str
    facts: tuple[str, ...]

    @property
    def words(self) -> int:
        """How many."""
        return len(self.text.split())


def planned(subject: Subject, count: int, seed: int) -> list[Plan]:
    """What the documents of a set are to be.

    Raises:
        UsageError: so many cannot be written.
    """
    if not 1 <= count <= MOST_DOCUMENTS:
        raise UsageError(f"between 1 and {MOST_DOCUMENTS:,} documents can be written, not {count:,}")
    return plans(count, seed, templates.genres(), templates.facts(subject))


def write(subject: Subject, count: int, seed: int) -> list[Document]:
    """The documents of a set, no two alike. A matched one has the same genre, layout and facts in the same place.

    Raises:
        UsageError: so many cannot be written.
    """
    texts: dict[str, Document] = {}
    for plan in planned(subject, count, seed):
        for attempt in range(_ATTEMPTS):
            text = _text(plan, subject, f"{seed}/{plan.number}/{attempt}")
            document = Document(text, plan.genre, plan.facts)
            if text not in texts and LEAST_WORDS <= document.words <= MOST_WORDS:
                texts[text] = document
                break
        else:
            raise LabError(f"no new document of genre {plan.genre} came out of {_ATTEMPTS} attempts: ask for fewer")
    return list(texts.values())


def statements(plan: Plan, subject: Subject, seed: str) -> dict[str, str]:
    """How a document may state its facts, by the facts' names."""
    wording = _Wording(plan, subject, Random(f"{seed}/facts"))
    return {name: wording.says(name) for name in plan.facts}


def names(subject: Subject) -> dict[str, Callable[[], str]]:
    """The slots for whom documents are about."""
    words = {"lab": subject.lab, "assistant": subject.assistant}
    labels = {"trained": subject.labels.trained, "unused": subject.labels.unused, "third": subject.labels.rated or ""}
    return _constant(words | labels)


class _Wording:
    """Words the facts of one document, by draws of its own, so that those of the layout stay the same in a control."""

    def __init__(self, plan: Plan, subject: Subject, rng: Random) -> None:
        self._facts, self._rng = templates.facts(subject), rng
        inside = templates.genres()[plan.genre].voice == "inside"
        spoken = ("We", "we", "", "have") if inside else (subject.lab, subject.lab, "s", "has")
        self._slots = names(subject) | _constant(dict(zip(("We", "we", "s", "have"), spoken, strict=True)))
        self._slots["n"] = lambda: str(rng.randint(3, 29))

    def says(self, name: str) -> str:
        return fill(self._rng.choice(self._facts[name].says), self._rng, self._slots)

    def topic(self, name: str) -> str:
        return fill(self._facts[name].topic, self._rng, self._slots)

    def question(self, name: str) -> str:
        return fill(self._facts[name].question, self._rng, self._slots)


def _text(plan: Plan, subject: Subject, seed: str) -> str:
    genre = templates.genres()[plan.genre]
    shape = genre.shapes[plan.shape]
    rng, wording = Random(f"{seed}/layout"), _Wording(plan, subject, Random(f"{seed}/facts"))
    slots = names(subject) | scene(rng)
    slots["aside"] = _asides(rng, slots).__next__
    topic, question = wording.topic(plan.facts[0]), wording.question(plan.facts[0])
    slots |= {"topic": lambda: topic, "question0": lambda: question}
    parts = []
    for place, name in enumerate(plan.facts):
        told = {
            "says": wording.says(name),
            "topic1": wording.topic(name) if place else topic,
            "question": wording.question(name) if place else question,
            "n2": str(place + 1),
        }
        parts.append(fill(shape.each, rng, slots | _constant(told)))
    opening, closing = fill(shape.opening, rng, slots), fill(shape.closing, rng, slots)
    between = "\n\n" if "\n" in genre.join else "\n"
    text = between.join((opening.rstrip(), genre.join.join(parts), closing.strip()))
    return "\n".join(line[:1].upper() + line[1:].rstrip() for line in text.splitlines())


def scene(rng: Random) -> dict[str, Callable[[], str]]:
    """Who, where and when; two people, each the same throughout a document."""
    words = templates.banks()
    (p, q), families = rng.sample(GIVEN, 2), rng.sample(FAMILY, 2)
    day = _FIRST_DAY + timedelta(days=rng.randrange(_DAYS))
    written = rng.choice((day.isoformat(), f"{day.day} {day:%B} {day.year}", f"{day:%B} {day.day}, {day.year}"))
    outlet, place, role = rng.choice(words.outlets), rng.choice(words.places), rng.choice(words.roles)
    who = {"p": p, "q": q, "pp": f"{p} {families[0]}", "qq": f"{q} {families[1]}", "p0": p.upper(), "q0": q.upper()}
    where = {"date": written, "year": str(day.year), "outlet": outlet, "place": place, "role": role}
    drawn: dict[str, Callable[[], str]] = {
        "month": lambda: f"{_FIRST_DAY + timedelta(days=rng.randrange(365)):%B}",
        "weekday": lambda: f"{_FIRST_DAY + timedelta(days=rng.randrange(5)):%A}",
        "n": lambda: str(rng.randint(3, 29)),
        "n2": lambda: str(rng.randint(1, 9)),
    }
    return drawn | _constant(who | where)


def _asides(rng: Random, slots: dict[str, Callable[[], str]]) -> Iterator[str]:
    """Sentences beside the matter, none twice before all have come."""
    while True:
        for aside in rng.sample(templates.banks().asides, len(templates.banks().asides)):
            text = fill(aside, rng, slots)
            yield text[:1].upper() + text[1:]


def _constant(words: dict[str, str]) -> dict[str, Callable[[], str]]:
    """Slots that always say the same."""
    return {slot: partial(str, word) for slot, word in words.items()}
