"""Finds the lock and the word that open a stream, from its first bytes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .judge import Judge
from .keystreams import Keystream
from .locks import Lock, Round, Try
from .openssl import Salted, Unsalted
from .pgp import Message
from .raw import Raw
from .words import Vocabulary
from .zips import Zipped

HEAD_BYTES = 64 << 10
"""A key is tried on so much of a stream."""
SHARE = 0.4
"""Of the time that is left, so much may go to one stream."""
LOCKS: tuple[Lock, ...] = (Salted(), Message(), Zipped(), Raw(), Keystream(), Unsalted())


S = TypeVar("S")


class SpentError(Exception):
    """The time is over."""


class Allowance:
    """Time that searches may take, for all streams of an episode together.

    Args:
        seconds: of this thread's processor time: on a busy machine a search takes longer, and is no poorer.
        clock: seconds; only differences matter.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.thread_time) -> None:
        self.seconds = seconds
        self.clock = clock
        self._reserved = 0.0

    def share(self) -> None:
        """From now on only a part of what is left may be spent, so that one stream does not take it all."""
        self._reserved = self.seconds * (1 - SHARE)

    def spend(self, seconds: float) -> None:
        """Take off what a try cost.

        Raises:
            SpentError: nothing is left, of the share.
        """
        self.seconds -= seconds
        if self.seconds < self._reserved:
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
    heads: Mapping[S, bytes],
    locks: Mapping[S, Sequence[Lock]],
    vocabulary: Vocabulary,
    known: Sequence[Key],
    allowance: Allowance,
) -> Iterator[tuple[S, Key, Try]]:
    """What may open one of several streams: cheap rounds on each come before dear ones on any.

    Args:
        heads: the first bytes of each, `HEAD_BYTES` where there are so many.
        locks: what to try on each.
        vocabulary: with what words.
        known: what opened other streams; tried first.
        allowance: what it may cost.

    Raises:
        SpentError: the time is over.
    """
    judges = {spot: Judge(head) for spot, head in heads.items()}
    for key in known:
        for spot in heads:
            for each in key.lock.rounds(heads[spot], vocabulary) if key.lock in locks[spot] else ():
                for _, attempt in _matching(judges[spot], each, (key.word,), allowance):
                    yield spot, key, attempt
    pending = [(spot, lock, lock.rounds(head, vocabulary)) for spot, head in heads.items() for lock in locks[spot]]
    while pending:
        left = []
        for spot, lock, rounds in pending:
            for each in itertools.islice(rounds, 1):
                left.append((spot, lock, rounds))
                for word, attempt in _matching(judges[spot], each, vocabulary.words[: each.most_words], allowance):
                    yield spot, Key(lock, word), attempt
        pending = left


def _matching(judge: Judge, each: Round, words: Sequence[bytes], allowance: Allowance) -> Iterator[tuple[bytes, Try]]:
    for word in words:
        began = allowance.clock()
        found = [attempt for attempt in each.tries(word) if judge.is_promising(attempt)]
        yield from ((word, attempt) for attempt in found)
        allowance.spend(allowance.clock() - began)
