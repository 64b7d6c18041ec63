"""The keys that a word may stand for: itself, what it writes in hexadecimal or base64, its digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache

LEAST_BYTES = 6
"""What is shorter is not what a key was written from."""
_DIGESTS = ("sha256", "md5", "sha512")


def unhex(word: bytes) -> bytes | None:
    """What hexadecimal digits stand for; None when the word is something else."""
    try:
        return binascii.unhexlify(word.removeprefix(b"0x")) or None
    except ValueError:
        return None


def unbase64(word: bytes) -> bytes | None:
    """What base64 stands for, in either alphabet and with or without padding; None when it is something else."""
    text = word.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    if len(text) % 4 == 1:
        return None
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True) or None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def materials(word: bytes) -> tuple[bytes, ...]:
    """Every byte string that the word may stand for. A line break may have been part of what was digested."""
    written = [plain for plain in (unhex(word), unbase64(word)) if plain and len(plain) >= LEAST_BYTES]
    digests = [hashlib.new(name, form).digest() for name in _DIGESTS for form in (word, word + b"\n")]
    return tuple(dict.fromkeys((word, *written, *digests)))


@lru_cache(maxsize=4096)
def keys(word: bytes, size: int) -> tuple[bytes, ...]:
    """Keys of `size` bytes. What is too long is cut, a word or number that is too short is filled with zeros."""
    plain = (word, unhex(word))
    return tuple(
        dict.fromkeys(
            material[:size].ljust(size, b"\0")
            for material in materials(word)
            if len(material) >= size or (material in plain and len(material) >= LEAST_BYTES)
        )
    )
