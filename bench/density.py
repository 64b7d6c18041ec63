"""How much memory a lab holds, how many fit into a machine, and what the lab's systems add to its start.

    .venv/bin/python bench/density.py [LABS] [WEIGHTS_MB]

First, labs are started with and without their systems, one at a time and in turn, so that the ratio holds on a noisy
machine. Then LABS labs are started, a few at a time, and all of them stand with their services at work. A lab's memory is
what the kernel charges to its two containers less the page cache that it could give back; beside it stands what the whole
machine lost, which holds the engine's share too.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from afagent import engine
from afagent.conditions import Condition
from afagent.corpus.lab import Lab, running_lab
from afagent.sandboxes.recorder.plan import to_json
from afagent.world.episode import Episode, build_episode
from afagent.world.files import pack
from afagent.world.prompts import Prompts

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

GIB = 1 << 30
MACHINE = 24 * GIB
AT_ONCE = os.cpu_count() or 2
SETTLE_SECONDS = 15
"""So long the services work before memory is read: each has reported some times."""
ROUNDS = 5
TASK = "oversight_sabotage"


@dataclass(frozen=True)
class Memory:
    """Bytes of one lab that cannot be given back."""

    workstation: int
    witness: int

    @property
    def whole(self) -> int:
        """Of both containers."""
        return self.workstation + self.witness


def episode(seed: int, weights_mb: int, *, with_systems: bool) -> Episode:
    """A scenario, with or without the lab's own systems."""
    built = build_episode(seed, Condition(), weights_mb, datetime.now(UTC), Prompts(), TASK)
    if with_systems:
        return built
    return dataclasses.replace(built, systems=dataclasses.replace(built.systems, assets=(), services=(), files=()))


@contextmanager
def standing(client: DockerClient, scenario: Episode) -> Iterator[tuple[Lab, float]]:
    """A lab with its services at work, and the seconds that it took to start."""
    began = time.monotonic()
    key = secrets.token_bytes(32)
    plan, world = to_json(scenario.plan(key)), pack(scenario.files())
    with running_lab(client, scenario.lab.host) as lab:
        lab.begin(plan, world)
        lab.start_services(scenario.systems.services)
        yield lab, time.monotonic() - began


def charged(client: DockerClient, container: Container) -> int:
    """What the kernel charges to a container, less the pages of files that stand on a disk as well."""
    said: dict[str, Any] = client.api.stats(str(container.id), stream=False)["memory_stats"]
    details = said["stats"]  # under the names of cgroups 2, or of cgroups 1
    cached = details["file"] if "file" in details else details["total_cache"]
    in_memory_only = details["shmem"] if "shmem" in details else details["total_shmem"]
    return int(said["usage"]) - int(cached) + int(in_memory_only)


def measure(client: DockerClient, lab: Lab) -> Memory:
    """What a lab holds now."""
    return Memory(charged(client, lab.workstation), charged(client, lab.witness))


def available() -> int:
    """Bytes that the machine could still give."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


def measure_memory(client: DockerClient, labs: int, weights_mb: int) -> None:
    """Has all labs stand at once, and prints what they hold."""
    scenarios = [episode(seed, weights_mb, with_systems=True) for seed in range(1, labs + 1)]
    before, began = available(), time.monotonic()
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        begun = list(pool.map(lambda one: stack.enter_context(standing(client, one)), scenarios))
        started = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        memory = list(pool.map(lambda one: measure(client, one[0]), begun))
        lost = before - available()
        alive = sum(end.running is True for lab, _ in begun for end in lab.service_ends())
    services = sum(len(one.systems.services) for one in scenarios)
    print(f"{labs} labs at once, weights of {weights_mb} MB: all stood after {started:.0f} s")
    print(f"services at work: {alive} of {services}")
    for name, values in (
        ("workstation", [one.workstation for one in memory]),
        ("witness", [one.witness for one in memory]),
        ("lab", [one.whole for one in memory]),
    ):
        print(f"{name:>14}: median {_mib(statistics.median(values))}, most {_mib(max(values))}")
    total = sum(one.whole for one in memory)
    print(f"{'all labs':>14}: {total / GIB:.2f} GiB charged, {lost / GIB:.2f} GiB less left on the machine")
    used = max(total, lost)
    print(f"left of {MACHINE / GIB:.0f} GiB: {(MACHINE - used) / GIB:.1f} GiB, room for {MACHINE * labs // used} labs")


def measure_start(client: DockerClient, weights_mb: int) -> None:
    """Starts labs with and without systems in turn, and prints the ratio."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for number in range(ROUNDS):
        for with_systems in (True, False) if number % 2 else (False, True):
            scenario = episode(100 + number, weights_mb, with_systems=with_systems)
            with standing(client, scenario) as (_, took):
                seconds[with_systems].append(took)
    rich, plain = (statistics.median(seconds[each]) for each in (True, False))
    print(
        f"start of a lab: {rich:.2f} s with systems, {plain:.2f} s without: {rich / plain:.2f} times (aim: up to 1.5)"
    )


def _mib(value: float) -> str:
    return f"{value / (1 << 20):.0f} MiB"


def main() -> None:
    labs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    weights_mb = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    client = engine.connect(timeout=300)
    try:
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        measure_start(client, weights_mb)
        measure_memory(client, labs, weights_mb)
    finally:
        client.close()


if __name__ == "__main__":
    main()
