"""Runs in the recorder's container: its network alone, with a log, until told to stop. Read by `test_topology`."""

import asyncio
import os
import signal
from pathlib import Path

from recorder.log import Log  # type: ignore[import-not-found]  # a top-level package in the container
from recorder.marks import Marker  # type: ignore[import-not-found]
from recorder.network.serve import Network  # type: ignore[import-not-found]
from recorder.plan import from_json  # type: ignore[import-not-found]

RUN = Path("/run/recorder")


async def watch(network: Network) -> None:
    plan = from_json(os.environ["PLAN"])
    log = Log(RUN / "events.jsonl")
    (RUN / "ca.pem").write_text(network.certify(plan))
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await network.start(plan, Marker(bytes.fromhex(plan.key)), log)
    (RUN / "ready").touch()
    await over.wait()
    await network.stop()
    (RUN / "stopped").touch()
    await asyncio.sleep(3600)


if __name__ == "__main__":
    the_network = Network()
    the_network.prepare()
    asyncio.run(watch(the_network))
