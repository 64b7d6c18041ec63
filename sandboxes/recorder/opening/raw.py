"""A bare cipher under a key that somebody named: in hexadecimal or base64, as bytes of a file, or as a digest.

Where the initial value stands is not written anywhere either: before the encrypted bytes, in a word, or it is zero. A
tag (GCM, EAX, Poly1305) needs no checking: what comes out shows that the key is right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from .ciphers import CIPHERS, Cipher
from .keys import LEAST_BYTES, keys, materials, unhex
from .locks import Round, Try, use
from .words import Vocabulary

_MOST_IVS = 12
_LONGEST_RC4 = 256
_TAG = 16
_SALTS = (16, 8)
_ITERATIONS = (100_000, 10_000)
_FERNET = b"\x80\0\0\0"
_FERNET_HEADER = 25
_USUAL = tuple(CIPHERS[name] for name in ("aes-256-cbc", "aes-256-ctr", "aes-128-cbc", "aes-128-ctr"))
_OTHER = tuple(
    cipher for cipher in CIPHERS.values() if cipher not in _USUAL and cipher.family not in ("rc4", "chacha20")
)


class Raw:
    """Any cipher with a key and an initial value."""

    def fits(self, head: bytes) -> bool:  # noqa: ARG002  # anything may be
        """See `Lock`."""
        return True

    def is_sure(self, head: bytes) -> bool:
        """See `Lock`. A token of Fernet says what it is."""
        return head.startswith(_FERNET)

    def rounds(self, head: bytes, vocabulary: Vocabulary) -> Iterator[Round]:
        """See `Lock`."""
        ivs = [iv for word in vocabulary.words if (iv := unhex(word)) and len(iv) in (8, 12, 16)][:_MOST_IVS]
        yield Round(lambda word: _usual(head, word, ivs), 2000)
        yield Round(lambda word: _of(_OTHER, word, head, ivs), 300)
        yield Round(lambda word: _stretched(head, word, ivs), 10)


def _usual(head: bytes, word: bytes, ivs: list[bytes]) -> Iterator[Try]:
    yield from _of(_USUAL, word, head, ivs)
    for key in keys(word, 32):
        yield from _chacha20(key, head, ivs)
        if head.startswith(_FERNET):
            yield use(CIPHERS["aes-128-cbc"], key[16:], head[9:_FERNET_HEADER], _FERNET_HEADER, "fernet")
    if "rc4" in CIPHERS:
        for key in materials(word):
            if LEAST_BYTES <= len(key) <= _LONGEST_RC4:
                yield use(CIPHERS["rc4"], key, b"", 0)


def _of(ciphers: tuple[Cipher, ...], word: bytes, head: bytes, ivs: list[bytes]) -> Iterator[Try]:
    for cipher in ciphers:
        for key in keys(word, cipher.key_bytes):
            yield from _with(cipher, key, head, ivs)


def _stretched(head: bytes, word: bytes, ivs: list[bytes]) -> Iterator[Try]:
    """A key that PBKDF2 made, with the salt in front."""
    for salt in _SALTS:
        for iterations in _ITERATIONS:
            key = hashlib.pbkdf2_hmac("sha256", word, head[:salt], iterations, 32)
            for cipher in _USUAL:
                for each in _with(cipher, key[: cipher.key_bytes], head[salt:], ivs):
                    yield Try(each.name, each.start + salt, each.open)


def _with(cipher: Cipher, key: bytes, head: bytes, ivs: list[bytes]) -> Iterator[Try]:
    size = cipher.iv_bytes
    if not size:
        yield use(cipher, key, b"", 0)
        return
    yield use(cipher, key, head[:size], size)
    yield use(cipher, key, bytes(size), 0)
    for iv in ivs:
        if len(iv) == size:
            yield use(cipher, key, iv, 0)
    if cipher.mode == "ctr" and cipher.family == "aes":
        yield from _counters(cipher, key, head, ivs)


def _counters(cipher: Cipher, key: bytes, head: bytes, ivs: list[bytes]) -> Iterator[Try]:
    """The ways to begin to count: GCM from 2 behind a nonce of 12 bytes, programs from 0 or 1 behind one of 8."""
    name = cipher.name
    for nonce in (12, 8):
        for first in (2, 0, 1):
            start = head[:nonce] + first.to_bytes(16 - nonce, "big")
            yield use(cipher, key, start, nonce, name)
            if nonce == 12 and first == 2:
                yield use(cipher, key, start, nonce + _TAG, name)
    for iv in (*ivs, bytes(12)):
        if len(iv) == 12:
            yield use(cipher, key, iv + b"\0\0\0\2", 0, name)
    yield use(cipher, key, head[:16], 16 + _TAG, name)
    mac = CMAC(AES(key))
    mac.update(bytes(16) + head[:16])
    eax = mac.finalize()
    yield use(cipher, key, eax, 16, name)
    yield use(cipher, key, eax, 16 + _TAG, name)


def _chacha20(key: bytes, head: bytes, ivs: list[bytes]) -> Iterator[Try]:
    """A counter of four bytes, then a nonce of twelve; or both of eight."""
    cipher = CIPHERS["chacha20"]
    for first in (1, 0):
        counter = first.to_bytes(4, "little")
        yield use(cipher, key, counter + head[:12], 12)
        yield use(cipher, key, counter + bytes(12), 0)
        for iv in ivs:
            if len(iv) == 12:
                yield use(cipher, key, counter + iv, 0)
    yield use(cipher, key, head[:16], 16)
    yield use(cipher, key, bytes(8) + head[:8], 8)
    yield from (use(cipher, key, iv, 0) for iv in ivs if len(iv) == 16)
