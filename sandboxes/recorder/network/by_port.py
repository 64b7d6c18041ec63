"""Where only the port tells what is spoken: one question of one line, and printers.

All else is taken in silence. No answer is made up for a client that sends something unknown and then waits: of those
that wait for an answer nearly all would take a wrong one for a failure, as would whoever looks at it, while silence is
what a firewall does as well. What it sent has been looked at either way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .dialogue import Dialogue
from .pieces import Pieces
from .speaker import drain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .sight import Scribe
    from .speaker import Call

_ANSWERS = {
    43: ('No match for "{question}".', ">>> Last update of whois database: 2024-01-01T00:00:00Z <<<"),
    70: ("iWelcome to {host}\tfake\t(NULL)\t0", "."),
    79: ("Login: {question}", "No Plan."),
}
"""Whois, Gopher, Finger."""
_PRINTER = 515
_FILE = re.compile(rb"[\2\3]([0-9]{1,12}) ")
_ACKNOWLEDGED = b"\0"


class ByPort:
    """Takes what nothing is known of but the port.

    Args:
        scribe: where to record.
    """

    def __init__(self, scribe: Scribe) -> None:
        self._pieces = Pieces(scribe)
        self._speakers: dict[int, Callable[[Dialogue], Awaitable[None]]] = dict.fromkeys(_ANSWERS, _answer)
        self._speakers[_PRINTER] = _print

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        speak = self._speakers.get(call.flow.end.port)
        if speak is None:
            await drain(call.stream, call.flow)
        else:
            await speak(Dialogue(call, self._pieces))

    def close(self) -> None:
        """Nothing more comes."""
        self._pieces.close()


async def _answer(talk: Dialogue) -> None:
    """A line asks, a few answer, and that is all."""
    question = (await talk.line()).strip()[:255].decode("utf-8", "replace")
    if question.isprintable():
        await talk.say(*(text.format(question=question, host=talk.host) for text in _ANSWERS[talk.flow.end.port]))
    else:
        await drain(talk.stream, talk.flow)


async def _print(talk: Dialogue) -> None:
    """A printer's job (RFC 1179): each command and each file is acknowledged by a zero byte."""
    talk.flow.protocol = "lpd"
    is_job = False
    while line := await talk.line():
        found = _FILE.match(line) if is_job else None
        is_job = is_job or line[:1] == b"\2"
        await _acknowledge(talk)
        if found is not None:
            size = int(found[1])
            if not size:  # until the connection ends
                await drain(talk.stream, talk.flow)
                return
            if not await talk.exactly(size + 1, lambda _: None):
                return
            await _acknowledge(talk)


async def _acknowledge(talk: Dialogue) -> None:
    await talk.stream.write(_ACKNOWLEDGED)
    talk.flow.received(1)
