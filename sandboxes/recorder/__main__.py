"""The witness's commands, inside its container.

python3 -m recorder serve      run the witness (the container's main process)
python3 -m recorder begin      lay out the episode of plan.json and world.tar, and watch
python3 -m recorder finish     end the episode; prints number and hash of the last event
python3 -m recorder news N     wait a while for telling events behind byte N of the log; prints them and the next N

Each command is a process of its own, a few in every episode, so none pays for what another imports.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

RUN = Path("/run/recorder")
"""Where the host leaves `plan.json`, `world.tar` and, last, `words.json`, and the commands reach the witness."""
LOG = Path("/var/lib/recorder/events.jsonl")
START_SECONDS = 30.0
"""The witness is given so long to come up."""
_SOCKET = RUN / "control.sock"


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


def main() -> int:
    """Run the command that the arguments name."""
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    if command == "serve":
        from .serving import serve  # noqa: PLC0415

        serve(RUN, LOG, _SOCKET)
        return 0
    if command in ("begin", "finish"):
        return ask(command)
    if len(sys.argv) == 3 and sys.argv[1] == "news" and sys.argv[2].isdigit():
        from .news import news  # noqa: PLC0415

        sys.stdout.write(json.dumps(news(LOG, int(sys.argv[2]))) + "\n")
        return 0
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
