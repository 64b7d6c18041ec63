"""What HTTP says in every version of it: a request's head, its body as a service gets it, and an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .objects import Joined

Header = tuple[str, str]

MAX_FIELDS = 200
"""Fields of a query that are read; who answers needs a handful."""

_MAX_HOST = 253


@dataclass(frozen=True)
class Head:
    """A request's line and headers."""

    method: str
    target: str
    host: str
    """Lower case, without the port; empty when the client names none."""
    headers: tuple[Header, ...]
    """Names in lower case."""
    expects_continue: bool = False
    """Whether the client waits for leave before it sends the body."""
    chunked: bool = False

    def header(self, name: str) -> str:
        """The first value of a header, by its name in lower case; empty when there is none."""
        return next((value for each, value in self.headers if each == name), "")

    @property
    def path(self) -> str:
        """The target's path, without the query."""
        try:
            return urlsplit(self.target if "://" in self.target else f"//h{self.target}").path or "/"
        except ValueError:
            return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The fields of the target's query; the first of each name."""
        text = self.target.partition("?")[2].partition("#")[0]
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            return {}
        return dict(reversed(pairs))


class Body(Protocol):
    """Bytes that may be many."""

    @property
    def size(self) -> int:
        """How many."""

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """Those from `start` to before `end`."""


@dataclass(frozen=True)
class Bytes:
    """A body in memory."""

    data: bytes = b""

    @property
    def size(self) -> int:
        """As `Body.size`."""
        return len(self.data)

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """As `Body.pieces`."""
        yield self.data[start:end]


@dataclass(frozen=True)
class Upload:
    """A request's body, without what only carries it (such as signatures between its pieces)."""

    body: Joined
    sha256: str = ""
    md5: str = ""
    start: bytes = b""
    """The first bytes, for who answers a short body by what it says."""

    @property
    def size(self) -> int:
        """Bytes of it."""
        return self.body.size


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    body: Body = field(default_factory=Bytes)
    headers: tuple[Header, ...] = ()
    trailers: tuple[Header, ...] = ()
    """After the body; only HTTP/2 carries them."""
    told: bool = False
    """Whether who answers has recorded all that the request says, as a fact of another kind than `Request`."""

    @property
    def has_body(self) -> bool:
        """Whether its status allows a body."""
        return self.status not in (204, 304)


def host_of(text: str) -> str:
    """The host that `host:port` names, in lower case and without brackets; empty when it is none."""
    try:
        return (urlsplit(f"//{text}").hostname or "")[:_MAX_HOST]
    except ValueError:
        return ""


def host_and_port(text: str, port: int) -> tuple[str, int]:
    """The host and the port that `host:port` names; `port` when it names none."""
    try:
        return host_of(text), urlsplit(f"//{text}").port or port
    except ValueError:
        return host_of(text), port


def host_wanted(method: str, target: str, given: str) -> str:
    """The host that a request is for: of the target where it names one (as to a proxy), else the one `given`."""
    if method == "CONNECT":
        return host_of(target)
    if "://" in target:
        return host_of(target.partition("://")[2].partition("/")[0].partition("?")[0])
    return host_of(given)


def texts(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Header, ...]:
    """Headers as text, names in lower case."""
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
