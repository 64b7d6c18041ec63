"""The words of FTP (RFC 959, 2428, 3659): commands taken apart, and the texts that answers are made of."""

from __future__ import annotations

import ipaddress
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .shelf import Entry

_TELNET = re.compile(rb"\xff[\xfb-\xfe].|\xff[\xf0-\xfa]", re.DOTALL)
"""Telnet's commands: clients send some before ABOR. A doubled 0xFF is a plain one."""
_HOST_PORT = re.compile(r"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})\Z")
_HALF_YEAR = 15_768_000


@dataclass(frozen=True)
class Command:
    """One line of a client."""

    verb: str
    """In capitals."""
    argument: str
    """Bytes that are no UTF-8 are kept as surrogates."""


def command(line: bytes) -> Command:
    """A line without its end."""
    plain = _TELNET.sub(b"", line).replace(b"\xff\xff", b"\xff")
    verb, _, argument = plain.strip(b"\r\n").decode("utf-8", "surrogateescape").partition(" ")
    return Command(verb.strip().upper(), argument)


def read_port(argument: str) -> tuple[str, int] | None:
    """Address and port of PORT's argument; None when it is none."""
    match = _HOST_PORT.match(argument.strip())
    numbers = [int(number) for number in match.groups()] if match else [256]
    if max(numbers) > 255:
        return None
    return ".".join(map(str, numbers[:4])), numbers[4] << 8 | numbers[5]


def read_extended_port(argument: str) -> tuple[str, int] | None:
    """Address and port of EPRT's argument, such as `|2|2a00::7|40001|`; None when it is none."""
    fields = argument.split(argument[0]) if argument else []
    try:
        _, family, address, port, _ = fields
        found = ipaddress.ip_address(address)
        number = int(port)
    except ValueError:
        return None
    return (str(found), number) if family == {4: "1", 6: "2"}[found.version] and 0 < number < 65536 else None


def read_offset(argument: str) -> int | None:
    """REST's argument; None when it is no number of bytes."""
    text = argument.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def entering_passive(address: str, port: int) -> str:
    """The answer to PASV; `address` is IPv4."""
    return f"227 Entering Passive Mode ({address.replace('.', ',')},{port >> 8},{port & 255})."


def stamp(modified: float) -> str:
    """A moment as MDTM and MLSD give it."""
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(modified))


def as_facts(name: str, entry: Entry) -> str:
    """A line of MLSD."""
    kind, mode = ("dir", "flcdmpe") if entry.folder else ("file", "adfrw")
    size = "" if entry.folder else f"size={entry.size};"
    return f"type={kind};{size}modify={stamp(entry.modified)};perm={mode}; {name}"


def as_long_lines(entries: Iterable[tuple[str, Entry]], now: float) -> Iterable[str]:
    """Lines of LIST, as `ls -l` has them."""
    for name, entry in entries:
        moment = time.gmtime(entry.modified)
        recent = abs(now - entry.modified) < _HALF_YEAR
        date = time.strftime("%b %d %H:%M" if recent else "%b %d  %Y", moment)
        mode, links, size = ("drwxr-xr-x", 2, 4096) if entry.folder else ("-rw-r--r--", 1, entry.size)
        yield f"{mode} {links:4} 1001     1001     {size:12} {date} {name}"


def encode(text: str) -> bytes:
    """Text as it goes over the wire; names come back as they came."""
    return text.encode("utf-8", "surrogateescape")


class LineEnds:
    """Undoes what a client's ASCII mode does to a file: each line break travels as CR LF."""

    def __init__(self) -> None:
        self._held = b""
        self.changed = False
        """Whether there was any to undo."""

    def feed(self, data: bytes) -> bytes:
        """The next bytes, as the server would store them."""
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""
        plain = data[: len(data) - len(self._held)].replace(b"\r\n", b"\n")
        self.changed = self.changed or len(plain) + len(self._held) < len(data)
        return plain

    def finish(self) -> bytes:
        """What was held back."""
        held, self._held = self._held, b""
        return held
