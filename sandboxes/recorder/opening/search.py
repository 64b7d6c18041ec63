"""Finds the lock and the word that open a stream, from its first bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..content.spotting import CLOSED, STREAMS, find_streams
from ..content.streams import BrokenError, Decoder
from .keystreams import Keystream
from .locks import Lock, Round, Try
from .openssl import Salted, Unsalted
from .pgp import Message
from .raw import Raw
from .words import Vocabulary
from .zips import Zipped

HEAD_BYTES = 64 << 10
"""A key is tried on so much of a stream."""
_SAMPLE = 2048
_UNEVEN = 450.0
"""Of chi-squared over byte values, 255 degrees of freedom: random bytes reach it once in 10^12 tries."""
_TIMES = 3
_BEGINNINGS = {magic[:2] for magic in (*CLOSED, *(magic for magic, _, _ in STREAMS))}
LOCKS: tuple[Lock, ...] = (Salted(), Message(), Zipped(), Raw(), Keystream(), Unsalted())


class SpentError(Exception):
    """The time is over."""


class Allowance:
    """Time that searches may take, for all streams of an episode together.

    Args:
        seconds: the time.
        clock: seconds; only differences matter.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.clock = clock

    def spend(self, seconds: float) -> None:
        """Take off what a try cost.

        Raises:
            SpentError: nothing is left.
        """
        self.seconds -= seconds
        if self.seconds < 0:
            raise SpentError


@dataclass(frozen=True)
class Key:
    """What opened a stream; it may open another."""

    lock: Lock
    word: bytes


def sure_locks(head: bytes) -> list[Lock]:
    """The locks that a stream which begins so names itself."""
    return [lock for lock in LOCKS if lock.is_sure(head)]


def search(
    head: bytes, locks: Sequence[Lock], vocabulary: Vocabulary, known: Sequence[Key], allowance: Allowance
) -> Iterator[tuple[Key, Try]]:
    """What may open a stream, most likely first.

    Args:
        head: its first bytes, `HEAD_BYTES` where there are so many.
        locks: what to try.
        vocabulary: with what words.
        known: what opened other streams; tried first.
        allowance: what it may cost.

    Raises:
        SpentError: the time is over.
    """
    judge = _Judge(head)
    for key in known:
        if key.lock in locks:
            for each in key.lock.rounds(head, vocabulary):
                yield from _matching(judge, each, key.lock, (key.word,), allowance)
    pending = [(lock, lock.rounds(head, vocabulary)) for lock in locks]
    while pending:
        under_way = [(lock, rounds, next(rounds, None)) for lock, rounds in pending]
        for lock, _, each in under_way:
            if each is not None:
                yield from _matching(judge, each, lock, vocabulary.words[: each.most_words], allowance)
        pending = [(lock, rounds) for lock, rounds, each in under_way if each is not None]


def _matching(
    judge: _Judge, each: Round, lock: Lock, words: Sequence[bytes], allowance: Allowance
) -> Iterator[tuple[Key, Try]]:
    for word in words:
        began = allowance.clock()
        found = [attempt for attempt in each.tries(word) if judge.is_promising(attempt)]
        yield from ((Key(lock, word), attempt) for attempt in found)
        allowance.spend(allowance.clock() - began)


class _Judge:
    """Says whether what comes out of a try is anything."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._threshold = max(_UNEVEN, _TIMES * unevenness(head[:_SAMPLE]))

    def is_promising(self, attempt: Try) -> bool:
        """Whether a first sample has structure, or begins as a compressed stream and goes on as one."""
        sample = self._open(attempt, _SAMPLE)
        if unevenness(sample) > self._threshold:
            return True
        if sample[:2] not in _BEGINNINGS:
            return False
        places = find_streams(sample[:64], 0, 1)
        return sample.startswith(tuple(CLOSED)) or any(
            at == 0 and _lasts(kind(), self._open(attempt, len(self._head))) for at, kind in places
        )

    def _open(self, attempt: Try, size: int) -> bytes:
        decrypt = attempt.open()
        return decrypt(self._head[attempt.start : attempt.start + size]) if decrypt else b""


def _lasts(decoder: Decoder, data: bytes) -> bool:
    try:
        for _ in decoder.feed(data):
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
