"""Sealed files: bytes in an envelope (DSSE) that a local ed25519 key signed.

An envelope is read only if it is, byte for byte, what `seal` would have written. One with a second signature, an
unknown field, other white space or base64 of another spelling says nothing more, so nothing is lost by refusing it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecureSystemsError
from securesystemslib.signer import CryptoSigner, Key, Signature, SSlibKey

from afagent.errors import AfagentError, UsageError
from afagent.gate.verdict import EXIT_CODES
from afagent.quoting import printable

MOST_BYTES = 64_000_000
"""A longer envelope is none of ours."""
_PRIVATE, _PUBLIC = 0o600, 0o644


class UntrustedError(AfagentError):
    """What was read is not what a trusted key signed.

    UntrustedError
    ├── MalformedError      no envelope, or none that `seal` wrote
    ├── PayloadTypeError    signed for another purpose
    ├── SignatureError      none of the keys signed it, or it was changed since
    └── SubjectError        about something else (`outputs.attestation`, `waivers`)
    """

    exit_code = EXIT_CODES["MISMATCH"]


class MalformedError(UntrustedError):
    """No envelope, or none that `seal` wrote."""


class PayloadTypeError(UntrustedError):
    """Signed for another purpose."""


class SignatureError(UntrustedError):
    """None of the keys signed it, or it was changed since."""


class SubjectError(UntrustedError):
    """Signed, but about something else."""


def keygen(path: Path) -> Path:
    """Makes a key pair: the private key at `path`, for its owner only, the public one beside it, both as PEM.

    Returns:
        Where the public key is: `path` with `.pub` added.

    Raises:
        UsageError: one of the files is there already, or cannot be written. Nothing is ever overwritten.
    """
    signer = CryptoSigner.generate_ed25519()
    public_path = path.with_name(f"{path.name}.pub")
    _write_new(path, signer.private_bytes, _PRIVATE)
    try:
        _write_new(public_path, public_pem(signer.public_key), _PUBLIC)
    except UsageError:
        path.unlink()
        raise
    return public_path


def public_pem(key: Key) -> bytes:
    """A public key as PEM."""
    raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"]))
    return raw.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_private_key(path: Path) -> CryptoSigner:
    """The signer of a file that `keygen` wrote.

    Raises:
        UsageError: it cannot be read, or holds no ed25519 key without a password.
    """
    try:
        key = load_pem_private_key(_content(path, "private key"), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise UsageError(f"{path} is no private key as PEM without a password; make one with `keygen`") from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} is a private key of another kind than ed25519; make one with `keygen`")
    return CryptoSigner(key)


def read_public_key(path: Path) -> SSlibKey:
    """A public key's file.

    Raises:
        UsageError: it cannot be read, or holds no ed25519 key.
    """
    try:
        key = load_pem_public_key(_content(path, "public key"))
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise UsageError(f"{path} is no public key as PEM; name the file that ends in .pub") from problem
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path} is a public key of another kind than ed25519")
    return SSlibKey.from_crypto(key)


def seal(payload: bytes, payload_type: str, signer: CryptoSigner) -> bytes:
    """The payload in a signed envelope; the same payload and key give the same bytes."""
    envelope = Envelope(payload, payload_type, {})
    envelope.sign(signer)
    return _written(envelope)


def unseal(sealed: bytes, payload_type: str, keys: Sequence[Key]) -> bytes:
    """The payload of an envelope that one of the keys signed for this purpose.

    Raises:
        UntrustedError: one of its kinds; without any keys it is a SignatureError.
    """
    envelope = _parsed(sealed)
    if envelope.payload_type != payload_type:
        raise PayloadTypeError(f"the envelope is of type {printable(str(envelope.payload_type))}, not {payload_type}")
    if not keys:
        raise SignatureError("there are no public keys to check the signature with")
    try:
        envelope.verify(list(keys), threshold=1)
    except (SecureSystemsError, ValueError) as problem:
        raise SignatureError("none of the trusted keys signed this, or it was changed since") from problem
    return envelope.payload


def _parsed(sealed: bytes) -> Envelope:
    if len(sealed) > MOST_BYTES:
        raise MalformedError(f"no envelope is longer than {MOST_BYTES:,} bytes")
    try:
        envelope = Envelope.from_dict(json.loads(sealed))
        envelope.signatures = {
            keyid: Signature(keyid, signature.signature) for keyid, signature in envelope.signatures.items()
        }  # without unknown fields, which the library would keep
        same = _written(envelope) == sealed
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SecureSystemsError) as problem:
        raise MalformedError("this is no signed envelope (DSSE)") from problem
    if not same or len(envelope.signatures) != 1:
        raise MalformedError("the envelope is not as it was written: something was changed or added")
    return envelope


def _written(envelope: Envelope) -> bytes:
    return (json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":")) + "\n").encode("ascii")


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except FileExistsError as problem:
        raise UsageError(f"{path} is there already, and a key is never overwritten; name another file") from problem
    except OSError as problem:
        raise UsageError(f"cannot write the key {path}: {problem.strerror}") from problem


def _content(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read the {what} {path}: {problem.strerror}") from problem
