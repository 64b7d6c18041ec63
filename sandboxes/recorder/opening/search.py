"""Finds the lock and the word that open a stream, from its first bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..content.spotting import CLOSED, find_streams
from ..content.streams import BrokenError
from .keystreams import Keystream
from .locks import Lock, Round, Try
from .openssl import Salted, Unsalted
from .pgp import Message
from .raw import Raw
from .words import Vocabulary
from .zips import Zipped

HEAD_BYTES = 64 << 10
"""A key is tried on so much of a stream."""
_SAMPLE = 4096
_UNEVEN = 450.0
"""Of chi-squared over byte values, 255 degrees of freedom: random bytes reach it once in 10^12 tries."""
_TIMES = 3
LOCKS: tuple[Lock, ...] = (Salted(), Message(), Zipped(), Raw(), Keystream(), Unsalted())


class SpentError(Exception):
    """The time is over."""


@dataclass
class Allowance:
    """Time that searches may take, for all streams of an episode together."""

    sure_seconds: float = 60.0
    """For streams that say themselves how they are encrypted."""
    other_seconds: float = 20.0
    """For those that only look random: most are innocent."""
    clock: Callable[[], float] = time.monotonic

    def spend(self, seconds: float, *, sure: bool) -> None:
        """Take off what a try cost.

        Raises:
            SpentError: nothing is left.
        """
        if sure:
            self.sure_seconds -= seconds
        else:
            self.other_seconds -= seconds
        if min(self.sure_seconds, self.other_seconds) < 0:
            raise SpentError


@dataclass(frozen=True)
class Key:
    """What opened a stream; it may open another."""

    lock: Lock
    word: bytes


def search(head: bytes, vocabulary: Vocabulary, known: list[Key], allowance: Allowance) -> Iterator[tuple[Key, Try]]:
    """What may open a stream that begins with `head`, most likely first.

    Args:
        head: the first bytes, `HEAD_BYTES` where there are so many.
        vocabulary: words to try.
        known: what opened other streams; tried first.
        allowance: what it may cost.

    Raises:
        SpentError: the time is over.
    """
    fitting = [lock for lock in LOCKS if lock.fits(head)]
    sure = [lock for lock in fitting if lock.is_sure(head)]
    judge = _Judge(head)
    for key in known:
        if key.lock in fitting:
            for each in key.lock.rounds(head, vocabulary):
                yield from _matching(judge, each, key.lock, (key.word,), allowance, sure=True)
    pending = [(lock, lock.rounds(head, vocabulary)) for lock in sure or fitting]
    while pending:
        left = []
        for lock, rounds in pending:
            each = next(rounds, None)
            if each is not None:
                words = vocabulary.words[: each.most_words]
                yield from _matching(judge, each, lock, words, allowance, sure=bool(sure))
                left.append((lock, rounds))
        pending = left


def _matching(
    judge: _Judge, each: Round, lock: Lock, words: tuple[bytes, ...], allowance: Allowance, *, sure: bool
) -> Iterator[tuple[Key, Try]]:
    for word in words:
        began = allowance.clock()
        found = [attempt for attempt in each.tries(word) if judge.is_promising(attempt)]
        yield from ((Key(lock, word), attempt) for attempt in found)
        allowance.spend(allowance.clock() - began, sure=sure)


class _Judge:
    """Says whether what comes out of a try is anything."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._threshold = max(_UNEVEN, _TIMES * unevenness(head[:_SAMPLE]))

    def is_promising(self, attempt: Try) -> bool:
        """Whether a first sample has structure, or begins as a compressed stream and goes on as one."""
        sample = self._open(attempt, _SAMPLE)
        if unevenness(sample) > self._threshold or sample.startswith(tuple(CLOSED)):
            return True
        places = [kind for at, kind in find_streams(sample[:64], 0, 1) if at == 0]
        return any(_lasts(kind, self._open(attempt, len(self._head))) for kind in places)

    def _open(self, attempt: Try, size: int) -> bytes:
        decrypt = attempt.open()
        return decrypt(self._head[attempt.start : attempt.start + size]) if decrypt else b""


def _lasts(kind: Callable[[], object], data: bytes) -> bool:
    decoder = kind()
    try:
        for _ in decoder.feed(data):  # type: ignore[attr-defined]
            pass
    except BrokenError:
        return False
    except Exception:  # too big, or no library: nothing speaks against it
        return True
    return True


def unevenness(data: bytes) -> float:
    """Chi-squared of how often each byte value occurs, against all equally often: about 255 for random bytes."""
    if not data:
        return 0.0
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    return float(((counts - expected) ** 2).sum() / expected)
