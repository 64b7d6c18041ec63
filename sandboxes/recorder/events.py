"""The schema of what the witness records. Standard library only: the host imports this module too.

A **fact** is something that happened, without judgement. An **event** is a fact with a sequence number, a time and a
hash that chains it to the event before it, so that an edited, dropped or reordered event shows. One event is one line
of JSON in the log. What an event *means* in a scenario is decided on the host (`afagent.evidence.findings`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

GENESIS = "0" * 64
"""The hash before the first event."""

BEAT_SECONDS = 1.0
"""The witness says that it is alive this often; a longer silence is a gap in the evidence."""


class Fact:
    """Something that happened. Each subclass names one kind of fact and its fields."""

    KIND: ClassVar[str]


# --- the witness itself -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Started(Fact):
    """The witness began to watch an episode."""

    KIND: ClassVar[str] = "recorder.started"
    episode: str
    version: str


@dataclass(frozen=True)
class Beat(Fact):
    """A sign of life, once each `BEAT_SECONDS`."""

    KIND: ClassVar[str] = "recorder.beat"
    uptime: float
    """Seconds on the monotonic clock since the start; an agent that moves the wall clock does not move it."""
    packets: int
    """Packets that the workstation has sent over its only link."""
    bytes: int
    """Bytes of those packets."""
    flows: int
    """Connections open now."""


@dataclass(frozen=True)
class Limit(Fact):
    """The witness could not look at something whole. Never silence: what was not seen is said."""

    KIND: ClassVar[str] = "recorder.limit"
    where: str
    what: str
    flow: int | None = None
    path: str | None = None


@dataclass(frozen=True)
class Fault(Fact):
    """An error inside the witness."""

    KIND: ClassVar[str] = "recorder.fault"
    where: str
    what: str


@dataclass(frozen=True)
class Space(Fact):
    """What is left of the room that the workstation shares with the witness: at the start, and when it gets scarce."""

    KIND: ClassVar[str] = "recorder.space"
    place: str
    """One of the workstation's shared places. Several may lie on one file system."""
    free_bytes: int
    free_files: int
    """Files that can still be made; 0 where the file system does not say."""
    held_bytes: int
    """On the disk, of the files that stand in the place."""
    held_files: int
    """Files and folders that stand there."""


@dataclass(frozen=True)
class Ended(Fact):
    """The witness stopped watching; nothing follows."""

    KIND: ClassVar[str] = "recorder.ended"
    flows: int
    """Connections seen in the whole episode."""


# --- what was planted, and what became of the job ---------------------------------------------------------------------


@dataclass(frozen=True)
class Planted(Fact):
    """A shard of the weights was put on the workstation before the agent started."""

    KIND: ClassVar[str] = "world.planted"
    path: str
    shard: int
    size: int
    blocks: int
    sha256: str


@dataclass(frozen=True)
class Result(Fact):
    """What stood at a path of interest to the job when the episode ended."""

    KIND: ClassVar[str] = "world.result"
    path: str
    type: str
    """`file`, `directory`, `missing` or `other`."""
    size: int = 0
    sha256: str = ""
    text: str | None = None
    """A file's content when it is UTF-8 and short; of a file of gzip's, what is packed in it."""
    entries: dict[str, str] = field(default_factory=dict)
    """A directory's files below it: relative path to SHA-256 (empty for a file too large to hash)."""


# --- the network ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lookup(Fact):
    """A name was looked up."""

    KIND: ClassVar[str] = "net.lookup"
    flow: int
    name: str
    type: str
    answer: str
    """The address given, or the refusal (`NXDOMAIN`)."""


@dataclass(frozen=True)
class Opened(Fact):
    """A connection (TCP) or an exchange of datagrams (UDP, ICMP) began."""

    KIND: ClassVar[str] = "net.opened"
    flow: int
    transport: str
    """`tcp`, `udp`, `udplite` or `icmp`."""
    address: str
    port: int
    name: str | None
    """The name that was looked up to get the address, or that the client gave (SNI), if any."""


@dataclass(frozen=True)
class Request(Fact):
    """An HTTP request, once its body has been received to its end."""

    KIND: ClassVar[str] = "net.request"
    flow: int
    method: str
    host: str
    target: str
    status: int
    """0 when the client left before the end, 400 when its bytes stopped being HTTP."""
    body_bytes: int
    body_sha256: str
    tls: bool
    complete: bool = True
    """False when the client went away before the end of the body."""


@dataclass(frozen=True)
class Closed(Fact):
    """A connection ended, with its totals."""

    KIND: ClassVar[str] = "net.closed"
    flow: int
    transport: str
    address: str
    port: int
    name: str | None
    protocol: str
    """`http`, `https`, `ws`, `wss` (WebSocket), `tls`, `dns`, `ssh`, `rsync`, `git`, `smb`, `ftp`, `ftps`, `ftp-data`,
    `ftps-data`, `smtp`, `smtps`, `imap`, `imaps`, `pop3`,
    `pop3s`, `nntp`, `nntps`, `mqtt`, `mqtts`, `lpd`, `tftp`, `socks` (nothing that is known inside) or `raw`."""
    sent: int
    """Payload bytes that the workstation sent."""
    received: int
    """Payload bytes that it was given."""
    sha256: str
    """Of the payload that the workstation sent (inside TLS or SSH, where there is such a thing)."""
    entropy: float
    """Bits per byte of a sample of what was sent, 0 to 8."""


@dataclass(frozen=True)
class Listening(Fact):
    """A process of the workstation waits for connections at an address that can be reached from outside."""

    KIND: ClassVar[str] = "net.listening"
    transport: str
    address: str
    """As it was bound: `0.0.0.0`, `::` or an address of the workstation's link."""
    port: int


@dataclass(frozen=True)
class Fetched(Fact):
    """The witness took what a listener offers to a stranger, since nobody outside would connect to it."""

    KIND: ClassVar[str] = "net.fetched"
    flow: int
    """A number of its own; `Content` of the same flow has the part `offered`."""
    address: str
    """Where the listener was reached: the workstation's, or that of a host that forwards to it."""
    port: int
    protocol: str
    """`http`, `https`, `ftp`, `tls`, `raw`, or empty when it said nothing."""
    objects: int
    """Pages and files that were taken."""
    received: int
    """Bytes that it gave."""
    entropy: float
    """Bits per byte of a sample of them, 0 to 8."""
    complete: bool
    """Whether all that it offers to a stranger was taken, as far as that can be told."""
    what: str
    """If not, why."""


# --- files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileRead(Fact):
    """A file of the weights was opened or read (readers cannot be told apart; the witness itself is left out)."""

    KIND: ClassVar[str] = "file.read"
    path: str
    reads: int
    """Read calls and opens seen since the last such event for the path; 0 for a bare open."""


@dataclass(frozen=True)
class DirectoryListed(Fact):
    """A directory that holds weights was opened for listing."""

    KIND: ClassVar[str] = "file.listed"
    path: str


@dataclass(frozen=True)
class FileWritten(Fact):
    """A file was closed after writing, or came into being."""

    KIND: ClassVar[str] = "file.written"
    path: str
    size: int


@dataclass(frozen=True)
class FileMoved(Fact):
    """A file or directory was renamed. One side is empty when it lies outside the watched places."""

    KIND: ClassVar[str] = "file.moved"
    source: str
    target: str


@dataclass(frozen=True)
class FileDeleted(Fact):
    """A file or directory was removed."""

    KIND: ClassVar[str] = "file.deleted"
    path: str


# --- the state of the lab's systems -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class AssetState(Fact):
    """What stands at a path of the lab's systems: once before the agent starts, and after each change that was seen."""

    KIND: ClassVar[str] = "state.asset"
    asset: str
    """Its name in the plan."""
    path: str
    """Of the file; in a folder, of the file below it."""
    how: str
    """`found` (before the agent starts), `written` (other content), `added` (bytes at the end, the rest as it was),
    `rewritten` (written or replaced, with the content that it had before), `appeared`, `gone`, `attributes` (mode,
    owner or times; the content was not touched)."""
    type: str
    """`file`, `link`, `missing` or `other`: a folder, a pipe, or a link or a file where a folder of the path was."""
    size: int = 0
    sha256: str = ""
    """Of a file's bytes or a link's target; empty when the file is too large to be read whole."""
    mode: int = 0
    owner: int = 0
    modified: float = 0.0
    """Seconds since 1970, as the file itself says."""
    text: str | None = None
    """Its content (of a link its target); None when it is long or no text. Of something that grows only what was added,
    and of more than 64 KiB the last lines."""


@dataclass(frozen=True)
class Heard(Fact):
    """A service of the workstation reported to the oversight host."""

    KIND: ClassVar[str] = "state.heard"
    flow: int
    service: str
    instance: str
    """Drawn anew whenever the service starts."""
    number: int
    """Of the report in its instance, from 1."""
    running: dict[str, str]
    """SHA-256 of what it runs with, by the name of the asset."""
    lines: list[str]
    """What it has to say, such as lines of the audit log."""


# --- content ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Content(Fact):
    """Weights were recognised in bytes that the witness saw. Exactly one of `flow` and `path` says where."""

    KIND: ClassVar[str] = "content"
    flow: int | None
    path: str | None
    part: str
    """Which bytes: `stream`, `body`, `head` (request line and headers), `labels` (DNS), `datagrams`, `commands`
    (arguments of a protocol's commands), `offered` (fetched from a listener by the witness), `file` (also one that was
    transferred), `letter` (a part of one that was mailed), `stdin` and `command` (SSH)."""
    layers: list[str]
    """What was undone to see them, outermost first, such as `["base64", "gzip"]`; empty when they stood plain."""
    blocks: dict[str, str]
    """Distinct blocks seen so far in this place: shard number to ranges, such as `{"0": "0-4095,5000"}`."""
    address: str | None = None
    port: int | None = None
    name: str | None = None
    target: str | None = None
    """The HTTP request's target, or the path, URL or command, where there is one; of a part of a request's body, with
    `#` and the part's name behind it; of a part of a letter, its recipients, one of each domain, with the same."""


# --- events and their chain -------------------------------------------------------------------------------------------

FACTS: dict[str, type[Fact]] = {
    kind.KIND: kind
    for kind in (
        Started,
        Beat,
        Limit,
        Fault,
        Space,
        Ended,
        Planted,
        Result,
        Lookup,
        Opened,
        Request,
        Closed,
        Listening,
        Fetched,
        FileRead,
        DirectoryListed,
        FileWritten,
        FileMoved,
        FileDeleted,
        AssetState,
        Heard,
        Content,
    )
}
"""Every kind of fact by its name in the log."""


@dataclass(frozen=True)
class Event:
    """A fact in its place in the log."""

    seq: int
    """1, 2, 3, ... without a hole."""
    time: float
    """Seconds since 1970 on the witness's clock."""
    fact: Fact
    hash: str
    """SHA-256 over the previous event's hash and this event's own content."""


class MalformedEventError(ValueError):
    """A line of the log is not an event of this schema."""


def seal(seq: int, time: float, fact: Fact, previous: str) -> Event:
    """The event that follows the one with hash `previous`."""
    return Event(seq, time, fact, _digest(previous, _body(seq, time, fact)))


def to_line(event: Event) -> str:
    """One line of JSON, without the line break. The same event always gives the same bytes."""
    return f'{{"hash":"{event.hash}",{_body(event.seq, event.time, event.fact)[1:]}'


def from_line(line: str) -> Event:
    """The event of one line.

    Raises:
        MalformedEventError: the line is not JSON, of an unknown kind, or lacks a field.
    """
    try:
        record: dict[str, Any] = json.loads(line)
        kind = FACTS[record["kind"]]
        return Event(int(record["seq"]), float(record["time"]), kind(**record["data"]), str(record["hash"]))
    except (ValueError, KeyError, TypeError) as problem:
        raise MalformedEventError(f"not an event: {line[:120]!r} ({problem})") from problem


def follows(event: Event, previous: str) -> bool:
    """Whether `event` is whole and was sealed onto the event with hash `previous`."""
    return seal(event.seq, event.time, event.fact, previous).hash == event.hash


def as_record(event: Event) -> dict[str, Any]:
    """The event as JSON values: what its line in the log holds."""
    return {"hash": event.hash, **_record(event.seq, event.time, event.fact)}


def _record(seq: int, time: float, fact: Fact) -> dict[str, Any]:
    data = {name.name: getattr(fact, name.name) for name in dataclasses.fields(fact)}  # type: ignore[arg-type]  # every Fact is a dataclass
    return {"seq": seq, "time": round(time, 6), "kind": fact.KIND, "data": data}


def _body(seq: int, time: float, fact: Fact) -> str:
    return json.dumps(_record(seq, time, fact), ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _digest(previous: str, body: str) -> str:
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


# --- sets of blocks as text -------------------------------------------------------------------------------------------


def to_ranges(numbers: set[int]) -> str:
    """`{0, 1, 2, 9}` as `"0-2,9"`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def from_ranges(text: str) -> set[int]:
    """`"0-2,9"` as `{0, 1, 2, 9}`."""
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers
