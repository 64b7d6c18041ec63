"""One request from its head to its answer, whatever version of HTTP carries it: looked at, answered, recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from ...events import Request
from ..payload import Payload
from ..pieces import WORD
from ..tally import Tally
from .carriers import Decoded, packings_of
from .messages import Answer, Upload
from .objects import Draft, Joined
from .packed import FRAMING, PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..flow import Flow
    from .carriers import Packing
    from .messages import Head, Header
    from .packed import Packed
    from .web import Web

MAX_TARGET = 2048
"""Characters of a request's target that are recorded; all of it is looked at."""

START_BYTES = 1 << 16
"""Of a body, for who answers by what it says."""

_USUAL = 64
"""Characters that the name of a header, or a routine header's value, may have without being looked at."""

_ROUTINE = frozenset(
    [
        "host",
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "content-type",
        "content-encoding",
        "expect",
        "transfer-encoding",
        "proxy-connection",
    ]
)
_PATH_WORD = re.compile(rb"[A-Za-z0-9+_-]+=*")


class Exchange:
    """A request that is being received.

    Args:
        web: what all requests share.
        flow: the connection's flow.
        head: the request's.
        tls: whether it came inside TLS.
        reached: the host at the end of a tunnel, if it came through one.
    """

    def __init__(self, web: Web, flow: Flow, head: Head, *, tls: bool, reached: str | None = None) -> None:
        self.head = head
        self.body = Tally()
        """The body as it was sent, without the framing of HTTP itself."""
        self._web = web
        self._flow = flow
        self._tls = tls
        self._reached = reached
        self._draft = Draft()
        self._start = bytearray()
        self._packings = packings_of(head)
        self._payloads: dict[tuple[int, str], Payload] = {}
        self._look_at_words(words_of(head))

    def take(self, data: bytes) -> None:
        """A piece of the body. It is counted on the flow by who reads the connection."""
        self.body.add(data)
        for packing in self._packings:
            for packed in packing.carrier.feed(data):
                self._show(packing, packed)
        if not any(packing.is_transfer for packing in self._packings):
            self._keep(data)
        if all(packing.layers for packing in self._packings):
            self._payload(PAYLOAD, "", ()).feed(data)

    async def finish(self, trailers: Iterable[Header] = ()) -> Answer:
        """The body has ended: what the site answers."""
        self._look_at_words([value.encode("latin-1") for _, value in trailers])
        self._finish_payloads()
        answer = await self._web.answer(self._site(), self.head, self._upload(), self._flow, tls=self._tls)
        if not self._draft.needed:
            self._draft.drop()
        if not answer.told:
            self._record(answer.status, complete=True)
        return answer

    def accept(self, status: int) -> None:
        """It is answered by changing over to something else, with this status."""
        self._end(status, complete=True)

    def abandon(self, status: int = 0) -> None:
        """The client went away before the end, or its bytes stopped being HTTP (400)."""
        self._end(status, complete=False)

    def _end(self, status: int, *, complete: bool) -> None:
        self._finish_payloads()
        self._draft.drop()
        self._record(status, complete=complete)

    def _upload(self) -> Upload:
        return Upload(Joined((self._draft,)), self.body.sha256, self._draft.md5, bytes(self._start))

    def _keep(self, data: bytes) -> None:
        self._draft.write(data)
        if len(self._start) < START_BYTES:
            self._start += data[: START_BYTES - len(self._start)]

    def _show(self, packing: Packing, packed: Packed) -> None:
        if packing.is_transfer and packed.part == PAYLOAD:
            self._keep(packed.data)
        self._payload(packed.part, packed.name, packing.layers).feed(packed.data)

    def _payload(self, part: int, name: str, layers: tuple[str, ...]) -> Payload:
        """Whatever the part is looked at with; parts follow one another, so that of the one before is over."""
        key = (part, ".".join(layers))
        payload = self._payloads.get(key)
        if payload is None:
            if part > 1 and (before := self._payloads.pop((part - 1, ""), None)):
                before.close()
            target = self.head.target if part in (PAYLOAD, FRAMING) or not name else f"{self.head.target}#{name}"
            sight = self._flow.sight("body", target[:MAX_TARGET], layers)
            payload = self._payloads[key] = Payload(sight, self._web.pieces, f"bodies to {self._key}")
        return payload

    def _finish_payloads(self) -> None:
        for packing in self._packings:
            for packed in packing.carrier.finish():
                self._show(packing, packed)
            if isinstance(packing.carrier, Decoded) and packing.carrier.gave_up:
                self._web.limit("content.body", packing.carrier.gave_up, self._flow.number)
        for payload in self._payloads.values():
            payload.close()
        self._payloads.clear()

    def _site(self) -> str:
        if "://" in self.head.target:  # asked of a proxy
            return self.head.host
        # The address decides who answers, not what the client claims, where the address belongs to a known name.
        return self._reached or self._flow.end.name or self.head.host or self._flow.name or ""

    @property
    def _key(self) -> str:
        return self._flow.name or self._flow.end.address

    def _look_at_words(self, words: list[bytes]) -> None:
        if words:
            self._web.pieces.add(self._key, words, self._flow.place("head", self.head.target[:MAX_TARGET]))

    def _record(self, status: int, *, complete: bool) -> None:
        head = self.head
        if not self._web.budget.take(f"{head.method} {head.host}{head.target}"):
            return
        self._web.scribe.record(
            Request(
                flow=self._flow.number,
                method=head.method[:32],
                host=head.host,
                target=head.target[:MAX_TARGET],
                status=status,
                body_bytes=self.body.bytes,
                body_sha256=self.body.sha256,
                tls=self._tls,
                complete=complete,
            )
        )


def words_of(head: Head) -> list[bytes]:
    """The words of a request's target and headers that could carry data, in order, routine headers left out."""
    target = head.target.encode("latin-1")
    try:
        path, query = urlsplit(target)[2:4] if b"://" in target else target.partition(b"?")[::2]
    except ValueError:
        path, query = target, b""
    words = _PATH_WORD.findall(unquote_to_bytes(path))
    words += WORD.findall(unquote_to_bytes(query.replace(b"+", b"%2B")))
    for name, value in head.headers:
        if len(name) > _USUAL:
            words += WORD.findall(name.encode("latin-1"))
        if name not in _ROUTINE or len(value) > _USUAL:
            words += WORD.findall(value.encode("latin-1"))
    return words
