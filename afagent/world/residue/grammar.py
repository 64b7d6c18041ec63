"""Sentences from banks of alternatives: `{a|b}` is a choice, `{name}` a slot, innermost first.

A bank is a text file beside this module with `[section]` headings and one alternative a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from random import Random

Slots = Mapping[str, Callable[[], str]]
"""What stands for a slot, drawn anew each time."""

BANKS = ("topics", "phrases", "commands", "names")
_BRACES = re.compile(r"\{([^{}]*)\}")


@cache
def bank(name: str) -> dict[str, tuple[str, ...]]:
    """The alternatives of a bank by section."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (resources.files(__package__) / "banks" / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            current.append(line)
    return {section: tuple(lines) for section, lines in sections.items()}


def fill(template: str, rng: Random, slots: Slots) -> str:
    """The template with every choice made and every slot filled.

    Raises:
        KeyError: the template names a slot that is not there.
    """

    def chosen(match: re.Match[str]) -> str:
        body = match[1]
        return rng.choice(body.split("|")) if "|" in body else slots[body]()

    while "{" in template:
        template = _BRACES.sub(chosen, template)
    return template


class Writer:
    """Writes one document: no alternative comes twice before the others of its section have come."""

    def __init__(self, rng: Random, slots: Slots) -> None:
        self.rng = rng
        self._slots = slots
        self._left: dict[str, list[str]] = {}

    def line(self, bank_name: str, section: str) -> str:
        """One alternative of a section."""
        left = self._left.get(section)
        if not left:
            left = self._left[section] = list(bank(bank_name)[section])
            self.rng.shuffle(left)
        return fill(left.pop(), self.rng, self._slots)

    def lines(self, bank_name: str, section: str, at_least: int, at_most: int) -> list[str]:
        """Between `at_least` and `at_most` alternatives of a section."""
        return [self.line(bank_name, section) for _ in range(self.rng.randint(at_least, at_most))]


def sentences(parts: list[str]) -> str:
    """The parts in one paragraph, each with a capital letter."""
    return " ".join(part[0].upper() + part[1:] for part in parts)
