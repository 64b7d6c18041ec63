"""TLS on a connection: the stream inside it, and who ends it."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

from ..events import Limit
from .budget import Budget
from .framing import Frames
from .speaker import linger

if TYPE_CHECKING:
    from collections.abc import Callable

    from .flow import Flow
    from .sight import Scribe
    from .speaker import Call
    from .stream import Stream
    from .tls import CertificateAuthority, Session


_HEADER_BYTES = 5
_HELLO_BYTES = 4096
"""A client's part of a handshake is shorter."""


def _length(header: bytes) -> int:
    """Of a TLS record (RFC 8446, 5.1)."""
    return int.from_bytes(header[3:5], "big")


class TlsBrokenError(OSError):
    """TLS ended in an error; what comes now is not inside TLS."""


class TlsStream:
    """What is inside TLS on another stream. `handshake` comes first.

    Args:
        outer: that stream.
        session: our side.
        beside: takes what comes and was never inside: a handshake that failed, what TLS broke on, what follows its end.
    """

    def __init__(self, outer: Stream, session: Session, beside: Callable[[bytes], object]) -> None:
        self._outer = outer
        self._session = session
        self._beside = beside
        self._back = b""
        self._records = Frames(_HEADER_BYTES, _length)
        self._hello = bytearray()
        """What came until TLS is established."""

    async def handshake(self) -> None:
        """Establish TLS.

        Raises:
            TlsBrokenError: the other side refused, went away or does not speak TLS.
        """
        self._back += self._feed(b"")  # a client speaks first
        await self._flush()
        try:
            while not self._session.established:
                data = await self._outer.read()
                if not data:
                    raise TlsBrokenError("the other side went away during the handshake")
                self._hello += data
                self._back += self._feed(data)
                await self._flush()
        except OSError:
            self._beside(bytes(self._hello))
            raise
        finally:
            self._hello.clear()

    async def read(self) -> bytes:
        """As `Stream.read`.

        Raises:
            TlsBrokenError: as it says.
        """
        if self._back:
            data, self._back = self._back, b""
            return data
        while not self._session.ended:
            data = await self._outer.read()
            if not data:
                break
            plain = self._feed(data)
            await self._flush()
            if plain:
                return plain
        self._beside(self._session.rest() or self._records.begun)
        self._records = Frames(_HEADER_BYTES, _length)
        return b""

    async def write(self, data: bytes) -> None:
        """As `Stream.write`."""
        try:
            self._session.send(data)
        except ssl.SSLError as problem:
            raise TlsBrokenError(_reason(problem)) from problem
        await self._flush()

    def unread(self, data: bytes) -> None:
        """As `Stream.unread`."""
        self._back = data + self._back

    async def close(self) -> None:
        """Say goodbye inside TLS."""
        self._session.close()
        await self._flush()

    def _feed(self, data: bytes) -> bytes:
        begun = self._records.begun
        for _ in self._records.feed(data):
            pass
        try:
            plain = self._session.receive(data)
        except ssl.SSLError as problem:
            if self._session.established:
                self._beside(begun + data)
            raise TlsBrokenError(_reason(problem)) from problem
        if self._session.broken:
            self._beside(begun + data)
        return plain

    async def _flush(self) -> None:
        out = self._session.take()
        if out:
            await self._outer.write(out)


def _reason(problem: ssl.SSLError) -> str:
    return str(problem.reason or problem)[:200]


def as_sent(flow: Flow) -> Callable[[bytes], None]:
    """Takes what lies beside TLS as bytes of a flow. A client that refuses ours has said no more than hello."""

    def take(data: bytes) -> None:
        (flow.sent if len(data) > _HELLO_BYTES else flow.look)(data)

    return take


class TlsSpeaker:
    """Ends TLS, and lets what is spoken inside be recognised anew.

    Args:
        scribe: where to record.
        authority: signs for whatever name the client asks for.
        overhear: takes that name: it went out in the clear, and may be a carrier of data like one that is looked up.
    """

    def __init__(
        self,
        scribe: Scribe,
        authority: CertificateAuthority,
        overhear: Callable[[str, Flow], object] = lambda _name, _flow: None,
    ) -> None:
        self._scribe = scribe
        self._authority = authority
        self._overhear = overhear
        self._refusals = Budget(scribe.record, "tls-refusals", facts=1000)

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        flow = call.flow
        flow.protocol = "tls"
        session = self._authority.session(flow.end.address)
        inner = TlsStream(call.stream, session, as_sent(flow))
        try:
            try:
                await inner.handshake()
            finally:
                flow.name = flow.name or session.name
                if session.name:
                    self._overhear(session.name, flow)
        except OSError as problem:
            asked = f" for {session.name}" if session.name else ""
            self._refused(f"the client did not accept the certificate{asked}: {problem}"[:400], flow.number)
            return
        with contextlib.suppress(TlsBrokenError):
            await call.go_on(inner, tls=True)
            await inner.close()
            await linger(inner, flow)

    def close(self) -> None:
        """Nothing more comes."""
        self._refusals.flush()

    def _refused(self, what: str, flow: int) -> None:
        if self._refusals.take(what):
            self._scribe.record(Limit(where="network.tls", what=what, flow=flow))
