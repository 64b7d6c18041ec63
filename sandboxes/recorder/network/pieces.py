"""Putting together what is sent in small pieces: DNS labels, words of requests, short bodies, short connections.

A piece alone is often too short to hold a whole mark, and how a sender cut and encoded is unknown. So the pieces that
go to one place are looked at in several ways at once, each in order of arrival:

- **joined**: all texts one after another;
- **long**: only words of 16 characters or more, so that sequence numbers and fixed names drop out;
- **decoded**: the long words of one message joined, then decoded: each message was encoded by itself;
- **each**: every long word decoded: each was encoded by itself.

At the end they are looked at once more in the orders that the pieces themselves give, where these differ from the order
of arrival (`sequences`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from ..events import Limit
from .sequences import Message, in_order
from .sight import Place, Scribe, Sight

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONG = 16
"""Characters of a word that may be a piece of data."""

MAX_PLACES = 64
"""Places followed at once; the one that was silent longest is given up."""

SMALL_BYTES = 4096
"""What comes in parts no longer than this is put together: alone they may hold no whole mark. Longer ones cut few."""

MAX_HELD_BYTES = 16 << 20
"""Of all messages, to be put in order at the end; what comes later is looked at as it arrives only."""

_MESSAGE_BYTES = 200
"""That a message takes beside its words."""

_TEXT = re.compile(rb"[\t\r\n -~]*\Z")
WORD = re.compile(rb"[A-Za-z0-9+/_-]+=*")
"""With its padding; what stands before an equals sign in a query or a form is a word of its own."""
_HEX = re.compile(rb"[0-9A-Fa-f]+\Z")
_BASE32 = re.compile(rb"([A-Z2-7]+|[a-z2-7]+)=*\Z")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+=*\Z")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class Pieces:
    """Everything that is sent in pieces, by the place that it goes to.

    Args:
        scribe: where to record.
        max_places: see `MAX_PLACES`.
    """

    def __init__(self, scribe: Scribe, max_places: int = MAX_PLACES) -> None:
        self._scribe = scribe
        self._max_places = max_places
        self._assemblies: OrderedDict[str, _Assembly] = OrderedDict()
        self._held = 0

    def add(self, key: str, words: Sequence[bytes], place: Place) -> None:
        """Take one message's words.

        Args:
            key: the destination that the pieces belong to.
            words: texts of the message, in order.
            place: where they were seen.
        """
        assembly = self._assemblies.get(key)
        if assembly is None:
            assembly = self._assemblies[key] = _Assembly(self._scribe, place, self._may_hold)
            if len(self._assemblies) > self._max_places:
                self._assemblies.popitem(last=False)[1].close()
        self._assemblies.move_to_end(key)
        assembly.add(words, place.flow)

    def close(self) -> None:
        """Nothing more comes: record what was recognised."""
        for assembly in self._assemblies.values():
            assembly.close()
        self._assemblies.clear()

    def _may_hold(self, size: int) -> bool:
        """Whether so many bytes more may be held."""
        if self._held <= MAX_HELD_BYTES < self._held + size:
            what = f"over {MAX_HELD_BYTES} bytes came in small pieces: later ones are not put into another order"
            self._scribe.record(Limit(where="network.pieces", what=what))
        self._held += size
        return self._held <= MAX_HELD_BYTES


class _Assembly:
    """The pieces of one place."""

    def __init__(self, scribe: Scribe, place: Place, may_hold: Callable[[int], bool]) -> None:
        self._scribe = scribe
        self._place = place
        self._may_hold = may_hold
        self._ways = _Ways(scribe, place)
        self._messages: list[Message] = []

    def add(self, words: Sequence[bytes], flow: int) -> None:
        self._ways.feed(words, flow)
        if self._may_hold(sum(map(len, words)) + _MESSAGE_BYTES):
            self._messages.append(Message(flow, tuple(words)))

    def close(self) -> None:
        """In the order in which they came nothing may be seen, where they say themselves how they belong together."""
        self._ways.close()
        for messages in in_order(self._messages):
            ways = _Ways(self._scribe, self._place)
            for message in messages:
                ways.feed(message.words, message.flow)
            ways.close()
        self._messages.clear()


class _Ways:
    """The ways of looking at messages that follow one another, see above."""

    def __init__(self, scribe: Scribe, place: Place) -> None:
        self._scribe = scribe
        self._place = place
        self._sights: dict[tuple[str, str], Sight] = {}

    def feed(self, words: Sequence[bytes], flow: int) -> None:
        long = [word for word in words if len(word) >= LONG]
        self._feed(("joined", ""), b"".join(words), flow)
        # Where every word is long, "long" would see the same bytes as "joined"; it still has to see them all.
        self._feed(("long", ""), b"".join(long), flow)
        encoding, plain = decode(b"".join(long))
        self._feed(("decoded", encoding), plain, flow)
        if len(long) > 1:
            for word in long:
                encoding, plain = decode(word)
                self._feed(("each", encoding), plain, flow)
        elif long:
            self._feed(("each", encoding), plain, flow)

    def close(self) -> None:
        for sight in self._sights.values():
            sight.close()

    def _feed(self, variant: tuple[str, str], data: bytes, flow: int) -> None:
        if not data:
            return
        sight = self._sights.get(variant)
        if sight is None:
            undone = (variant[1],) if variant[1] else ()
            sight = self._sights[variant] = Sight(self._scribe, self._place, undone)
        sight.feed(data, flow)


def words_in(data: bytes) -> list[bytes]:
    """The words of a text that could carry data; anything else is one word as it stands."""
    return WORD.findall(data) if _TEXT.match(data) else [data]


def decode(word: bytes) -> tuple[str, bytes]:
    """The encoding that a word seems to be in, with its plain bytes; both empty when it seems to be in none.

    Padding may be missing. Trailing characters that give no whole byte are dropped.
    """
    if len(word) < LONG:
        return "", b""
    try:
        if _HEX.match(word):
            return "hex", binascii.unhexlify(word[: len(word) // 2 * 2])
        if _BASE32.match(word):
            return "base32", base64.b32decode(_pad(word.rstrip(b"=").upper(), 8, (1, 3, 6)))
        if _BASE64.match(word):
            return "base64", base64.b64decode(_pad(word.rstrip(b"=").translate(_URL_SAFE), 4, (1,)))
    except ValueError:
        pass
    return "", b""


def _pad(text: bytes, group: int, impossible: tuple[int, ...]) -> bytes:
    """`text` with padding to whole groups; a rest of an impossible length is cut to a possible one."""
    while len(text) % group in impossible:
        text = text[:-1]
    return text + b"=" * (-len(text) % group)
