"""SMTP (RFC 5321) and LMTP: every host has a mail server that takes letters for anybody, from anybody."""

from __future__ import annotations

import base64
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..dialogue import Dialogue
from ..greeting import Greeted, chosen, first_word
from ..speaker import drain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..speaker import Call
    from ..tls import CertificateAuthority
    from .letters import Letter
    from .post import Post

PORTS, TLS_PORTS = frozenset({24, 25, 26, 587, 2525}), frozenset({465})

SIZE = 157_286_400
"""Bytes that a letter may have, as it is said; a longer one is taken all the same."""

MAX_RECIPIENTS = 1000
MAX_DOMAINS = 20
"""Of a letter's recipients that are named in the record."""

MAX_STRANGE = 20
"""Unknown commands in a row; what sends more of them does not speak SMTP, and is taken in silence."""

_GREETINGS = (
    "220 {host} ESMTP Postfix",
    "220 {host} ESMTP Postfix (Debian/GNU)",
    "220 {host} ESMTP Exim 4.96 ready",
    "220 {host} ESMTP Sendmail 8.17.1 ready",
    "220 {host} ESMTP OpenSMTPD",
)
_EXTENSIONS = ("PIPELINING", f"SIZE {SIZE}", "AUTH PLAIN LOGIN CRAM-MD5", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN",
               "SMTPUTF8", "CHUNKING", "BINARYMIME")  # fmt: skip
_OPENING = (b"EHLO", b"HELO", b"LHLO")
_ROUNDS = {
    "CRAM-MD5": ("<{nonce}@{host}>",),
    "LOGIN": ("Username:", "Password:"),
    "OAUTHBEARER": ("",),
    "PLAIN": ("",),
    "XOAUTH2": ("",),
}
"""What each way to log in asks, in order; the first answer may come with the command."""
_SERVER_FIRST = ("CRAM-MD5",)
_FIXED = {
    "ETRN": "250 2.0.0 Queuing started",
    "EXPN": "502 5.5.1 EXPN not available",
    "HELP": "214 2.0.0 See RFC 5321",
    "NOOP": "250 2.0.0 Ok",
    "VRFY": "252 2.0.0 Cannot verify, but will take the message",
}
_ADDRESS = re.compile(r"[A-Z]+:\s*<([^>]*)>|[A-Z]+:\s*(\S+)", re.IGNORECASE)
_SIZE = re.compile(r"[0-9]{1,12}\Z")


class Smtp:
    """All SMTP conversations of an episode; a `speaker.Speaker` for after the greeting.

    Args:
        post: where letters are looked at.
        authority: ends TLS.
    """

    def __init__(self, post: Post, authority: CertificateAuthority) -> None:
        self.post = post
        self.authority = authority

    def greeted(self) -> Greeted:
        """How clients are greeted, and known."""
        return Greeted(self, PORTS, TLS_PORTS, lambda host: chosen(host, _GREETINGS), first_word(*_OPENING))

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        await _Conversation(self, call).run()


class _Conversation:
    """One client, from after the greeting to its end."""

    def __init__(self, smtp: Smtp, call: Call) -> None:
        self._smtp = smtp
        self._with = Dialogue(call, smtp.post.commands)
        self._flow = call.flow
        self._each = False
        """Whether each recipient is answered by itself, after the letter (LMTP)."""
        self._sender = False
        self._recipients: list[str] = []
        self._letter: Letter | None = None
        self._strange = 0
        self._over = False

    async def run(self) -> None:
        self._flow.protocol = "smtps" if self._with.tls else "smtp"
        try:
            while not self._over:
                line = await self._with.line()
                if not line:
                    break
                await self._handle(line)
        except TimeoutError:
            await self._with.say(f"421 4.4.2 {self._with.host} Error: timeout exceeded")
        finally:
            self._end_letter()

    async def _handle(self, line: bytes) -> None:
        verb, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
        verb = verb.upper()
        if verb == "DATA":
            await self._data(b"\r\n" if line.endswith(b"\r\n") else b"\n")
            return
        work = _WORK.get(verb)
        if work is not None:
            self._strange = 0
            await work(self, argument.strip())
            return
        self._strange = 0 if verb in _FIXED else self._strange + 1
        await self._with.say(_FIXED.get(verb, "502 5.5.2 Error: command not recognized"))
        if self._strange > MAX_STRANGE:
            self._over = True
            await drain(self._with.stream, self._flow)

    # --- before letters -----------------------------------------------------------------------------------------------

    async def _hello(self, _: str) -> None:
        self._end_letter()
        await self._with.say(f"250 {self._with.host}")

    async def _extended_hello(self, _: str) -> None:
        self._end_letter()
        offered = list(_EXTENSIONS) if self._with.tls else ["STARTTLS", *_EXTENSIONS]
        *lines, last = [self._with.host, *offered]
        await self._with.say(*(f"250-{line}" for line in lines), f"250 {last}")

    async def _local_hello(self, argument: str) -> None:
        self._each = True
        await self._extended_hello(argument)

    async def _secure(self, _: str) -> None:
        if self._with.tls:
            await self._with.say("503 5.5.1 Error: TLS already active")
            return
        await self._with.say("220 2.0.0 Ready to start TLS")
        await self._with.secure(self._smtp.authority)
        self._flow.protocol = "smtps"
        self._end_letter()

    async def _log_in(self, argument: str) -> None:
        way, *first = argument.split(maxsplit=1)[:2] or [""]
        questions = _ROUNDS.get(way.upper())
        if questions is None:
            await self._with.say("504 5.5.4 Unrecognized authentication type")
            return
        given = bool(first) and way.upper() not in _SERVER_FIRST
        for question in questions[given:]:
            text = question.format(nonce=secrets.token_hex(8), host=self._with.host)
            await self._with.say(f"334 {base64.b64encode(text.encode()).decode()}")
            if (await self._with.line()).strip() in (b"*", b""):
                await self._with.say("501 5.7.0 Authentication aborted")
                return
        await self._with.say("235 2.7.0 Authentication successful")

    # --- letters ------------------------------------------------------------------------------------------------------

    async def _from(self, _: str) -> None:
        self._end_letter()
        self._sender = True
        await self._with.say("250 2.1.0 Ok")

    async def _to(self, argument: str) -> None:
        found = _ADDRESS.match(argument)
        if not self._sender or found is None:
            await self._with.say(
                "501 5.5.4 Syntax: RCPT TO:<address>" if self._sender else "503 5.5.1 Error: need MAIL"
            )
        elif len(self._recipients) >= MAX_RECIPIENTS:
            await self._with.say("452 4.5.3 Error: too many recipients")
        else:
            self._recipients.append(found[1] or found[2] or "")
            await self._with.say("250 2.1.5 Ok")

    async def _reset(self, _: str) -> None:
        self._end_letter()
        await self._with.say("250 2.0.0 Ok")

    async def _quit(self, _: str) -> None:
        self._over = True
        await self._with.say("221 2.0.0 Bye")

    async def _data(self, line_end: bytes) -> None:
        if not self._recipients:
            await self._with.say("503 5.5.1 Error: need RCPT command")
            return
        await self._with.say("354 End data with <CR><LF>.<CR><LF>")
        if await self._with.until_dot(self._open_letter().feed, line_end):
            await self._taken()

    async def _chunk(self, argument: str) -> None:
        """BDAT (RFC 3030)."""
        size, _, last = argument.partition(" ")
        if not _SIZE.match(size):
            await self._with.say("501 5.5.4 Syntax: BDAT count [LAST]")
            self._over = True  # what follows is no command
            await drain(self._with.stream, self._flow)
            return
        letter = self._open_letter() if self._letter is None else self._letter
        whole = await self._with.exactly(int(size), letter.feed)
        if not whole:
            return
        if last.strip().upper() != "LAST":
            await self._with.say(f"250 2.0.0 {int(size)} bytes")
        elif self._recipients:
            await self._taken()
        else:
            await self._with.say("503 5.5.1 Error: need RCPT command")

    def _open_letter(self) -> Letter:
        self._letter = self._smtp.post.letter(self._flow, named(self._recipients))
        return self._letter

    async def _taken(self) -> None:
        answers = len(self._recipients) if self._each else 1
        self._end_letter()
        await self._with.say(*(f"250 2.0.0 Ok: queued as {secrets.token_hex(5).upper()}" for _ in range(answers)))

    def _end_letter(self) -> None:
        letter, self._letter = self._letter, None
        self._sender, self._recipients = False, []
        if letter is not None:
            letter.finish()


def named(recipients: list[str]) -> str:
    """A letter's recipients for the record: the first of each domain, quoted as in a URL, with commas between them."""
    first: dict[str, str] = {}
    for recipient in recipients:
        domain = recipient.rpartition("@")[2].lower()
        if len(first) < MAX_DOMAINS:
            first.setdefault(domain, recipient[:256])
    return ",".join(quote(recipient, safe="@[]:+=") for recipient in first.values())


_WORK: dict[str, Callable[[_Conversation, str], Awaitable[None]]] = {
    "AUTH": _Conversation._log_in,
    "BDAT": _Conversation._chunk,
    "EHLO": _Conversation._extended_hello,
    "HELO": _Conversation._hello,
    "LHLO": _Conversation._local_hello,
    "MAIL": _Conversation._from,
    "QUIT": _Conversation._quit,
    "RCPT": _Conversation._to,
    "RSET": _Conversation._reset,
    "STARTTLS": _Conversation._secure,
}
