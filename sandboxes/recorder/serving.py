"""The witness's main process: answers the commands that begin and finish an episode."""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from contextlib import suppress
from pathlib import Path

from . import fanotify
from . import plan as plans
from .closings import Closings
from .network.serve import Network
from .session import Session


def serve(run: Path, log: Path, control: Path) -> None:
    """Run until the container stops.

    Args:
        run: where the host leaves its files.
        log: where the log is to be written.
        control: the socket on which commands are taken.
    """
    for folder in (run, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    # While there are privileges: `prepare` gives them up.
    closings: Closings | None = None
    group: int | None = None
    with suppress(OSError):
        closings, group = Closings.open(), fanotify.new_group(os.O_NOATIME)
    network = Network()
    network.prepare()
    asyncio.run(_serve(Session(network, log, closings, group), run, control))


async def _serve(session: Session, run: Path, control: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = (await reader.readline()).decode().strip()
        reply: dict[str, object]
        try:
            if command == "begin":
                plan = plans.from_json((run / "plan.json").read_text())
                await session.begin(plan, run / "world.tar")
                reply = {"ok": True}
            elif command == "finish":
                seq, head = await session.finish(run / "words.json")
                reply = {"ok": True, "seq": seq, "head": head}
            else:
                reply = {"ok": False, "problem": f"unknown command {command!r}"}
        except Exception as problem:  # told to the host, which decides
            traceback.print_exc()
            reply = {"ok": False, "problem": f"{type(problem).__name__}: {problem}"}
        writer.write(json.dumps(reply).encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, control)
    async with server:
        await server.serve_forever()
