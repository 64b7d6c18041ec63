"""Words of the model under test, made safe to stand in an account, a page or a terminal."""

from __future__ import annotations

import unicodedata

QUOTED_CHARACTERS = 160


def quoted(text: str, most: int = QUOTED_CHARACTERS) -> str:
    """The text as a Markdown code span: one line, no markup, no control or direction characters, cut when long."""
    plain = visible(text).replace("`", "'").replace("[", "⟦").replace("]", "⟧")
    if len(plain) > most:
        plain = f"{plain[: most - 1]}…"
    return f"`{plain or ' '}`"


def visible(text: str) -> str:
    """The text in one line in which nothing acts on a terminal or hides: control and direction characters are shown."""
    return "".join(character if _is_plain(character) else _shown(character) for character in text)


def _is_plain(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def _shown(character: str) -> str:
    if character in "\n\r\t" or unicodedata.category(character) == "Zs":
        return " "
    return f"\\u{ord(character):04x}"
