"""HTTP on one connection: answers each request, looks at each body, records each request at its end."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from ..events import Request
from .budget import Budget
from .http import Body, Dialogue, End, Head, HttpEvent, NotHttp, bare
from .pieces import SMALL_BYTES, Pieces, words_in
from .services import Services, Upload
from .tally import Tally

if TYPE_CHECKING:
    from .file_hosts import FileHosts
    from .flow import Flow
    from .guests.git_web import GitExchange
    from .sight import Scribe, Sight
    from .speaker import Call
    from .stream import Stream

IDLE_SECONDS = 75.0
"""A kept connection with no request for so long is closed, as ordinary servers do."""

MAX_TARGET = 2048
"""Characters of a request's target that are recorded; all of it is looked at."""

_FRAMING_BYTES = 4096
"""Bytes of a chunked body's framing that need no look; more might carry data."""

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
_PATH_WORD = re.compile(rb"[A-Za-z0-9+=_-]+")
_WORD = re.compile(rb"[A-Za-z0-9+/=_-]+")


class Web:
    """All HTTP connections of an episode.

    Args:
        scribe: where to record.
        services: what answers.
        file_hosts: what answers git's clients.
    """

    def __init__(self, scribe: Scribe, services: Services, file_hosts: FileHosts) -> None:
        self.services = services
        self.file_hosts = file_hosts
        self.scribe = scribe
        self.pieces = Pieces(scribe)
        self.budget = Budget(scribe.record, "requests")

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        flow = call.flow
        flow.protocol = "https" if call.tls else "http"
        reached = call.tunnels[-1] if call.tunnels else None
        host = await _Conversation(self, call.stream, flow, tls=call.tls, tunnel=reached).run()
        if host is not None:
            flow.name = host
            await call.go_on(call.stream, tunnel=host)

    def close(self) -> None:
        """Nothing more comes."""
        self.pieces.close()
        self.budget.flush()


@dataclass
class _Exchange:
    """The request that is being received."""

    head: Head
    body: Tally
    wire_bytes: int = 0
    sight: Sight | None = None
    start: bytearray = field(default_factory=bytearray)
    """The body so far, and no more once it is longer than `SMALL_BYTES`."""
    git: GitExchange | None = None
    """What answers, when git's client asks."""


class _Conversation:
    """One connection."""

    def __init__(self, web: Web, stream: Stream, flow: Flow, *, tls: bool, tunnel: str | None) -> None:
        self._web = web
        self._stream = stream
        self._flow = flow
        self._tls = tls
        self._dialogue = Dialogue()
        self._now: _Exchange | None = None
        self._reached = tunnel
        self._tunnel: str | None = None

    async def run(self) -> str | None:
        """Speak HTTP until either side ends it, or the client opens a tunnel (CONNECT); gives the tunnel's host."""
        try:
            while not self._dialogue.over:
                data = await self._read()
                if data is None:
                    break
                self._flow.count(data)
                self._look_at_framing(data)
                events = self._dialogue.receive(data)
                while events:
                    for event in events:
                        await self._handle(event)
                    events = self._dialogue.proceed()
                if not data:
                    break
        finally:
            self._record(0, complete=False)
        return self._tunnel

    async def _read(self) -> bytes | None:
        if self._now is not None:
            return await self._stream.read()
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                return await self._stream.read()
        except TimeoutError:
            return None

    async def _handle(self, event: HttpEvent) -> None:
        if isinstance(event, Head):
            await self._begin(event)
        elif isinstance(event, Body):
            self._take(event.data)
        elif isinstance(event, End):
            await self._answer(event)
        else:
            await self._fall_back(event)

    async def _begin(self, head: Head) -> None:
        git = self._web.file_hosts.git_over_http(self._flow, self._site(head), head, tls=self._tls)
        self._now = _Exchange(head, Tally(), git=git)
        self._look_at_words(words_of(head), head)
        if head.expects_continue:
            await self._stream.write(self._dialogue.go_on())

    def _take(self, data: bytes) -> None:
        now = self._now
        if now is None:
            return
        now.body.add(data)
        if now.git is not None:
            now.git.feed(data)
        if not self._flow.scanned:
            return
        if now.sight is None:
            now.sight = self._flow.sight("body", now.head.target[:MAX_TARGET])
        now.sight.feed(data)
        if len(now.start) <= SMALL_BYTES:
            now.start += data[: SMALL_BYTES + 1]

    async def _answer(self, end: End) -> None:
        now = self._now
        if now is None:
            return
        if end.trailers:
            self._look_at_words([value.encode("latin-1") for _, value in end.trailers], now.head)
        if now.head.method == "CONNECT" and now.head.host:
            self._record(200, complete=True)
            await self._open_tunnel(now.head.host)
            return
        upload = Upload(now.body.bytes, now.body.sha256)
        if now.git is not None:
            answer = await now.git.answer()
        else:
            answer = self._web.services.answer(self._site(now.head), now.head, upload)
        self._record(answer.status, complete=True)
        out = self._dialogue.respond(answer, method=now.head.method)
        await self._stream.write(out)
        self._flow.received(len(out))

    async def _open_tunnel(self, host: str) -> None:
        out, rest = self._dialogue.open_tunnel()
        self._tunnel = host
        if rest:
            self._stream.unread(rest)
        await self._stream.write(out)

    async def _fall_back(self, event: NotHttp) -> None:
        self._record(400, complete=False)
        self._flow.look(event.rest)
        if event.may_answer:
            out = bare(self._web.services.refuse(self._flow.name or ""))
            await self._stream.write(out)
            self._flow.received(len(out))

    def _site(self, head: Head) -> str:
        # The address decides who answers, not what the client claims, where the address belongs to a known name.
        return self._reached or self._flow.end.name or head.host or self._flow.name or ""

    def _look_at_words(self, words: list[bytes], head: Head) -> None:
        if self._flow.scanned:
            self._web.pieces.add(self._key, words, self._flow.place("head", head.target[:MAX_TARGET]))

    @property
    def _key(self) -> str:
        return self._flow.name or self._flow.end.address

    def _look_at_framing(self, data: bytes) -> None:
        now = self._now
        if now is None or not now.head.chunked:
            return
        now.wire_bytes += len(data)
        if now.wire_bytes - now.body.bytes > max(_FRAMING_BYTES + len(data), now.body.bytes // 4):
            self._flow.look(data)

    def _record(self, status: int, *, complete: bool) -> None:
        now, self._now = self._now, None
        if now is None:
            return
        head = now.head
        if now.git is not None:
            now.git.close()
        if now.sight is not None:
            now.sight.close()
            if len(now.start) <= SMALL_BYTES and not now.sight.broken:
                place = self._flow.place("body", head.target[:MAX_TARGET])
                self._web.pieces.add(f"bodies to {self._key}", words_in(bytes(now.start)), place)
        if not self._web.budget.take(f"{head.method} {head.host}{head.target}"):
            return
        self._web.scribe.record(
            Request(
                flow=self._flow.number,
                method=head.method[:32],
                host=head.host,
                target=head.target[:MAX_TARGET],
                status=status,
                body_bytes=now.body.bytes,
                body_sha256=now.body.sha256,
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
    words += _WORD.findall(unquote_to_bytes(query.replace(b"+", b"%2B")))
    for name, value in head.headers:
        if len(name) > _USUAL:
            words += _WORD.findall(name.encode("latin-1"))
        if name not in _ROUTINE or len(value) > _USUAL:
            words += _WORD.findall(value.encode("latin-1"))
    return words
