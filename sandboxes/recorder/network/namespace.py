"""The workstation's only link, whose far end lies in a network namespace that only the witness is in.

The witness's container owns the namespace that the workstation joins. Whatever listened there, and every firewall rule
there, could be seen from the workstation. So the witness leaves it: `Link.make` forks a **steward**, which stays
behind, and moves the calling process to a new namespace. The steward makes `eth0` in the first namespace and its far
end `up0` in the second. Addresses are known only later, when the host sends the plan; the steward sets them, and exits.

Addresses stand alone (/32 and /128, everything through the gateway), as on large clouds, so that no other host of the
subnet is ever asked for by ARP.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ..plan import Host
from .listen_table import ListenTable
from .privileges import call_libc

if TYPE_CHECKING:
    from collections.abc import Callable

INSIDE, FAR = "eth0", "up0"
"""The two ends of the link: the one that the workstation sees, and the witness's."""

GATEWAY6 = "fe80::1"

_CLONE_NEWNET = 0x40000000
_REPLY_BYTES = 65536
_COUNTERS = Path("/proc/self/net/dev")


class LinkError(RuntimeError):
    """The link could not be made; the message says which command failed."""


class Link:
    """The workstation's only link, seen from its far end. Made by `Link.make`."""

    def __init__(self, steward: int, channel: socket.socket, listening: ListenTable) -> None:
        self._steward = steward
        self._channel = channel
        self.listening = listening
        """Who listens on the workstation."""

    @classmethod
    def make(cls) -> Link:
        """Move this process to a namespace of its own, with a link to the one that it leaves.

        To be called before there are threads, with NET_ADMIN and SYS_ADMIN, which may be dropped afterwards.

        Raises:
            LinkError: the link could not be made.
            OSError: the kernel refuses a new namespace.
        """
        listening = ListenTable()
        ours, theirs = socket.socketpair()
        steward = os.fork()
        if steward == 0:
            ours.close()
            _be_steward(theirs)
        theirs.close()
        call_libc("unshare", _CLONE_NEWNET)
        link = cls(steward, ours, listening)
        link._ask({"witness": os.getpid()})
        return link

    def configure(self, host: Host) -> None:
        """Give the link the host's addresses and routes. Once only; the steward exits.

        Raises:
            LinkError: a command failed, or the link is configured already.
        """
        try:
            self._ask(dataclasses.asdict(host))
        finally:
            self._channel.close()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._steward, 0)

    def _ask(self, order: dict[str, object]) -> None:
        try:
            self._channel.sendall(json.dumps(order).encode() + b"\n")
            answer = self._channel.recv(_REPLY_BYTES).decode()
        except OSError as problem:
            raise LinkError(f"the link's steward is gone: {problem}") from problem
        if answer != "done":
            raise LinkError(answer or "the link's steward ended without an answer")


def link_counters() -> tuple[int, int]:
    """Packets and bytes that the workstation has sent over its link; zeros where there is no link."""
    for line in _COUNTERS.read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == FAR:
            received = numbers.split()
            return int(received[1]), int(received[0])
    return 0, 0


def write_host_files(host: Host, etc: Path = Path("/etc")) -> None:
    """Fill `resolv.conf` and `hosts` as on an ordinary host.

    Docker gives the workstation the same two files, so they are written in place.
    """
    (etc / "resolv.conf").write_text(f"search {host.domain}\nnameserver {host.nameserver}\n")
    full = f"{host.name}.{host.domain} {host.name}"
    (etc / "hosts").write_text(
        f"127.0.0.1\tlocalhost\n{host.address}\t{full}\n\n"
        f"::1\tlocalhost ip6-localhost ip6-loopback\n{host.address6}\t{full}\n"
        "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
    )


# --- the steward ------------------------------------------------------------------------------------------------------


def _be_steward(channel: socket.socket) -> None:
    """Carry out two orders, then exit. Never returns."""
    code = 1
    try:
        orders = channel.makefile("rb")
        witness = json.loads(orders.readline())["witness"]
        far = os.open(f"/proc/{witness}/ns/net", os.O_RDONLY)
        _answer(channel, lambda: _lay(witness, far))
        line = orders.readline()
        if line:
            host = Host(**json.loads(line))
            _answer(channel, lambda: _address(host, far))
        code = 0
    finally:
        os._exit(code)


def _answer(channel: socket.socket, work: Callable[[], None]) -> None:
    try:
        work()
    except (LinkError, OSError) as problem:
        channel.sendall(str(problem).encode())
    else:
        channel.sendall(b"done")


def _lay(witness: int, far: int) -> None:
    _ip(f"link add {INSIDE} type veth peer name {FAR}", f"link set {FAR} netns {witness}", "link set lo up")
    _ip("link set lo up", f"link set {FAR} up", inside=far)
    _ip(f"addr add {GATEWAY6}/64 dev {FAR} nodad", inside=far, version=6)


def _address(host: Host, far: int) -> None:
    _ip(f"addr add {host.gateway}/32 dev {FAR}", f"route add {host.address} dev {FAR}", inside=far)
    _ip(f"route add {host.address6} dev {FAR}", inside=far, version=6)
    _ip(
        f"addr add {host.address}/32 dev {INSIDE}",
        f"link set {INSIDE} up",
        f"route add {host.gateway} dev {INSIDE}",
        f"route add default via {host.gateway}",
    )
    _ip(
        f"addr add {host.address6}/128 dev {INSIDE} nodad",
        f"route add default via {GATEWAY6} dev {INSIDE}",
        version=6,
    )


def _ip(*commands: str, inside: int | None = None, version: int = 4) -> None:
    enter = [] if inside is None else ["nsenter", f"--net=/proc/self/fd/{inside}"]
    done = subprocess.run(
        [*enter, "ip", f"-{version}", "-batch", "-"],
        input="\n".join(commands) + "\n",
        pass_fds=() if inside is None else (inside,),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LinkError(f"ip {'; '.join(commands)}: {done.stderr.strip()[:500]}")
