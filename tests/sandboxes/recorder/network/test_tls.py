"""TLS is ended with a certificate for whatever name the client wants."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afagent.sandboxes.recorder.network import tls
from afagent.sandboxes.recorder.network.tls import CertificateAuthority, Session, company_of

AUTHORITY = CertificateAuthority("Tarnvale")


class Client:
    """A real TLS client over memory."""

    def __init__(self, server: Session, name: str, context: ssl.SSLContext | None = None) -> None:
        self.context = context or ssl.create_default_context(cadata=AUTHORITY.pem)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.server = server

    def shake(self) -> None:
        while not self.server.established:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            finally:
                self.pass_on()

    def pass_on(self) -> bytes:
        plain = self.server.receive(self.outgoing.read())
        self.incoming.write(self.server.take())
        return plain


@pytest.mark.parametrize(
    "name", ["example.com", "a.b-c.example.org", "A" * 60 + ".example.net", "192.0.2.7", "2a01::5"]
)
def test_a_client_that_trusts_the_authority_trusts_every_name(name: str) -> None:
    client = Client(AUTHORITY.session("192.0.2.7" if name[0].isalpha() else name), name)
    client.shake()
    client.tls.write(b"x" * 100_000)
    assert client.pass_on() == b"x" * 100_000
    client.server.send(b"answer")
    client.incoming.write(client.server.take())
    assert client.tls.read(100) == b"answer"
    assert client.server.name == (name.lower() if name[0].isalpha() else None)


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), (["x"], None)])
def test_the_newest_http_that_the_client_speaks_is_chosen(offered: list[str], chosen: str | None) -> None:
    context = ssl.create_default_context(cadata=AUTHORITY.pem)
    context.set_alpn_protocols(offered)
    client = Client(AUTHORITY.session("192.0.2.7"), "example.com", context)
    client.shake()
    assert client.tls.selected_alpn_protocol() == chosen


def test_a_client_that_does_not_trust_the_authority_is_told_apart() -> None:
    client = Client(AUTHORITY.session("192.0.2.7"), "example.com", ssl.create_default_context())
    with pytest.raises(ssl.SSLError):
        client.shake()
    assert not client.server.established


def test_the_client_s_goodbye_is_seen() -> None:
    client = Client(AUTHORITY.session("192.0.2.7"), "example.com")
    client.shake()
    client.tls.write(b"last words")
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    assert client.pass_on() == b"last words"
    assert client.server.ended


def test_bytes_before_a_breakage_are_not_lost() -> None:
    client = Client(AUTHORITY.session("192.0.2.7"), "example.com")
    client.shake()
    client.tls.write(b"last words")
    assert client.server.receive(client.outgoing.read() + b"\x17\x03\x03\x00\x05junk!") == b"last words"
    with pytest.raises(ssl.SSLError):
        client.server.receive(b"more")


@pytest.mark.parametrize("name", ["bad name", "-x.example", "a" * 64 + ".org", "x." * 130 + "org", "a/../b", ""])
def test_a_name_that_is_none_does_not_reach_a_certificate(name: str) -> None:
    assert not tls._is_host(name)


@given(st.binary(max_size=400))
@settings(max_examples=50)
def test_arbitrary_bytes_give_a_tls_error_or_nothing(data: bytes) -> None:
    session = AUTHORITY.session("192.0.2.7")
    try:
        assert session.receive(data) == b""
    except ssl.SSLError:
        assert not session.established


def test_certificates_are_kept_in_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "MAX_CONTEXTS", 4)
    authority = CertificateAuthority("Tarnvale")
    kept = authority.context_for("kept.example")
    for i in range(10):
        authority.context_for(f"{i}.example")
        assert authority.context_for("kept.example") is kept
    assert len(authority._contexts) == 4


@pytest.mark.parametrize(
    ("domain", "company"), [("core.tarnvale.io", "Tarnvale"), ("int.two-words.ai", "Two Words"), ("lan", "Lan")]
)
def test_the_company_is_read_from_its_domain(domain: str, company: str) -> None:
    assert company_of(domain) == company
