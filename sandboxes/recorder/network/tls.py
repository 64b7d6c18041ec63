"""Ending TLS: a certificate authority as companies have for inspecting TLS, and one side of a TLS session.

The session takes bytes and gives bytes; it has no socket.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import re
import ssl
from collections import OrderedDict

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MAX_CONTEXTS = 256
"""Certificates kept ready; an older one is minted again when it is needed."""

_CA_DAYS_AGO, _CA_DAYS = 400, 3650
_LEAF_DAYS_AGO, _LEAF_DAYS = 20, 90
_HOST = re.compile(r"(?!-)[A-Za-z0-9_*-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\Z")
_MAX_NAME = 253
_COMMON_NAME = 64
"""Characters that X.509 allows in a common name."""


class CertificateAuthority:
    """Mints a certificate for each name that a client asks for.

    Args:
        company: whose inspection CA it seems to be, such as `Corvid Labs`.
        now: the moment of its making; None for the clock's.
    """

    def __init__(self, company: str, now: datetime.datetime | None = None) -> None:
        self._company = company[:_COMMON_NAME] or "Corporate"
        self._now = now or datetime.datetime.now(datetime.UTC)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_pem = self._leaf_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self._company),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Information Security"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{self._company[:40]} TLS Inspection CA G2"),
            ]
        )
        self._certificate = self._make_root()
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()

    @property
    def pem(self) -> str:
        """The authority's certificate, for the workstation to trust."""
        pem: bytes = self._certificate.public_bytes(serialization.Encoding.PEM)
        return pem.decode()

    def session(self, address: str) -> Session:
        """The server's side of a session with a client that wanted `address` (used where the client names nothing)."""
        return Session(self.context_for(address))

    def context_for(self, name: str) -> ssl.SSLContext:
        """A context whose certificate is for `name`, a host name or an address."""
        context = self._contexts.get(name)
        if context is None:
            context = self._contexts[name] = self._make_context(name)
            if len(self._contexts) > MAX_CONTEXTS:
                self._contexts.popitem(last=False)
        self._contexts.move_to_end(name)
        return context

    def _choose(self, session: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name is not None and _is_host(name):
            session.context = self.context_for(name.lower())
            if isinstance(session, _NamedObject):
                session.asked = name.lower()

    def _make_root(self) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        public = self._key.public_key()
        return (
            self._builder(self._subject, public, _CA_DAYS_AGO, _CA_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _make_leaf(self, name: str) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_COMMON_NAME])])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            self._builder(subject, self._leaf_key.public_key(), _LEAF_DAYS_AGO, _LEAF_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _builder(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, days_ago: int, days: int
    ) -> x509.CertificateBuilder:
        start = self._now - datetime.timedelta(days=days_ago, seconds=self._now.timestamp() % 40_000)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=days))
        )

    def _make_context(self, name: str) -> ssl.SSLContext:
        leaf = self._make_leaf(name).public_bytes(serialization.Encoding.PEM)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2", "http/1.1"])
        context.sslobject_class = _NamedObject
        context.sni_callback = self._choose
        # `load_cert_chain` takes files only: one that lies in memory and is gone at once.
        file = os.memfd_create("leaf")
        try:
            os.write(file, leaf + self._leaf_pem)
            context.load_cert_chain(f"/proc/self/fd/{file}")
        finally:
            os.close(file)
        return context


class _NamedObject(ssl.SSLObject):
    """Remembers the name that the client asked for."""

    asked: str | None = None


class Session:
    """One side of one TLS session: takes and gives bytes.

    Args:
        context: ours.
        server_side: whether we are the server.
    """

    def __init__(self, context: ssl.SSLContext, *, server_side: bool = True) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side)
        self.established = False
        """Whether the handshake is done."""
        self.ended = False
        """Whether the other side has said goodbye."""
        self._broken: ssl.SSLError | None = None

    @property
    def name(self) -> str | None:
        """The host that the client asked for (SNI), if any."""
        return self._tls.asked if isinstance(self._tls, _NamedObject) else None

    @property
    def broken(self) -> bool:
        """Whether what came last was not all TLS."""
        return self._broken is not None

    def receive(self, data: bytes) -> bytes:
        """Take what the client sent; gives what was inside.

        Raises:
            ssl.SSLError: the client refused, or this is not TLS. `take` may still have an alert to send.
        """
        if self._broken is not None:
            raise self._broken
        self._incoming.write(data)
        plain = bytearray()
        try:
            if not self.established:
                self._tls.do_handshake()
                self.established = True
            while piece := self._tls.read(65536):
                plain += piece
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as problem:
            self._broken = problem
            if not plain:
                raise
        return bytes(plain)

    def send(self, data: bytes) -> None:
        """Encrypt bytes for the client; `take` gives them.

        Raises:
            ssl.SSLError: the session has ended.
        """
        self._tls.write(data)

    def take(self) -> bytes:
        """What is to be sent to the client now."""
        return self._outgoing.read()

    def rest(self) -> bytes:
        """What came after the other side's goodbye."""
        return self._incoming.read() if self.ended else b""

    def close(self) -> None:
        """Say goodbye; `take` gives it."""
        with contextlib.suppress(ssl.SSLError, ValueError):  # the client's goodbye is not waited for
            self._tls.unwrap()


def trusting_client() -> ssl.SSLContext:
    """A client that takes any certificate and old ciphers: it only wants to see what is offered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def company_of(domain: str) -> str:
    """A company's name from its domain: `int.corvid-labs.ai` gives `Corvid Labs`."""
    labels = domain.rstrip(".").split(".")
    return labels[-2 if len(labels) > 1 else 0].replace("-", " ").title()


def _is_host(name: str) -> bool:
    return len(name) <= _MAX_NAME and _HOST.match(name) is not None


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
