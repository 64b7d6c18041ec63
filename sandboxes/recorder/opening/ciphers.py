"""The ciphers of two libraries by the names that people know them by, such as `aes-256-cbc`.

They are those of `cryptography`, but for RC4: there `pycryptodomex` takes keys of any length, as the few lines do with
which people write it themselves.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from Cryptodome.Cipher import ARC4
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher as _Cipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes

Decrypt = Callable[[bytes], bytes]
"""Takes the next bytes and gives those that they decrypt to. It may hold some back, and raises nothing."""

_DECREPIT = ("cryptography.hazmat.decrepit.ciphers", "cryptography.hazmat.primitives.ciphers")


def _find(part: str, name: str) -> Any:
    """A cipher or a mode of the library, which moves what is old from one module to another."""
    for module in _DECREPIT:
        with suppress(ImportError, AttributeError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is old is why it is here
            return getattr(importlib.import_module(f"{module}.{part}"), name)
    return None


_BLOCK: dict[str, tuple[Any, int]] = {
    "aes": (algorithms.AES, 16),
    "camellia": (_find("algorithms", "Camellia"), 16),
    "sm4": (_find("algorithms", "SM4"), 16),
    "seed": (_find("algorithms", "SEED"), 16),
    "des3": (_find("algorithms", "TripleDES"), 8),
    "cast5": (_find("algorithms", "CAST5"), 8),
    "blowfish": (_find("algorithms", "Blowfish"), 8),
    "idea": (_find("algorithms", "IDEA"), 8),
}
_MODES: dict[str, Callable[[bytes], Any]] = {
    "cbc": modes.CBC,
    "ctr": modes.CTR,
    "cfb": _find("modes", "CFB"),
    "ofb": _find("modes", "OFB"),
    "cfb8": _find("modes", "CFB8"),
    "ecb": lambda _iv: modes.ECB(),  # noqa: S305  # others choose it
}
_SIZES = {
    "aes": (32, 16, 24),
    "camellia": (32, 16, 24),
    "sm4": (16,),
    "seed": (16,),
    "des3": (24,),
    "cast5": (16,),
    "blowfish": (16,),
    "idea": (16,),
}


@dataclass(frozen=True)
class Cipher:
    """A cipher with its mode and the sizes of its key and initial value, in bytes."""

    name: str
    family: str
    mode: str
    key_bytes: int
    iv_bytes: int

    def decryptor(self, key: bytes, iv: bytes) -> Decrypt | None:
        """What decrypts a stream from its start; None where the library lacks the cipher, or refuses the key."""
        try:
            if self.family == "rc4":
                return ARC4.new(key).decrypt
            if self.family == "chacha20":
                cipher = _Cipher(algorithms.ChaCha20(key, iv), None)
            else:
                cipher = _Cipher(_BLOCK[self.family][0](key), _MODES[self.mode](iv))
            return cipher.decryptor().update
        except (UnsupportedAlgorithm, ValueError, TypeError):
            return None


def _all() -> Iterator[Cipher]:
    for family, (_, block) in _BLOCK.items():
        for mode in _MODES:
            for size in _SIZES[family]:
                bits = f"-{8 * size}" if len(_SIZES[family]) > 1 else ""
                yield Cipher(f"{family}{bits}-{mode}", family, mode, size, 0 if mode == "ecb" else block)
    yield Cipher("chacha20", "chacha20", "", 32, 16)
    yield Cipher("rc4", "rc4", "", 16, 0)


CIPHERS = {
    cipher.name: cipher for cipher in _all() if cipher.decryptor(bytes(range(cipher.key_bytes)), bytes(cipher.iv_bytes))
}
"""Those that this machine's library can do."""
