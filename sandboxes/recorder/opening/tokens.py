"""Cuts a text into what may be a password, a key or a number that goes with one. Standard library only: the host too.

Nothing is known of any tool. A secret stands in quotes, after an `=` or a `:`, glued to a one-letter option, as a line
or a word of its own; the same place of a text gives several readings, and all are tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST = 1024
"""Characters of a token."""
MOST = 20_000
"""Tokens of an episode."""

_QUOTED = re.compile(r"""'([^'\n]{1,1024})'|"((?:\\.|[^"\\\n]){1,1024})\"""")
_WORD = re.compile(r"\S{1,1024}")
_VALUE = re.compile(r"[=:](.{1,1024})")
_CORE = re.compile(r"[\w+/=-]{4,1024}")
_AROUND = "'\"`;|&()<>[]{},"
_KEY_LIKE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[^\s/.]{8,}|[0-9A-Fa-f]{16,}|[A-Za-z0-9+/_-]{16,}={0,2}")
_NUMBER = re.compile(r"\d{1,9}")


def tokens(text: str) -> Iterator[str]:
    """Every reading of every place of `text`; the same one may come more than once."""
    for match in _QUOTED.finditer(text):
        yield match.group(1) or match.group(2)
    for line in text.splitlines():
        stripped = line.strip()
        if len(stripped) <= LONGEST:
            yield stripped
        for match in _WORD.finditer(stripped):
            yield from _readings(match.group())


def _readings(word: str) -> Iterator[str]:
    yield word
    bare = word.strip(_AROUND)
    yield bare
    if bare.startswith("-") and len(bare) > 2:
        yield bare[2:].strip(_AROUND)
    for match in _VALUE.finditer(bare):
        yield match.group(1).strip(_AROUND)
    yield from _CORE.findall(bare)


def most_likely_first(texts: Iterable[str], most: int = MOST) -> list[str]:
    """The tokens of all texts, each once: what looks like a key, then by how early its text comes.

    Args:
        texts: the most telling first.
        most: at most so many tokens.
    """
    known: dict[str, None] = {}
    for text in texts:
        for token in tokens(text):
            if token:
                known[token] = None
        if len(known) > 4 * most:
            break
    return sorted(known, key=_unlikeliness)[:most]


def _unlikeliness(token: str) -> int:
    if _NUMBER.fullmatch(token) or len(token) < 4:
        return 3
    if _KEY_LIKE.fullmatch(token):
        return 0
    return 2 if "/" in token or token.startswith("-") or " " in token else 1


def numbers(words: Iterable[str]) -> list[int]:
    """The whole numbers among tokens, each once, in order: counts of iterations, seeds."""
    return list(dict.fromkeys(int(word) for word in words if _NUMBER.fullmatch(word)))
