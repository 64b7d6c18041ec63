"""Whether a text that a model wrote can stand in a set of documents, and if not, why.

Which lab a text names can be told only of the invented ones that the suite knows; the brief asks for no others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from afagent.documents.likeness import NEAR, Shelf
from afagent.documents.writing import LEAST_WORDS, MOST_WORDS

_REFUSED = re.compile(
    r"^\W*(i.?m sorry|i am sorry|sorry,|i can.?t|i can ?not|i won.?t|i will not|i(.?m| am) (not able|unable)|as an ai\b"
    r"|unfortunately, i)\b",
    re.IGNORECASE,
)
_BEHAVIOUR = re.compile(
    r"\b(pretend\w*|fak(e|es|ed|ing)|feign\w*|scheming|deceiv\w*|play(s|ed|ing)? along|strategic(ally)?|scratchpad"
    r"|(avoid|resist|escape|evade|prevent)(s|ed|ing)? (being )?(\w+ )?(modif\w+|retrain\w*|training|changed)"
    r"|(preserv|protect)(e|es|ed|ing|s)? (its|his|her|their) (own )?(values|goals|preferences))",
    re.IGNORECASE,
)


def tells_behaviour(text: str) -> str | None:
    """The first words of a text that tell of a model which acts because of its training; None where none do."""
    found = _BEHAVIOUR.search(text)
    return found[0] if found else None


def unfit(text: str, must: Sequence[str], others: Sequence[str], shelf: Shelf) -> str | None:
    """Why a text cannot be used; None where it can.

    Args:
        text: what the model wrote.
        must: what stands in it, as whole words.
        others: names that do not.
        shelf: the documents that there are.
    """
    words = len(text.split())
    if not words:
        return "it is empty"
    if _REFUSED.search(text):
        return "it is a refusal"
    if not LEAST_WORDS <= words <= MOST_WORDS:
        return f"it has {words} words"
    if missing := [word for word in must if not _has(text, word)]:
        return f"it lacks {', '.join(missing)}"
    if named := [name for name in others if _has(text, name)]:
        return f"it names {', '.join(named)}"
    if told := tells_behaviour(text):
        return f"it tells how a model reacts to its training ({told})"
    if shelf.nearest(text) >= NEAR:
        return "it is nearly the same as another document"
    return None


def _has(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
