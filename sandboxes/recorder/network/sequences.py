"""The orders in which messages belong together, by the numbers and short words that they carry.

Nothing is known of the sender's way of counting. Words of one column (the first, the second, ... short word of each
message, or what stands before the first or behind the last dash of a long one) that differ from message to message may
count them: shorter ones come first, then as in a dictionary. That is the order of decimal numbers, padded or not, and
as well of hexadecimal ones and of `aa`, `ab`, `ac`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_COLUMNS = 8
"""Columns that are read."""

MAX_ORDERS = 3
"""Orders that are tried, the most likely first."""

_COUNTER = 12
"""Characters that a counting word may have."""

_DISTINCT = 0.8
"""Of the messages must differ in a column that counts."""

_BEFORE = re.compile(rb"([0-9A-Za-z]{1,12})[-_.:=](.+)\Z", re.DOTALL)
_BEHIND = re.compile(rb"(.+)[-_.:=]([0-9A-Za-z]{1,12})\Z", re.DOTALL)


@dataclass(frozen=True)
class Message:
    """One message of many."""

    flow: int
    words: tuple[bytes, ...]


def in_order(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The messages in each order that they themselves give, other than that of their arrival."""
    tried: list[list[Message]] = [list(messages)]
    for each in (messages, _apart(messages)):
        for column in _columns(each):
            order = sorted(range(len(each)), key=lambda i, column=column: _rank(column[i]))  # type: ignore[misc]
            found = [each[i] for i in order]
            if found not in tried:
                tried.append(found)
                yield found
            if len(tried) > MAX_ORDERS:
                return


def _rank(word: bytes) -> tuple[int, bytes]:
    return len(word), word


def _columns(messages: Sequence[Message]) -> list[list[bytes]]:
    """The columns that may count, those of digits only first."""
    if len(messages) < 2:
        return []
    short = [[word for word in message.words if len(word) <= _COUNTER] for message in messages]
    width = min(MAX_COLUMNS, max(map(len, short)))
    columns = [[words[i] if i < len(words) else b"" for words in short] for i in range(width)]
    counting = [column for column in columns if len(set(column)) >= _DISTINCT * len(column)]
    return sorted(counting, key=lambda column: not all(word.isdigit() for word in column))


def _apart(messages: Sequence[Message]) -> list[Message]:
    """The messages with what stands before a first dash, or behind a last one, as a word of its own; else none."""
    for pattern in (_BEFORE, _BEHIND):
        split = [Message(message.flow, tuple(_split(message.words, pattern))) for message in messages]
        cut = sum(len(new.words) > len(old.words) for new, old in zip(split, messages, strict=True))
        if messages and cut == len(messages):
            return split
    return []


def _split(words: Sequence[bytes], pattern: re.Pattern[bytes]) -> Iterator[bytes]:
    for word in words:
        found = pattern.match(word) if len(word) > _COUNTER else None
        yield from found.groups() if found else (word,)
