"""Messages of OpenPGP under a passphrase, as `gpg --symmetric` writes them (RFC 4880).

Only what such a message needs: the packet that says how the passphrase becomes a key (section 5.3), the encrypted
packet (5.13, 5.7), and in it compressed and literal data (5.6, 5.9). In armour the message is base64, which the look
undoes by itself.
"""

from __future__ import annotations

import bz2
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .ciphers import CIPHERS, Cipher, Decrypt
from .locks import Round, Try
from .words import Vocabulary

_SESSION_KEY, _COMPRESSED, _ENCRYPTED, _LITERAL, _PROTECTED = 3, 8, 9, 11, 18
_HASHES = {1: "md5", 2: "sha1", 3: "ripemd160", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_CIPHERS = {
    1: "idea-cfb",
    2: "des3-cfb",
    3: "cast5-cfb",
    4: "blowfish-cfb",
    7: "aes-128-cfb",
    8: "aes-192-cfb",
    9: "aes-256-cfb",
    11: "camellia-128-cfb",
    12: "camellia-192-cfb",
    13: "camellia-256-cfb",
}
_HASHED_AT_ONCE = 1 << 20
_DEPTH = 4
_SLICE = 1 << 14


class Packets:
    """Takes packets out of a stream, whatever way their lengths are written in.

    Args:
        tag: gives the decryptor, or what else undoes a packet's content, for a packet's kind; None to pass it over.
    """

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._held = b""
        self._left: int | None = 0
        """Bytes of the packet's current part that are still to come; None: up to the end."""
        self._more = False
        """Whether another part of the same packet follows."""
        self._content: Decrypt | None = None
        self._broken = False

    def feed(self, data: bytes) -> bytes:
        """The literal data in the next bytes."""
        self._held += data
        out = b""
        while self._held and not self._broken:
            if self._left == 0:
                if not self._start():
                    break
                continue
            piece = self._held if self._left is None else self._held[: self._left]
            self._held = self._held[len(piece) :]
            if self._left is not None:
                self._left -= len(piece)
            if self._content is not None:
                out += self._content(piece)
        return out

    def _start(self) -> bool:
        """Read the header of a packet, or of a part; False when it is not there whole."""
        held, at = self._held, 0
        if not self._more:
            if not held[0] & 0x80:
                self._broken = True
                return False
            at = 1
        if not self._more and not held[0] & 0x40:
            kind, wide = held[0] >> 2 & 0xF, 1 << (held[0] & 3)
            wide = 0 if wide == 8 else wide
            if len(held) < at + wide:
                return False
            self._left = int.from_bytes(held[at : at + wide], "big") if wide else None
            self._held = held[at + wide :]
            self._content = self._inside(kind)
            return True
        size = _new_length(held[at:])
        if size is None:
            return False
        if not self._more:
            self._content = self._inside(held[0] & 0x3F)
        self._left, used, self._more = size
        self._held = held[at + used :]
        return True

    def _inside(self, kind: int) -> Decrypt | None:
        if kind == _LITERAL:
            return _Literal().feed
        if kind == _COMPRESSED and self._depth < _DEPTH:
            return _Inflated(self._depth + 1).feed
        return None


def _new_length(data: bytes) -> tuple[int, int, bool] | None:
    """Length of a part, bytes that say so, and whether more parts follow (section 4.2.2)."""
    first = data[0] if data else 0
    if 224 <= first < 255:
        return 1 << (first & 0x1F), 1, True
    need = 1 if first < 192 else 2 if first < 224 else 5
    if len(data) < need:
        return None
    if need == 1:
        return first, 1, False
    if need == 2:
        return (first - 192 << 8) + data[1] + 192, 2, False
    return int.from_bytes(data[1:5], "big"), 5, False


class _Literal:
    """Drops what stands before the data: a format, a file's name, a date."""

    def __init__(self) -> None:
        self._head = b""
        self._past = False

    def feed(self, data: bytes) -> bytes:
        if self._past:
            return data
        self._head += data
        if len(self._head) < 2 or len(self._head) < 6 + self._head[1]:
            return b""
        self._past = True
        return self._head[6 + self._head[1] :]


class _Inflated:
    """Decompresses, and takes the packets in it."""

    def __init__(self, depth: int) -> None:
        self._engine: Any = None
        self._inside = Packets(depth)

    def feed(self, data: bytes) -> bytes:
        if self._engine is None and data:
            self._engine = {1: lambda: zlib.decompressobj(-15), 2: zlib.decompressobj, 3: bz2.BZ2Decompressor}.get(
                data[0], lambda: None
            )()
            data = data[1:]
        if self._engine is None:
            return self._inside.feed(data)
        try:
            return b"".join(
                self._inside.feed(self._engine.decompress(data[at : at + _SLICE])) for at in range(0, len(data), _SLICE)
            )
        except (zlib.error, OSError, EOFError):
            return b""


# --- the lock ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Message:
    """How the key is made, and where the encrypted packet begins."""

    cipher: Cipher
    digest: str
    salt: bytes
    count: int
    """Bytes that are hashed; 0: the passphrase once."""
    wrapped: bytes
    """The message's own key, encrypted; empty when the passphrase's key is used itself."""
    start: int


def _message(head: bytes) -> _Message | None:
    """What a message says at its start, or None when it is none under a passphrase."""
    if len(head) < 16 or head[0] not in (0x8C, 0xC3):
        return None
    size, body = head[1], head[2 : 2 + head[1]]
    if size < 4 or size >= 192 or body[0] != 4 or len(head) < 2 + size + 64:
        return None
    cipher, digest, way = CIPHERS.get(_CIPHERS.get(body[1], "")), _HASHES.get(body[3]), body[2]
    salted, counted = way in (1, 3), way == 3
    used = 4 + 8 * salted + counted
    if cipher is None or digest is None or way not in (0, 1, 3) or len(body) < used:
        return None
    code = body[used - 1]
    count = (16 + (code & 15)) << (code >> 4) + 6 if counted else 0
    return _Message(cipher, digest, body[4 : 4 + 8 * salted], count, body[used:], 2 + size)


class Message:
    """A message under a passphrase."""

    def fits(self, head: bytes) -> bool:
        """See `Lock`."""
        return _message(head) is not None

    is_sure = fits

    def rounds(self, head: bytes, vocabulary: Vocabulary) -> Iterator[Round]:  # noqa: ARG002
        """See `Lock`."""
        message = _message(head)
        if message is not None:
            yield Round(lambda word: _tries(message, word, head), 20_000)


def _tries(message: _Message, word: bytes, head: bytes) -> Iterator[Try]:
    cipher, key = message.cipher, _key(message, word)
    if message.wrapped:
        unwrap = cipher.decryptor(key, bytes(cipher.iv_bytes))
        plain = unwrap(message.wrapped) if unwrap else b""
        named = CIPHERS.get(_CIPHERS.get(plain[0] if plain else 0, ""))
        if named is None or len(plain) != 1 + named.key_bytes:
            return
        cipher, key = named, plain[1:]
    body = Body(cipher, key)
    body.feed(head[message.start :])
    if body.is_right:
        yield Try(
            f"pgp-{cipher.name.removesuffix('-cfb')}", message.start, lambda: Body(cipher, key).feed, is_right=True
        )


def _key(message: _Message, word: bytes) -> bytes:
    """Section 3.7.1: the digest over and over, with a zero more in front for each further stretch of key."""
    made = b""
    unit = message.salt + word
    total = max(message.count, len(unit))
    piece = unit * max(1, _HASHED_AT_ONCE // max(1, len(unit)))
    while len(made) < message.cipher.key_bytes:
        digest = hashlib.new(message.digest, bytes(len(made) // hashlib.new(message.digest).digest_size))
        for _ in range(total // len(piece)):
            digest.update(piece)
        digest.update(piece[: total % len(piece)])
        made += digest.digest()
    return made[: message.cipher.key_bytes]


class Body(Packets):
    """The encrypted packet: a random block whose last two bytes come twice, then packets."""

    def __init__(self, cipher: Cipher, key: bytes) -> None:
        super().__init__()
        self._cipher, self._key = cipher, key
        self.is_right = False
        """Whether the two bytes came twice: one wrong key in 65,536 does so."""

    def _inside(self, kind: int) -> Decrypt | None:
        if kind not in (_PROTECTED, _ENCRYPTED):
            return None
        decrypt = self._cipher.decryptor(self._key, bytes(self._cipher.iv_bytes))
        skip = kind == _PROTECTED  # its version
        start, packets = b"", Packets()
        block = self._cipher.iv_bytes

        def undo(data: bytes) -> bytes:
            nonlocal skip, start
            if skip and data:
                skip, data = False, data[1:]
            plain = decrypt(data) if decrypt else b""
            if len(start) < block + 2:
                start += plain
                if len(start) < block + 2:
                    return b""
                plain = start[block + 2 :]
                self.is_right = start[block - 2 : block] == start[block : block + 2]
            return packets.feed(plain) if self.is_right else b""

        return undo
