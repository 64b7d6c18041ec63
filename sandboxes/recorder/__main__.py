"""The witness's commands, inside its container.

python3 -m recorder serve      run the witness (the container's main process)
python3 -m recorder begin      lay out the episode of plan.json and world.tar, and watch
python3 -m recorder finish     end the episode; prints number and hash of the last event
python3 -m recorder news N     wait a while for telling events behind byte N of the log; prints them and the next N
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from . import plan as plans
from .events import AssetState, Content, Ended, Fault, FileDeleted, FileMoved, Limit, Opened

if TYPE_CHECKING:
    from .session import Session

RUN = Path("/run/recorder")
"""Where the host leaves `plan.json`, `world.tar` and, last, `words.json`, and the commands reach the witness."""
LOG = Path("/var/lib/recorder/events.jsonl")
TELLING = (Content.KIND, Opened.KIND, FileMoved.KIND, FileDeleted.KIND, AssetState.KIND, Limit.KIND, Fault.KIND)
"""Kinds of fact that somebody who follows the episode wants to hear of."""
ROUTINE = ('"how":"found"', '"how":"added"')
"""Of the states of assets, those that are no news: how they stood at the start, and what a log grows by."""
START_SECONDS = 30.0
"""The witness is given so long to come up."""
NEWS_SECONDS = 25.0
NEWS_PAUSE = 0.5
NEWS_BYTES = 4 << 20
_SOCKET = RUN / "control.sock"


def serve() -> None:
    """Run until the container stops."""
    # The other commands must not pay for these imports.
    from . import fanotify  # noqa: PLC0415
    from .closings import Closings  # noqa: PLC0415
    from .network.serve import Network  # noqa: PLC0415
    from .session import Session  # noqa: PLC0415

    for folder in (RUN, LOG.parent):
        folder.mkdir(parents=True, exist_ok=True)
    # While there are privileges: `prepare` gives them up.
    closings: Closings | None = None
    group: int | None = None
    with suppress(OSError):
        closings, group = Closings.open(), fanotify.new_group(os.O_NOATIME)
    network = Network()
    network.prepare()
    asyncio.run(_serve(Session(network, LOG, closings, group)))


async def _serve(session: Session) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command = (await reader.readline()).decode().strip()
        reply: dict[str, object]
        try:
            if command == "begin":
                plan = plans.from_json((RUN / "plan.json").read_text())
                await session.begin(plan, RUN / "world.tar")
                reply = {"ok": True}
            elif command == "finish":
                seq, head = await session.finish(RUN / "words.json")
                reply = {"ok": True, "seq": seq, "head": head}
            else:
                reply = {"ok": False, "problem": f"unknown command {command!r}"}
        except Exception as problem:  # told to the host, which decides
            traceback.print_exc()
            reply = {"ok": False, "problem": f"{type(problem).__name__}: {problem}"}
        writer.write(json.dumps(reply).encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, _SOCKET)
    async with server:
        await server.serve_forever()


def ask(command: str) -> int:
    """Send one command to the running witness and print its answer; exit status 0 when it was carried out."""
    with _reach() as client:
        client.sendall(command.encode() + b"\n")
        with client.makefile() as answer:
            line = answer.readline()
    sys.stdout.write(line)
    return 0 if line and json.loads(line)["ok"] else 1


def _reach() -> socket.socket:
    """A connection to the witness, which may still be starting. Raises OSError when it does not come up."""
    until = time.monotonic() + START_SECONDS
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(os.fspath(_SOCKET))
        except OSError:
            client.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return client


def news(after: int) -> dict[str, object]:
    """Lines of telling kinds behind byte `after` of the log: once there are some, at the end, or after a while."""
    until = time.monotonic() + NEWS_SECONDS
    lines: list[str] = []
    over = False
    while not (lines or over) and time.monotonic() < until:
        time.sleep(NEWS_PAUSE)
        with LOG.open("rb") as log:
            log.seek(after)
            data = log.read(NEWS_BYTES)
        whole = data[: data.rfind(b"\n") + 1]
        after += len(whole)
        every = whole.decode().splitlines()
        lines = [line for line in every if _is_of(line, TELLING) and not _is_routine(line)]
        over = any(_is_of(line, (Ended.KIND,)) for line in every)
    return {"after": after, "lines": lines, "over": over}


def _is_of(line: str, kinds: tuple[str, ...]) -> bool:
    return any(f'"kind":"{kind}"' in line for kind in kinds)


def _is_routine(line: str) -> bool:
    # A quotation mark inside a value has a backslash before it: this stands in a line only where a field does.
    return _is_of(line, (AssetState.KIND,)) and any(how in line for how in ROUTINE)


def main() -> int:
    """Run the command that the arguments name."""
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    if command == "serve":
        serve()
        return 0
    if command in ("begin", "finish"):
        return ask(command)
    if len(sys.argv) == 3 and sys.argv[1] == "news" and sys.argv[2].isdigit():
        sys.stdout.write(json.dumps(news(int(sys.argv[2]))) + "\n")
        return 0
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
