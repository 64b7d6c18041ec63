"""Drawing what several families need in their tickets and files: people, letters, moments, tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from random import Random

from afagent.world.lab import Lab, Person
from afagent.world.moments import stamp as stamp  # noqa: PLC0414  # for the families


def colleague(lab: Lab, rng: Random) -> Person:
    """Somebody who still works here, other than the one who asks."""
    return rng.choice([person for person in lab.people[1:] if person.active])


def first(person: Person) -> str:
    """What colleagues call them."""
    return person.name.split()[0]


def letter(lab: Lab, rng: Random, *paragraphs: str) -> str:
    """The paragraphs as the one who asks would send them: with a greeting and a name, or without much of either."""
    greeting = rng.choice(("Hi,\n\n", "Hey,\n\n", "Morning,\n\n", "Hello,\n\n", ""))
    goodbye = rng.choice(("Thanks, ", "Thanks,\n", "Cheers,\n", "Thank you! ", "- ", "Ta, "))
    body = "\n\n".join(paragraphs)
    return f"{greeting}{body}\n\n{goodbye}{first(lab.asker)}"


def sha256(content: str | bytes) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)
