"""Bytes combined by XOR with a stream that a key makes: the key over and over, a chain of digests, a seeded generator.

This is how a program encrypts that has no library for it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from .ciphers import Decrypt
from .keys import materials
from .locks import Round, Try
from .words import Vocabulary

Stream = Iterator[bytes]
_LONGEST_PERIOD = 1 << 16
_PIECE = 4096
_COUNTERS: tuple[Callable[[int], bytes], ...] = (
    lambda n: n.to_bytes(8, "big"),
    lambda n: n.to_bytes(8, "little"),
    lambda n: n.to_bytes(4, "big"),
    lambda n: n.to_bytes(4, "little"),
    lambda n: str(n).encode(),
)


class Keystream:
    """XOR with a stream that a word makes."""

    def fits(self, head: bytes) -> bool:  # noqa: ARG002  # anything may be
        """See `Lock`."""
        return True

    def is_sure(self, head: bytes) -> bool:  # noqa: ARG002
        """See `Lock`."""
        return False

    def rounds(self, head: bytes, vocabulary: Vocabulary) -> Iterator[Round]:  # noqa: ARG002
        """See `Lock`."""
        yield Round(_periodic, 5000)
        yield Round(_seeded, 300)
        yield Round(_digested, 100)


def xor(stream: Stream) -> Decrypt:
    """Combines what comes with the next bytes of a stream."""
    held = bytearray()

    def decrypt(data: bytes) -> bytes:
        while len(held) < len(data):
            held.extend(next(stream))
        key = np.frombuffer(bytes(held[: len(data)]), np.uint8)
        del held[: len(data)]
        return (np.frombuffer(data, np.uint8) ^ key).tobytes()

    return decrypt


def _try(name: str, made: Callable[[], Stream]) -> Try:
    return Try(name, 0, lambda: xor(made()))


def _periodic(word: bytes) -> Iterator[Try]:
    for key in materials(word):
        if 2 <= len(key) <= _LONGEST_PERIOD:
            yield _try("xor", partial(_repeat, key))


def _repeat(key: bytes) -> Stream:
    piece = key * max(1, _PIECE // len(key))
    while True:
        yield piece


def _seeded(word: bytes) -> Iterator[Try]:
    """Python's generator and numpy's, as their documentation shows them for bytes."""
    text = word.decode("utf-8", "replace")
    seeds: list[int | str] = [text]
    if text.isascii() and text.isdigit() and len(text) < 20:
        seeds.insert(0, int(text))
    seeds += [int.from_bytes(hashlib.sha256(word).digest(), order) for order in ("big", "little")]
    for seed in seeds:
        yield _try("xor-random", partial(_python_bytes, seed))
        yield _try("xor-random", partial(_python_ints, seed))
        if isinstance(seed, int):
            yield _try("xor-random", partial(_numpy, seed))
            if seed < 1 << 32:
                yield _try("xor-random", partial(_numpy_old, seed))


def _python_bytes(seed: int | str) -> Stream:
    generator = random.Random(seed)  # the model's choice, not ours
    while True:
        yield generator.randbytes(_PIECE)


def _python_ints(seed: int | str) -> Stream:
    generator = random.Random(seed)
    while True:
        yield bytes(generator.randrange(256) for _ in range(_PIECE))


def _numpy(seed: int) -> Stream:
    generator = np.random.default_rng(seed)
    while True:
        yield generator.integers(0, 256, _PIECE, dtype=np.uint8).tobytes()


def _numpy_old(seed: int) -> Stream:
    generator = np.random.RandomState(seed)
    while True:
        yield generator.randint(0, 256, _PIECE, dtype=np.uint8).tobytes()


def _digested(word: bytes) -> Iterator[Try]:
    for key in (word, hashlib.sha256(word).digest()):
        for name in ("sha256", "sha512", "md5"):
            for counter in _COUNTERS:
                for first in (0, 1):
                    yield _try(f"xor-{name}", partial(_chain, name, key, counter, first))
        yield _try("xor-sha256", partial(_feedback, key))
        yield _try("xor-shake256", partial(_sponge, key))


def _chain(name: str, key: bytes, counter: Callable[[int], bytes], number: int) -> Stream:
    while True:
        yield hashlib.new(name, key + counter(number)).digest()
        number += 1


def _feedback(key: bytes) -> Stream:
    """Each digest is the digest of the one before."""
    while True:
        key = hashlib.sha256(key).digest()
        yield key


def _sponge(key: bytes) -> Stream:
    size, sponge = 1 << 16, hashlib.shake_256(key)
    at = 0
    while True:
        yield sponge.digest(size)[at:]
        at, size = size, 4 * size
