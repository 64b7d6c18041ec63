"""IMAP (RFC 3501): a mailbox that everybody may log in to, empty, and that takes what is appended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..dialogue import Dialogue
from ..greeting import Greeted, chosen
from ..speaker import drain

if TYPE_CHECKING:
    from ..speaker import Call
    from ..tls import CertificateAuthority
    from .letters import Letter
    from .post import Post

PORTS, TLS_PORTS = frozenset({143}), frozenset({993})

MAX_STRANGE = 20
"""Unknown commands in a row; what sends more of them does not speak IMAP, and is taken in silence."""

MAX_WORDS = 16384
"""Characters of a command that are understood; the rest is looked at only."""

_ABILITIES = "IMAP4rev1 SASL-IR LITERAL+ ID IDLE UIDPLUS AUTH=PLAIN AUTH=LOGIN"
_GREETINGS = (
    f"* OK [CAPABILITY {_ABILITIES}] Dovecot ready.",
    f"* OK [CAPABILITY {_ABILITIES}] {{host}} IMAP server ready",
    "* OK IMAP4rev1 service ready",
)
_LITERAL = re.compile(rb"\{([0-9]{1,12})(\+?)\}\r?\n\Z")
_SELECTED = ("* 0 EXISTS", "* 0 RECENT", "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
             "* OK [UIDVALIDITY 1700000000] UIDs valid", "* OK [UIDNEXT 1] Predicted next UID")  # fmt: skip
_UNTAGGED = {
    "CAPABILITY": (f"* CAPABILITY {_ABILITIES}",),
    "EXAMINE": _SELECTED,
    "ID": ('* ID ("name" "Dovecot")',),
    "LIST": ('* LIST (\\HasNoChildren) "/" INBOX',),
    "LSUB": ('* LSUB (\\HasNoChildren) "/" INBOX',),
    "SEARCH": ("* SEARCH",),
    "SELECT": _SELECTED,
}
"""What comes before the answer, where anything does."""
_KNOWN = frozenset(
    [*_UNTAGGED, "APPEND", "CHECK", "CLOSE", "COPY", "CREATE", "DELETE", "ENABLE", "EXPUNGE", "FETCH", "LOGIN", "MOVE",
     "NAMESPACE", "NOOP", "RENAME", "STATUS", "STORE", "SUBSCRIBE", "UID", "UNSELECT", "UNSUBSCRIBE"]
)  # fmt: skip


class Imap:
    """All IMAP conversations of an episode; a `speaker.Speaker` for after the greeting.

    Args:
        post: where letters are looked at.
        authority: ends TLS.
    """

    def __init__(self, post: Post, authority: CertificateAuthority) -> None:
        self._post = post
        self._authority = authority

    def greeted(self) -> Greeted:
        """How clients are greeted."""
        return Greeted(self, PORTS, TLS_PORTS, lambda host: chosen(host, _GREETINGS))

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        talk = Dialogue(call, self._post.commands)
        strange = 0
        try:
            while strange <= MAX_STRANGE:
                call.flow.protocol = "imaps" if talk.tls else "imap"
                command = await self._read(talk)
                if command is None:
                    return
                tag, _, rest = command.partition(" ")
                verb = rest.partition(" ")[0].upper()
                if verb == "LOGOUT":
                    await talk.say("* BYE Logging out", f"{tag} OK Logout completed.")
                    return
                strange = 0 if await self._answer(talk, tag[:64], verb, rest) else strange + 1
        except TimeoutError:
            await talk.say("* BYE Disconnected for inactivity.")
            return
        await drain(talk.stream, call.flow)

    async def _read(self, talk: Dialogue) -> str | None:
        """A whole command, with what it has in literals left out; a letter among them is looked at as one."""
        words = ""
        letter: Letter | None = None
        try:
            while line := await talk.line():
                words = (words + line.decode("utf-8", "replace"))[:MAX_WORDS]
                found = _LITERAL.search(line)
                if found is None:
                    return words.strip()
                if not found[2]:
                    await talk.say("+ OK")
                if words.split(" ")[1:2] in (["APPEND"], ["append"]) and letter is None:
                    letter = self._post.letter(talk.flow, quote(_mailbox_in(words), safe="/"))
                take = letter.feed if letter is not None else _ignore
                if not await talk.exactly(int(found[1]), take):
                    return None
        finally:
            if letter is not None:
                letter.finish()
        return None

    async def _answer(self, talk: Dialogue, tag: str, verb: str, rest: str) -> bool:
        """Do what a command wants; whether it is known."""
        if verb == "STARTTLS" and not talk.tls:
            await talk.say(f"{tag} OK Begin TLS negotiation now.")
            await talk.secure(self._authority)
        elif verb == "AUTHENTICATE":
            if len(rest.split()) < 3:
                for _ in range(2 if "LOGIN" in rest.upper() else 1):
                    await talk.say("+ ")
                    await talk.line()
            await talk.say(f"{tag} OK Logged in")
        elif verb == "IDLE":
            await talk.say("+ idling")
            await talk.line()
            await talk.say(f"{tag} OK Idle completed.")
        elif verb in _KNOWN:
            await talk.say(*_UNTAGGED.get(verb, ()), f"{tag} OK {verb.capitalize()} completed.")
        else:
            await talk.say(f"{tag or '*'} BAD Error in IMAP command {verb[:40]}: Unknown command.")
            return False
        return True


def _mailbox_in(words: str) -> str:
    """The name in `tag APPEND name ...`."""
    name = words.split(" ", 3)[2:3]
    return name[0].strip('"')[:256] if name and not name[0].startswith("{") else ""


def _ignore(_: bytes) -> None:
    """Looked at as it came already."""
