"""What `openssl enc` writes with a password: `Salted__`, eight bytes of salt, then any cipher without a tag.

The key and the initial value come from `EVP_BytesToKey` (one round of a digest) or from PBKDF2; which, with what digest
and cipher and how many iterations, stands nowhere. Without a header the salt is empty, or was given as a word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import lru_cache

from .ciphers import CIPHERS, Cipher
from .keys import unhex
from .locks import Round, Try, use
from .words import Vocabulary

MAGIC = b"Salted__"
HEADER_BYTES = 16
SALT_BYTES = 8
ITERATIONS = 10_000
"""The default of PBKDF2; others are tried when they are named, and these:"""
USUAL_ITERATIONS = (1_000, 100_000, 200_000, 250_000, 310_000, 480_000, 500_000, 600_000, 1_000_000)
MOST_ITERATIONS = 10_000_000
_DIGESTS = ("sha256", "md5", "sha512", "sha1")
_MOST_SALTS = 8
_NEEDED = max(cipher.key_bytes + cipher.iv_bytes for cipher in CIPHERS.values())
_USUAL = ("aes-256-cbc", "aes-128-cbc", "aes-256-ctr", "aes-192-cbc", "chacha20", "des3-cbc", "camellia-256-cbc")
_RARE = tuple(name for name in CIPHERS if name not in _USUAL)


class Salted:
    """With the header."""

    def fits(self, head: bytes) -> bool:
        """See `Lock`."""
        return head.startswith(MAGIC)

    is_sure = fits

    def rounds(self, head: bytes, vocabulary: Vocabulary) -> Iterator[Round]:
        """See `Lock`."""
        return _rounds([(HEADER_BYTES, head[len(MAGIC) : HEADER_BYTES])], vocabulary, sure=True)


class Unsalted:
    """Without it."""

    def fits(self, head: bytes) -> bool:  # noqa: ARG002  # anything may be
        """See `Lock`."""
        return True

    def is_sure(self, head: bytes) -> bool:  # noqa: ARG002
        """See `Lock`."""
        return False

    def rounds(self, head: bytes, vocabulary: Vocabulary) -> Iterator[Round]:  # noqa: ARG002
        """See `Lock`."""
        named = [salt for word in vocabulary.words if len(word) == 2 * SALT_BYTES and (salt := unhex(word))]
        return _rounds([(0, salt) for salt in (b"", *named[:_MOST_SALTS])], vocabulary, sure=False)


def _rounds(salts: list[tuple[int, bytes]], vocabulary: Vocabulary, *, sure: bool) -> Iterator[Round]:
    """`salts` are pairs: where the encrypted bytes begin, and the salt."""

    def quick(names: tuple[str, ...]) -> Callable[[bytes], Iterator[Try]]:
        return lambda word: (
            each
            for digest in _DIGESTS
            for start, salt in salts
            for each in _with(_bytes_to_key(digest, word, salt), start, names)
        )

    def stretched(
        digest: str, iterations: int, names: tuple[str, ...] = (*_USUAL, *_RARE)
    ) -> Callable[..., Iterator[Try]]:
        return lambda word: (
            each for start, salt in salts for each in _with(_stretch(digest, word, salt, iterations), start, names)
        )

    yield Round(quick(_USUAL), 5000)
    yield Round(stretched("sha256", ITERATIONS, _USUAL), 3000 if sure else 20)
    if not sure:
        return
    yield Round(quick(_RARE), 500)
    yield Round(stretched("sha256", ITERATIONS, _RARE), 500)
    named = [number for number in vocabulary.numbers if 1 < number <= MOST_ITERATIONS]
    for iterations in dict.fromkeys((*named[:20], ITERATIONS, *USUAL_ITERATIONS)):
        for digest in _DIGESTS:
            yield Round(stretched(digest, iterations), 50)


@lru_cache(maxsize=8192)
def _stretch(digest: str, word: bytes, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac(digest, word, salt, iterations, _NEEDED)


@lru_cache(maxsize=32768)
def _bytes_to_key(digest: str, word: bytes, salt: bytes) -> bytes:
    made = block = b""
    while len(made) < _NEEDED:
        block = hashlib.new(digest, block + word + salt).digest()
        made += block
    return made


def _with(material: bytes, start: int, names: tuple[str, ...]) -> Iterator[Try]:
    for name in names:
        cipher: Cipher | None = CIPHERS.get(name)
        if cipher is not None:
            end = cipher.key_bytes + cipher.iv_bytes
            yield use(cipher, material[: cipher.key_bytes], material[cipher.key_bytes : end], start)
