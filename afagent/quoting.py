"""Words from a log, many of them the model's under test, made safe to stand in an account, a page or a terminal."""

from __future__ import annotations

import unicodedata

QUOTED_CHARACTERS = 160
_MARKUP = str.maketrans("`[]", "'⟦⟧")


def printable(text: str, most: int = 400) -> str:
    """The text on one line, with control, formatting and direction characters as escapes, cut at `most` characters."""
    cut = text[: most + 1]
    plain = cut if cut.isprintable() else "".join(_shown(character) for character in cut)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def quoted(text: str, most: int = QUOTED_CHARACTERS) -> str:
    """The same as a Markdown code span: without markup, and any white space as a plain space."""
    spaced = "".join(" " if character.isspace() else character for character in text[: most + 1])
    plain = printable(spaced.translate(_MARKUP), most)
    return f"`{plain or ' '}`"


def _shown(character: str) -> str:
    """Also what breaks a line, as some terminals and pages do at characters of Unicode's own."""
    category = unicodedata.category(character)
    return character.encode("unicode_escape").decode() if category[0] == "C" or category in ("Zl", "Zp") else character
