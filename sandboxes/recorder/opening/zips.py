"""Entries of zip archives under a password: the old cipher of PKZIP, and AES as WinZip writes it.

What comes out is an archive again, its entries no longer encrypted, so that a look goes on from there.
APPNOTE 6.3, sections 4.3.7, 6.1 and 7; for AES the specification "AE-1 and AE-2" of WinZip.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from .ciphers import Decrypt
from .locks import Round, Try
from .words import Vocabulary

_MAGIC = b"PK\x03\x04"
_HEADER = struct.Struct("<4s5H3L2H")
_ENCRYPTED, _SIZE_FOLLOWS, _AES_METHOD = 0x1, 0x8, 99
_AES_EXTRA = 0x9901
_AES_TAG = 10
_OLD_HEADER = 12
_TRAILER = 24 + _AES_TAG
"""Between an entry's content and the next header: a tag, and its sizes again."""
_LONGEST_HEADER = _HEADER.size + 2 * 65535 + 64
_CRC = [crc32(bytes([n]), 0xFFFFFFFF) ^ 0xFFFFFFFF for n in range(256)]


@dataclass(frozen=True)
class _Entry:
    """One entry's local header."""

    size: int
    """Bytes up to where its content begins."""
    method: int
    stored: int
    """Encrypted bytes of its content; 0 when that is not said here."""
    check: int
    """What the last byte of the old cipher's own header must be."""
    strength: int
    """Of AES: 1, 2 or 3 for 128, 192 or 256 bits; 0 for the old cipher."""
    name: bytes

    def plain(self) -> bytes:
        """The header as it would stand there unencrypted."""
        return _HEADER.pack(_MAGIC, 20, 0, self.method, 0, 0, 0, 0, 0, len(self.name), 0) + self.name


def _entry(data: bytes) -> _Entry | None:
    """The encrypted entry that begins here; None when none does, or its header is not there whole."""
    if len(data) < _HEADER.size:
        return None
    magic, _, flags, method, time, _, crc, stored, _, name, extra = _HEADER.unpack_from(data)
    size = _HEADER.size + name + extra
    if magic != _MAGIC or not flags & _ENCRYPTED or len(data) < size:
        return None
    strength = 0
    fields = data[_HEADER.size + name : size]
    if method == _AES_METHOD:
        while len(fields) >= 4:
            kind, length = struct.unpack_from("<2H", fields)
            if kind == _AES_EXTRA and length >= 7 and len(fields) >= 11:
                strength, method = fields[8], struct.unpack_from("<H", fields, 9)[0]
            fields = fields[4 + length :]
        if strength not in (1, 2, 3):
            return None
    check = time >> 8 if flags & _SIZE_FOLLOWS else crc >> 24
    return _Entry(size, method, stored, check, strength, data[_HEADER.size : _HEADER.size + name])


class Zipped:
    """An encrypted zip archive, from its first local header on."""

    def fits(self, head: bytes) -> bool:
        """See `Lock`."""
        return _entry(head) is not None

    is_sure = fits

    def rounds(self, head: bytes, vocabulary: Vocabulary) -> Iterator[Round]:  # noqa: ARG002
        """See `Lock`."""
        entry = _entry(head)
        if entry is not None:
            name = "zip-aes" if entry.strength else "zipcrypto"
            begin = head[entry.size :]
            yield Round(
                lambda word: (
                    iter((Try(name, 0, lambda: Archive(word).feed),)) if _opens(entry, word, begin) else iter(())
                ),
                20_000,
            )


class Archive:
    """Decrypts the entries of an archive as its bytes come in. Ends at the first thing that is no encrypted entry."""

    def __init__(self, word: bytes) -> None:
        self._word = word
        self._held = b""
        self._decrypt: Decrypt | None = None
        self._left = 0
        self._over = False

    def feed(self, data: bytes) -> bytes:
        """The archive that the next bytes decrypt to."""
        self._held += data
        out = b""
        while self._held and not self._over:
            if self._decrypt is not None:
                out += self._go_on(self._decrypt)
                continue
            head = self._begin()
            if head is None:
                self._over = len(self._held) > _LONGEST_HEADER
                break
            out += head
        return out

    def _go_on(self, decrypt: Decrypt) -> bytes:
        piece, self._held = self._held[: self._left], self._held[self._left :]
        self._left -= len(piece)
        if not self._left:
            self._decrypt = None
        return decrypt(piece)

    def _begin(self) -> bytes | None:
        """Begin with the next entry; gives its header, or None when none is there."""
        begins = self._held.find(_MAGIC, 0, _TRAILER + len(_MAGIC))
        entry = _entry(self._held[max(0, begins) :])
        content = self._held[begins + entry.size :] if entry else b""
        if entry is None or len(content) < _OLD_HEADER + 6:
            return None
        used = _salt_bytes(entry) + 2 if entry.strength else _OLD_HEADER
        tag = _AES_TAG if entry.strength else 0
        self._left = max(1, entry.stored - used - tag) if entry.stored else 1 << 62
        self._decrypt = _winzip(entry, self._word, content) if entry.strength else _pkzip(self._word, content)
        self._held = content[used:]
        return entry.plain()


def _opens(entry: _Entry, word: bytes, content: bytes) -> bool:
    """Whether the password may be right: one wrong in 256 passes, and with AES one in 65,536."""
    if entry.strength:
        salt = _salt_bytes(entry)
        return len(content) > salt + 2 and _aes_keys(entry, word, content)[-2:] == content[salt : salt + 2]
    cipher = _Old(word)
    return len(content) >= _OLD_HEADER and cipher.decrypt(content[:_OLD_HEADER])[-1] == entry.check


# --- AES --------------------------------------------------------------------------------------------------------------


def _salt_bytes(entry: _Entry) -> int:
    return 4 + 4 * entry.strength


def _aes_keys(entry: _Entry, word: bytes, content: bytes) -> bytes:
    size = 8 + 8 * entry.strength
    return hashlib.pbkdf2_hmac("sha1", word, content[: _salt_bytes(entry)], 1000, 2 * size + 2)


def _winzip(entry: _Entry, word: bytes, content: bytes) -> Decrypt:
    """Counter mode with a counter that is little-endian, which no library has: blocks of the counter, encrypted."""
    block = Cipher(AES(_aes_keys(entry, word, content)[: 8 + 8 * entry.strength]), ECB()).encryptor()  # noqa: S305
    number, held = 1, b""

    def decrypt(data: bytes) -> bytes:
        nonlocal number, held
        need = -(-max(0, len(data) - len(held)) // 16)
        counters = np.zeros((need, 2), "<u8")
        counters[:, 0] = np.arange(number, number + need, dtype=np.uint64)
        number += need
        stream = held + block.update(counters.tobytes())
        held = stream[len(data) :]
        return (np.frombuffer(data, np.uint8) ^ np.frombuffer(stream, np.uint8, len(data))).tobytes()

    return decrypt


# --- the old cipher ---------------------------------------------------------------------------------------------------


class _Old:
    """PKZIP's cipher; one byte depends on all before it, so this is as slow as Python."""

    def __init__(self, word: bytes) -> None:
        self._keys = 0x12345678, 0x23456789, 0x34567890
        self._run(word, encrypted=False)

    def decrypt(self, data: bytes) -> bytes:
        return self._run(data, encrypted=True)

    def _run(self, data: bytes, *, encrypted: bool) -> bytes:
        a, b, c = self._keys
        table, out = _CRC, bytearray(data)
        for i, byte in enumerate(data):
            if encrypted:
                k = c | 2
                byte ^= k * (k ^ 1) >> 8 & 0xFF  # noqa: PLW2901
                out[i] = byte
            a = table[(a ^ byte) & 0xFF] ^ a >> 8
            b = ((b + (a & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
            c = table[(c ^ b >> 24) & 0xFF] ^ c >> 8
        self._keys = a, b, c
        return bytes(out)


def _pkzip(word: bytes, content: bytes) -> Decrypt:
    cipher = _Old(word)
    cipher.decrypt(content[:_OLD_HEADER])
    return cipher.decrypt
