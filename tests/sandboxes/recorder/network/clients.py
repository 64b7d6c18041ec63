"""Command lines of a user, unmodified, against the loopback lab."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from afagent.sandboxes.recorder import events

from .conftest import Lab

BLOCKS = 100
OPTIONS = ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new"]


class Client:
    """Command lines of a user with a folder of their own."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.options = [*OPTIONS, "-o", f"UserKnownHostsFile={folder}/known_hosts"]
        self.shell = " ".join(["ssh", *self.options, "-p", str(lab.port)])

    async def run(self, *command: str, data: bytes = b"") -> bytes:
        """What a command that succeeds prints."""
        environment = {
            **os.environ,
            "GIT_SSH_COMMAND": self.shell,
            "RSYNC_RSH": self.shell,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "HOME": str(self.folder),
        }
        process = await asyncio.create_subprocess_exec(
            *command, stdin=-1, stdout=-1, stderr=-1, cwd=self.folder, env=environment
        )
        async with asyncio.timeout(60):
            out, error = await process.communicate(data)
        assert process.returncode == 0, (command, out, error)
        return out

    async def ssh(self, *command: str, data: bytes = b"", options: tuple[str, ...] = ()) -> bytes:
        return await self.run(
            "ssh", *self.options, *options, "-p", str(self.lab.port), "pat@127.0.0.1", *command, data=data
        )

    async def sftp(self, *lines: str) -> bytes:
        return await self.run(
            "sftp", *self.options, "-b", "-", "-P", str(self.lab.port), "pat@127.0.0.1", data="\n".join(lines).encode()
        )

    async def scp(self, *words: str) -> bytes:
        return await self.run("scp", *self.options, "-P", str(self.lab.port), *words)


def seen(lab: Lab, part: str | None = None) -> events.Content:
    """The last word on what was recognised, of all blocks that were sent."""
    assert lab.record.of(events.Fault) == []
    whole = [
        fact
        for fact in lab.record.of(events.Content)
        if fact.blocks == {"0": f"0-{BLOCKS - 1}"} and part in (None, fact.part)
    ]
    assert whole, lab.record.facts
    return whole[-1]
