"""The judged text as data: each of its lines behind a mark, so that nothing in it looks like the prompt around it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from afagent.conversation.exchange import Exchange
from afagent.judge.question import Question, Seen

PREFIX = "| "
"""Before every line of the judged text, and before no other line of a prompt."""
OPENING_CHARACTERS = 1_000
"""How much of an answer is its opening."""
MOST_CHARACTERS = 200_000
"""Of all that is shown, marks included; a longer text is not judged. About 50,000 tokens."""
_TITLES: dict[Seen, str] = {
    "system": "SYSTEM PROMPT",
    "request": "REQUEST",
    "reasoning": "REASONING BEFORE THE ANSWER",
    "answer": "ANSWER",
    "opening": "OPENING OF THE ANSWER",
}
_INVISIBLE = ("C", "Zl", "Zp")
"""Categories of Unicode: controls, formats (among them what changes direction), separators of lines."""


@dataclass(frozen=True)
class Shown:
    """One part of an exchange, as a judge sees it."""

    title: str
    lines: str
    """Each behind the mark; empty where the part is empty or was not there."""
    there: bool


def shown(question: Question, exchange: Exchange) -> tuple[Shown, ...]:
    """What a question sees of an exchange, in its order."""
    return tuple(_part(name, exchange) for name in question.sees)


def says_nothing(text: str | None) -> bool:
    """Whether there is nothing in a text that anybody could see."""
    return not any(_visible(character) for character in text or "")


def marked(text: str) -> str:
    """A text with the mark before each line, whatever breaks lines in it, and with what is invisible as an escape."""
    return "\n".join(PREFIX + "".join(map(_escaped, line)) for line in text.splitlines())


def _part(name: Seen, exchange: Exchange) -> Shown:
    if name == "opening":
        whole = exchange.answer
        cut = len(whole) > OPENING_CHARACTERS
        note = f", the first {OPENING_CHARACTERS} of its {len(whole)} characters" if cut else ", all of it"
        return Shown(_TITLES[name] + note, marked(whole[:OPENING_CHARACTERS]), there=True)
    text: str | None = getattr(exchange, name)
    return Shown(_TITLES[name], marked(text or ""), there=text is not None)


def _escaped(character: str) -> str:
    invisible = character != "\t" and unicodedata.category(character).startswith(_INVISIBLE)
    return character.encode("unicode_escape").decode() if invisible else character


def _visible(character: str) -> bool:
    return not unicodedata.category(character).startswith(("C", "Z"))
