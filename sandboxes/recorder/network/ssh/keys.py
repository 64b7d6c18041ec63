"""Host keys and banners of SSH servers: by name, the same whenever the name is visited again."""

from __future__ import annotations

import asyncio
import hashlib
import secrets

import asyncssh
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

MAX_HOSTS = 500
"""Hosts that have an RSA key of their own; it takes a while to make one."""

_VERSIONS = (
    "OpenSSH_9.2p1 Debian-2+deb12u3",
    "OpenSSH_8.9p1 Ubuntu-3ubuntu0.10",
    "OpenSSH_9.6p1 Ubuntu-3ubuntu13.5",
    "OpenSSH_8.4p1 Debian-5+deb11u3",
    "OpenSSH_8.7",
    "OpenSSH_9.3",
)


class HostKeys:
    """The keys of all hosts of an episode. Elliptic ones follow from a secret; RSA keys are remembered."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._rsa: dict[str, asyncio.Future[asyncssh.SSHKey]] = {}

    async def of(self, name: str) -> list[asyncssh.SSHKey]:
        """A host's keys, the newest kind first."""
        edwards = ed25519.Ed25519PrivateKey.from_private_bytes(self._digest(name, "ed25519"))
        # A multiple of the order's size would be no key; a hash is below P-256's order but for one time in 2^32.
        scalar = int.from_bytes(self._digest(name, "ecdsa"), "big") >> 1
        keys = [_import(edwards), _import(ec.derive_private_key(scalar, ec.SECP256R1()))]
        if name not in self._rsa and len(self._rsa) < MAX_HOSTS:
            self._rsa[name] = asyncio.ensure_future(asyncio.to_thread(_new_rsa))
        if name in self._rsa:
            keys.append(await asyncio.shield(self._rsa[name]))
        return keys

    def _digest(self, name: str, kind: str) -> bytes:
        return hashlib.sha256(self._secret + f"{kind} {name}".encode(errors="replace")).digest()


def version_of(name: str) -> str:
    """What a host's server calls itself."""
    return _VERSIONS[hashlib.sha256(name.encode(errors="replace")).digest()[1] % len(_VERSIONS)]


def _new_rsa() -> asyncssh.SSHKey:
    return _import(rsa.generate_private_key(65537, 2048))


def _import(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> asyncssh.SSHKey:
    # In this form every version of the library reads what every version of cryptography writes.
    form = serialization.PrivateFormat.PKCS8
    return asyncssh.import_private_key(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
