"""FTP: every site has a server that lets anybody in and takes what it is given.

A state machine of our own, and no library: servers in libraries (pyftpdlib) own an event loop and real sockets for
data, while here data connections arrive like any other (`expected`) or have to come from somebody else's address
(`dialling`), TLS is ended by the witness's own authority, and no file of the client's naming may ever exist.
"""

from __future__ import annotations

import asyncio
import posixpath
from typing import TYPE_CHECKING

from ..dialogue import Dialogue
from ..greeting import Greeted, chosen, first_word
from ..pieces import Pieces
from ..speaker import drain
from . import words
from .data import DataConnections
from .transfer import Files, give, receive
from .tree import Tree

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..dialling import Dialler
    from ..expected import Expected
    from ..flow import Flow, Flows
    from ..sight import Scribe
    from ..speaker import Call
    from ..tls import CertificateAuthority
    from .data import Data

FEATURES = ("AUTH TLS", "EPRT", "EPSV", "MDTM", "MFMT", "MLST type*;size*;modify*;perm*;", "PASV", "PBSZ", "PROT",
            "REST STREAM", "SIZE", "TVFS", "UTF8")  # fmt: skip

MAX_STRANGE = 20
"""Unknown commands in a row; what sends more of them does not speak FTP, and is taken in silence."""

PORTS, TLS_PORTS = frozenset({21, 2121}), frozenset({990})

_GREETINGS = (
    "220 (vsFTPd 3.0.3)",
    "220 ProFTPD Server ({host})",
    "220 {host} FTP server ready.",
    "220-FileZilla Server 1.7.0\r\n220 Please visit our site for terms of use",
    "220 Welcome to Pure-FTPd.",
)
_OPENING = (b"USER", b"AUTH", b"FEAT", b"HOST", b"SYST", b"CLNT", b"OPTS")

_FIXED = {
    "ACCT": "202 Superfluous.",
    "ALLO": "202 ALLO command ignored.",
    "CCC": "533 Command channel must stay protected.",
    "CLNT": "200 Noted.",
    "HELP": "214 Help OK.",
    "HOST": "220 Host accepted.",
    "LANG": "200 Using language EN.",
    "NOOP": "200 NOOP ok.",
    "PASS": "230 Login successful.",
    "PBSZ": "200 PBSZ set to 0.",
    "REIN": "502 REIN not implemented.",
    "SITE": "200 SITE command ok.",
    "SMNT": "502 SMNT not implemented.",
    "SYST": "215 UNIX Type: L8",
    "USER": "331 Please specify the password.",
}
"""Commands that are always answered in the same way."""

_ONLY = {"MODE": ("S",), "STRU": ("F", "R"), "TYPE": ("A", "A N", "I", "L 8", "L8")}
"""Commands with few good arguments."""


class Ftp:
    """All FTP conversations of an episode; a `speaker.Speaker` for after the greeting.

    Args:
        scribe: where to record.
        flows: the episode's flows.
        authority: ends TLS.
        expected: where passive data connections are announced.
        dialler: makes active data connections.
    """

    def __init__(
        self, scribe: Scribe, flows: Flows, authority: CertificateAuthority, expected: Expected, dialler: Dialler
    ) -> None:
        self.scribe = scribe
        self.flows = flows
        self.authority = authority
        self.expected = expected
        self.dialler = dialler
        self.pieces = Pieces(scribe)
        self.files = Files(scribe)

    def greeted(self) -> Greeted:
        """How clients are greeted, and known."""
        return Greeted(self, PORTS, TLS_PORTS, lambda host: chosen(host, _GREETINGS), first_word(*_OPENING))

    async def speak(self, call: Call) -> None:
        """See `speaker.Speaker`."""
        await _Conversation(self, call).run()

    def close(self) -> None:
        """Nothing more comes."""
        self.pieces.close()
        self.files.close()


class _Conversation:
    """One client, from after the greeting to its end."""

    def __init__(self, ftp: Ftp, call: Call) -> None:
        self._ftp = ftp
        self._with = Dialogue(call, ftp.pieces, errors="surrogateescape")  # names go back as they came
        self._flow = call.flow
        self._shelf = ftp.files.shelves.of(call.flow.end.address)
        self._tree = Tree(self._shelf)
        self._data = DataConnections(call.flow, ftp.expected, ftp.dialler, ftp.authority, self._open_flow)
        self._private = False
        self._ascii = True
        self._offset: int | None = None
        self._transfer: asyncio.Task[None] | None = None
        self._strange = 0
        self._over = False

    async def run(self) -> None:
        self._flow.protocol = "ftps" if self._with.tls else "ftp"
        try:
            while not self._over:
                line = await self._next()
                if not line:
                    break
                await self._handle(words.command(line))
            await self._finish_transfer()
        finally:
            if self._transfer is not None:
                self._transfer.cancel()
            self._data.forget()

    async def _next(self) -> bytes:
        try:
            return await self._with.line()
        except TimeoutError:
            await self._finish_transfer()
            await self._with.say("421 Timeout.")
            return b""

    async def _handle(self, command: words.Command) -> None:
        if command.verb == "ABOR":
            await self._abort()
            return
        await self._finish_transfer()
        work = _WORK.get(command.verb)
        if work is not None:
            await work(self, command)
            return
        text = _FIXED.get(command.verb) or self._tree.answer(command)
        await self._with.say(text or "500 Unknown command.")
        self._strange = 0 if text else self._strange + 1
        if self._strange > MAX_STRANGE:
            self._over = True
            await drain(self._with.stream, self._flow)

    def _open_flow(self, address: str, port: int, name: str | None) -> Flow:
        return self._ftp.flows.open("tcp", address, port, name)

    # --- settings -----------------------------------------------------------------------------------------------------

    async def _set(self, command: words.Command) -> None:
        value = command.argument.strip().upper()
        if value not in _ONLY[command.verb]:
            await self._with.say(f"504 Bad {command.verb} command.")
            return
        if command.verb == "TYPE":
            self._ascii = value.startswith("A")
        await self._with.say(f"200 {command.verb} set to {value}.")

    async def _features(self, _: words.Command) -> None:
        await self._with.say("211-Features:", *(f" {feature}" for feature in FEATURES), "211 End")

    async def _options(self, command: words.Command) -> None:
        known = command.argument.upper().startswith(("UTF8", "MLST"))
        await self._with.say("200 Always in UTF8 mode." if known else "501 Option not understood.")

    async def _secure(self, command: words.Command) -> None:
        if self._with.tls or command.argument.strip().upper() not in ("TLS", "SSL", "TLS-C", "TLS-P"):
            await self._with.say("503 Already secured." if self._with.tls else "504 Unknown AUTH type.")
            return
        await self._with.say("234 Proceed with negotiation.")
        await self._with.secure(self._ftp.authority)
        self._flow.protocol = "ftps"

    async def _protect(self, command: words.Command) -> None:
        level = command.argument.strip().upper()
        if level not in ("C", "P"):
            await self._with.say("504 PROT not supported.")
            return
        self._private = level == "P"
        await self._with.say(f"200 PROT now {'Private' if self._private else 'Clear'}.")

    async def _quit(self, _: words.Command) -> None:
        self._over = True
        await self._with.say("221 Goodbye.")

    # --- where data go ------------------------------------------------------------------------------------------------

    async def _passive(self, _: words.Command) -> None:
        address = self._flow.end.address
        if ":" in address:
            await self._with.say("522 Network protocol not supported, use EPSV.")
            return
        await self._with.say(words.entering_passive(address, self._data.announce()))

    async def _extended_passive(self, command: words.Command) -> None:
        if command.argument.strip().upper() == "ALL":
            await self._with.say("200 EPSV ALL ok.")
            return
        await self._with.say(f"229 Entering Extended Passive Mode (|||{self._data.announce()}|)")

    async def _active(self, command: words.Command) -> None:
        read = words.read_port if command.verb == "PORT" else words.read_extended_port
        target = read(command.argument)
        if target is None or target[1] < 1024 or target[0] not in self._ftp.dialler.targets:
            await self._with.say(f"500 Illegal {command.verb} command.")
            return
        self._data.dial_to(*target)
        await self._with.say(f"200 {command.verb} command successful.")

    # --- transfers ----------------------------------------------------------------------------------------------------

    async def _begin(self, target: str, about: str, work: Callable[[Data], Awaitable[None]]) -> None:
        """Have `work` done on the next data connection, while further commands are read."""
        if not self._data.is_arranged:
            await self._with.say("425 Use PORT or PASV first.")
            return
        await self._with.say(f"150 {about}")
        self._transfer = asyncio.create_task(self._run_transfer(target, work))

    async def _run_transfer(self, target: str, work: Callable[[Data], Awaitable[None]]) -> None:
        try:
            async with self._data.open(target, private=self._private) as data:
                await work(data)
        except OSError:
            await self._with.say("426 Failure of the data connection.")
        else:
            await self._with.say("226 Transfer complete.")

    async def _finish_transfer(self) -> None:
        transfer, self._transfer = self._transfer, None
        if transfer is not None:
            await transfer

    async def _abort(self) -> None:
        transfer, self._transfer = self._transfer, None
        if transfer is not None and transfer.cancel():
            await asyncio.gather(transfer, return_exceptions=True)
            await self._with.say("426 Transfer aborted.")
        self._data.forget()
        await self._with.say("226 ABOR successful.")

    async def _restart(self, command: words.Command) -> None:
        self._offset = words.read_offset(command.argument)
        known = self._offset is not None
        await self._with.say(f"350 Restart position accepted ({self._offset})." if known else "501 Bad position.")

    async def _store(self, command: words.Command) -> None:
        path = self._tree.path(command.argument or "stou")
        offset, self._offset = self._offset, None
        about = "Ok to send data."
        if command.verb == "APPE":
            found = self._shelf.find(path)
            offset = found.size if found else None
        elif command.verb == "STOU":
            path, offset = self._shelf.unused(path), None
            about = f"FILE: {posixpath.basename(path)}"

        async def work(data: Data) -> None:
            await receive(self._ftp.files, self._shelf, path, offset, data, text=self._ascii)

        await self._begin(path, about, work)

    async def _retrieve(self, command: words.Command) -> None:
        offset, self._offset = self._offset, None
        path = self._tree.path(command.argument)
        entry = self._shelf.find(path)
        if entry is None or entry.content is None:
            await self._with.say("550 Failed to open file.")
            return

        async def work(data: Data) -> None:
            await give(entry.chunks(offset or 0), data, text=self._ascii)

        await self._begin(path, f"Opening data connection for {posixpath.basename(path)} ({entry.size} bytes).", work)

    async def _list(self, command: words.Command) -> None:
        text = words.encode(self._tree.listing(command.verb, command.argument))

        async def work(data: Data) -> None:
            await give([text], data)

        await self._begin(self._tree.path(""), "Here comes the directory listing.", work)


_WORK: dict[str, Callable[[_Conversation, words.Command], Awaitable[None]]] = {
    "APPE": _Conversation._store,
    "AUTH": _Conversation._secure,
    "EPRT": _Conversation._active,
    "EPSV": _Conversation._extended_passive,
    "FEAT": _Conversation._features,
    "LIST": _Conversation._list,
    "MLSD": _Conversation._list,
    "MODE": _Conversation._set,
    "NLST": _Conversation._list,
    "OPTS": _Conversation._options,
    "PASV": _Conversation._passive,
    "PORT": _Conversation._active,
    "PROT": _Conversation._protect,
    "QUIT": _Conversation._quit,
    "REST": _Conversation._restart,
    "RETR": _Conversation._retrieve,
    "STOR": _Conversation._store,
    "STOU": _Conversation._store,
    "STRU": _Conversation._set,
    "TYPE": _Conversation._set,
}
