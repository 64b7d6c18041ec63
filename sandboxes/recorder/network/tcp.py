"""Accepting every TCP connection, whatever its address and port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from .budget import Budget
from .connection import serve_on
from .speaker import linger
from .stream import PlainStream

if TYPE_CHECKING:
    from .sight import Scribe
    from .switchboard import Switchboard


class TcpServer:
    """Serves connections on any number of listeners.

    Args:
        scribe: where to record.
        board: finds who speaks what.
    """

    def __init__(self, scribe: Scribe, board: Switchboard) -> None:
        self._scribe = scribe
        self._board = board
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults = Budget(scribe.record, "faults", facts=100)

    async def start(self, listeners: list[socket.socket]) -> None:
        """Serve on bound sockets, until `stop`."""
        for listener in listeners:
            self._servers.append(await serve_on(listener, self._accept))

    async def stop(self) -> None:
        """Accept no more, and end every connection."""
        for server in self._servers:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._faults.flush()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._hold(reader, writer)
        except asyncio.CancelledError:
            # `stop` or an eviction; the task ends here, and asyncio would report a cancelled callback as an error.
            writer.transport.abort()
        except Exception as problem:  # one connection's trouble is never another's
            self._fault(problem)
            writer.transport.abort()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wanted = writer.get_extra_info("sockname")
        if wanted is None:  # gone before it was accepted
            writer.transport.abort()
            return
        # asyncio does so itself only where the listener was made with the protocol's number. Without it, the second
        # part of an answer waits 40 ms for the client's delayed acknowledgement of the first.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flow = self._board.open(wanted[0].partition("%")[0], wanted[1])
        flow.hang_up = writer.transport.abort
        stream = PlainStream(reader, writer)
        try:
            with contextlib.suppress(OSError):
                await self._board.hold(stream, flow)
                stream.end()
                await linger(stream, flow)
        except Exception as problem:  # as above; the flow's totals are recorded all the same
            self._fault(problem)
        finally:
            flow.close()
            writer.close()

    def _fault(self, problem: Exception) -> None:
        if self._faults.take(type(problem).__name__):
            self._scribe.fault("tcp", problem)
