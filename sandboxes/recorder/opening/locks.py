"""What a lock is: one way to encrypt, which says how bytes that begin so could be opened with a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from .ciphers import Cipher, Decrypt
from .words import Vocabulary


@dataclass(frozen=True)
class Try:
    """One way to open a stream."""

    name: str
    """As it stands among the layers of a `Content`."""
    start: int
    """Where in the stream the encrypted bytes begin."""
    open: Callable[[], Decrypt | None]
    """A new decryptor for the bytes from `start` on."""
    is_right: bool = False
    """Whether the stream itself confirmed the word, so that what comes out need not be judged."""


@dataclass(frozen=True)
class Round:
    """What to try with each word."""

    tries: Callable[[bytes], Iterator[Try]]
    most_words: int
    """Only so many, the most likely, are worth what it costs."""


class Lock(Protocol):
    """A way to encrypt."""

    def fits(self, head: bytes) -> bool:
        """Whether a stream that begins so may be encrypted in this way."""

    def is_sure(self, head: bytes) -> bool:
        """Whether it cannot be anything else, so that other locks need not be tried."""

    def rounds(self, head: bytes, vocabulary: Vocabulary) -> Iterator[Round]:
        """What to try; a later round costs more, and comes when the one before it failed on all words."""


def use(cipher: Cipher, key: bytes, iv: bytes, start: int, name: str = "") -> Try:
    """A cipher with a key and an initial value as a `Try`."""
    return Try(name or cipher.name, start, lambda: cipher.decryptor(key, iv))
