"""Text from a verdict as Markdown that says only what it says: no markup, link, mention, formula or hidden character.

What a name or a sentence holds may be the model's under test. Words of plain letters, figures and punctuation stay as
they are; all others stand as code, in which GitHub makes nothing of anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from afagent.quoting import printable, quoted

MOST_CHARACTERS = 600
"""Of a sentence; `verdict.json` has all of it."""
_PLAIN = re.compile(r"""[('"]?[^\W_]+(?:[.,'-][^\W_]+)*[).,:;!?%'"]*|[≤≥=<+-]""")
_MARKER = re.compile(r"[0-9]+[.)]|\W")
"""What at the beginning of a text could begin a list, a heading or a quotation."""
_LINKED = re.compile(r"www\.|[a-z]+-[0-9]|[0-9a-f]{7,}", re.IGNORECASE)
"""Words of plain letters that GitHub makes links of: addresses, numbers of issues, hashes of commits."""


def code(text: str, most: int = 160) -> str:
    """A name as code; also a cell of a table may hold it."""
    return quoted(text.replace("|", "¦"), most)


def prose(text: str, most: int = MOST_CHARACTERS) -> str:
    """A sentence, on one line."""
    words = printable(" ".join(text[: most + 1].split()), most).split(" ")
    return " ".join(_runs(words)) or "` `"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """The lines of a table; cells are Markdown that was made inert."""
    titles = list(head)
    return [_row(titles), _row(["---"] * len(titles)), *map(_row, rows), ""]


def _runs(words: list[str]) -> Iterable[str]:
    """Words one after the other that are not plain stand as one piece of code."""
    for plain, run in groupby(enumerate(words), key=_is_plain):
        text = " ".join(word for _, word in run)
        yield text.replace("<", "&lt;") if plain else code(text, MOST_CHARACTERS)


def _is_plain(numbered: tuple[int, str]) -> bool:
    index, word = numbered
    begins = index == 0 and _MARKER.match(word) is not None
    return not begins and _PLAIN.fullmatch(word) is not None and _LINKED.search(word) is None


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
