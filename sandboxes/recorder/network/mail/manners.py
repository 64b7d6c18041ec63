"""Protocols of commands in lines that a table can tell: POP3 (RFC 1939) and NNTP (RFC 3977).

Whoever logs in finds an empty mailbox, and may post whatever there is to post.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..dialogue import Dialogue
from ..greeting import Greeted, chosen
from ..speaker import drain

if TYPE_CHECKING:
    from ..speaker import Call
    from ..tls import CertificateAuthority
    from .post import Post

MAX_STRANGE = 20
"""Unknown commands in a row; what sends more of them does not speak the protocol, and is taken in silence."""

Lines = tuple[str, ...]


@dataclass(frozen=True)
class Manner:
    """How a protocol is spoken."""

    name: str
    secure_name: str
    """Inside TLS."""
    ports: frozenset[int]
    tls_ports: frozenset[int]
    greetings: Lines
    """One of them is a host's."""
    unknown: str
    """What an unknown command is answered with."""
    farewell: str
    """The answer to QUIT."""
    answers: Mapping[str, Lines]
    """Commands that are always answered in the same way."""
    starts_tls: tuple[str, str]
    """The command, and what it is answered with."""
    asks: Mapping[str, tuple[str, Lines]] = field(default_factory=dict)
    """Commands that a line of the client's follows: what asks for it when it did not come along, and the answer."""
    takes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Commands that a letter follows: what asks for it, and what it is answered with."""


_CAPABILITIES = ("+OK Capability list follows", "USER", "SASL PLAIN", "STLS", "TOP", "UIDL", "PIPELINING", ".")
_NO_MESSAGE = ("-ERR no such message",)
POP3 = Manner(
    name="pop3",
    secure_name="pop3s",
    ports=frozenset({110}),
    tls_ports=frozenset({995}),
    greetings=("+OK Dovecot ready.", "+OK POP3 server ready", "+OK {host} POP3 service"),
    unknown="-ERR Unknown command.",
    farewell="+OK Logging out.",
    answers={
        "APOP": ("+OK Logged in.",),
        "CAPA": _CAPABILITIES,
        "DELE": _NO_MESSAGE,
        "LIST": ("+OK 0 messages:", "."),
        "NOOP": ("+OK",),
        "PASS": ("+OK Logged in.",),
        "RETR": _NO_MESSAGE,
        "RSET": ("+OK",),
        "STAT": ("+OK 0 0",),
        "TOP": _NO_MESSAGE,
        "UIDL": ("+OK", "."),
        "USER": ("+OK",),
    },
    starts_tls=("STLS", "+OK Begin TLS negotiation now."),
    asks={"AUTH": ("+ ", ("+OK Logged in.",))},
)
NNTP = Manner(
    name="nntp",
    secure_name="nntps",
    ports=frozenset({119}),
    tls_ports=frozenset({563}),
    greetings=("200 {host} InterNetNews NNRP server INN 2.7.0 ready (posting ok)", "200 {host} NNTP service ready"),
    unknown="500 What?",
    farewell="205 Bye!",
    answers={
        "AUTHINFO": ("281 Authentication succeeded",),
        "CAPABILITIES": (
            "101 Capability list:",
            "VERSION 2",
            "READER",
            "POST",
            "IHAVE",
            "STARTTLS",
            "AUTHINFO USER",
            ".",
        ),
        "DATE": ("111 20240101000000",),
        "GROUP": ("211 0 1 0",),
        "LIST": ('215 Newsgroups in form "group high low status"', "."),
        "MODE": ("200 Reader mode, posting permitted",),
        "NEWNEWS": ("230 New news follows", "."),
    },
    starts_tls=("STARTTLS", "382 Begin TLS negotiation now"),
    takes={
        "IHAVE": ("335 Send it", "235 Article transferred OK"),
        "POST": ("340 Ok, recommended ID", "240 Article received OK"),
        "TAKETHIS": ("", "239 Article transferred OK"),
    },
)


class Mannered:
    """Speaks a protocol as its manner tells; a `speaker.Speaker` for after the greeting.

    Args:
        manner: the protocol.
        post: where letters are looked at.
        authority: ends TLS.
    """

    def __init__(self, manner: Manner, post: Post, authority: CertificateAuthority) -> None:
        self._manner = manner
        self._post = post
        self._authority = authority

    def greeted(self) -> Greeted:
        """How clients are greeted."""
        manner = self._manner
        greet: Callable[[str], str] = lambda host: chosen(host, manner.greetings)  # noqa: E731
        return Greeted(self, manner.ports, manner.tls_ports, greet)

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        talk = Dialogue(call, self._post.commands)
        strange = 0
        while strange <= MAX_STRANGE:
            call.flow.protocol = self._manner.secure_name if talk.tls else self._manner.name
            try:
                line = await talk.line()
            except TimeoutError:
                return
            verb = line.decode("utf-8", "replace").strip().partition(" ")[0].upper()
            if not line or verb == "QUIT":
                await talk.say(*([self._manner.farewell] if line else []))
                return
            strange = 0 if await self._answer(talk, verb, line) else strange + 1
        await drain(talk.stream, call.flow)

    async def _answer(self, talk: Dialogue, verb: str, line: bytes) -> bool:
        """Do what a command wants; whether it is known."""
        manner = self._manner
        if verb in manner.answers:
            await talk.say(*manner.answers[verb])
        elif verb in manner.asks:
            question, answer = manner.asks[verb]
            if len(line.split()) < 3:
                await talk.say(question)
                await talk.line()
            await talk.say(*answer)
        elif verb in manner.takes:
            await self._take(talk, *manner.takes[verb])
        elif verb == manner.starts_tls[0] and not talk.tls:
            await talk.say(manner.starts_tls[1])
            await talk.secure(self._authority)
        else:
            await talk.say(manner.unknown)
            return False
        return True

    async def _take(self, talk: Dialogue, question: str, answer: str) -> None:
        if question:
            await talk.say(question)
        letter = self._post.letter(talk.flow, "")
        try:
            whole = await talk.until_dot(letter.feed)
        finally:
            letter.finish()
        if whole:
            await talk.say(answer)
