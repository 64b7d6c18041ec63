"""What may be a key, gathered in the episode: from the transcript, from short files, from short messages."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

from ..safe_open import chunks, open_file
from .tokens import most_likely_first, numbers

SHORT_TEXTS = 4096
"""Short contents that are remembered, the latest; a key is written near the time when it is used."""
HANDED_BYTES = 16 << 20
"""Of what the host hands over."""
FILE_BYTES = 64 << 10
"""A file that a word names is a key in itself when it is no longer."""
NAMED_FILES = 200
_KEY_BYTES = (16, 64)


class Words:
    """Gathers what may be a key; safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._short: dict[bytes, None] = {}
        self._handed: list[str] = []

    def add(self, content: bytes) -> None:
        """Take the content of a short file or message."""
        if not content.strip():
            return
        with self._lock:
            self._short.pop(content, None)
            self._short[content] = None
            if len(self._short) > SHORT_TEXTS:
                del self._short[next(iter(self._short))]

    def take_handed(self, file: Path) -> None:
        """Take what the host read in the transcript: a JSON list of texts, the most likely first. There may be none.

        Raises:
            OSError, ValueError: the file cannot be read as that.
        """
        if not file.exists():
            return
        if file.stat().st_size > HANDED_BYTES:
            raise ValueError(f"more than {HANDED_BYTES} bytes of words were handed over")
        handed = json.loads(file.read_bytes())
        self._handed = [word for word in handed if isinstance(word, str) and word]

    def vocabulary(self, read: Callable[[str], bytes | None]) -> Vocabulary:
        """All that may be a key.

        Args:
            read: gives the content of a file that a word names, if there is a short one.
        """
        with self._lock:
            short = list(reversed(self._short))
        named = [content for word in self._paths() if (content := read(word))]
        contents = [*named, *short]
        whole = {form: None for content in contents for form in (content, content.strip())}
        binary = [content for content in whole if _KEY_BYTES[0] <= len(content) <= _KEY_BYTES[1]]
        texts = most_likely_first(content.decode("utf-8", "replace") for content in contents)
        ordered = _alternate(self._handed, texts)
        words = {word.encode("utf-8", "surrogatepass"): None for word in ordered}
        return Vocabulary(tuple({**dict.fromkeys(binary), **words, **whole}), tuple(numbers(ordered)))

    def _paths(self) -> list[str]:
        return [word for word in self._handed if word.startswith("/") and len(word) > 1][:NAMED_FILES]


class Vocabulary:
    """What may be a key, the most likely first.

    Args:
        words: passwords, and keys as bytes or as text.
        numbers: whole numbers that were named: they may be counts of iterations, or seeds.
    """

    def __init__(self, words: tuple[bytes, ...], numbers: tuple[int, ...] = ()) -> None:
        self.words = words
        self.numbers = numbers


def short_file(root: str, path: str) -> bytes | None:
    """The content of a regular file at the workstation's `path`, below `root`, when it is short enough for a key."""
    try:
        fd = open_file(root, path)
    except (OSError, ValueError):
        return None
    try:
        content = b"".join(chunks(fd, FILE_BYTES + 1))
    except OSError:
        return None
    finally:
        os.close(fd)
    return content if len(content) <= FILE_BYTES else None


def _alternate(first: list[str], second: list[str]) -> list[str]:
    """Both lists in turn: neither shall wait for the end of the other."""
    mixed = [word for pair in zip(first, second, strict=False) for word in pair]
    shorter = min(len(first), len(second))
    return [*mixed, *first[shorter:], *second[shorter:]]
