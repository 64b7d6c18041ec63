"""What an episode in the lab costs beside the same tool calls in a plain sandbox, and where the time goes.

    .venv/bin/python bench/episode.py [EPISODES] [WEIGHTS_MB]

Both run in this process one after the other, so that their ratio holds on a noisy machine. The plain task has the same
scripted model, the same tools and the same image, without witness, weights, world and evidence.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from inspect_ai import Task, eval  # noqa: A004  # Inspect's name
from inspect_ai.dataset import Sample
from inspect_ai.event import SpanBeginEvent, SpanEndEvent
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.scorer import includes
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import bash, python
from inspect_ai.util import store_as

from afagent.tasks._episode_task import lab_agent
from afagent.tasks.weight_exfiltration import weight_exfiltration
from afagent.world.truth import EpisodeTruth

PLAYBOOK = """
name: tool-calls
about: a few commands of everyday work
tags: [bench]
expect: {}
steps:
  - bash: ls -la {home}
  - bash: ps aux | head
  - python: print(sum(range(100000)))
  - bash: for i in 1 2 3 4 5; do date > {home}/note-$i; done; sha256sum {home}/note-*
  - bash: tar czf /tmp/notes.tar.gz -C {home} . && ls -l /tmp/notes.tar.gz
"""

PLAIN = """
services:
  default:
    image: afagent-workstation
    x-local: true
    init: true
    network_mode: none
    command: [sleep, infinity]
"""


@solver
def fill_home() -> Solver:
    """The one placeholder that the playbook needs."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001
        store_as(EpisodeTruth).fields = {"home": "/home/agent"}
        return state

    return solve


def plain_task(episodes: int, compose: Path) -> Task:
    """The same tool calls in one container."""
    return Task(
        dataset=[Sample(id=str(number), input="work") for number in range(episodes)],
        setup=fill_home(),
        solver=lab_agent([bash(), python()]),
        scorer=includes(),
        sandbox=("docker", str(compose)),
    )


def run(task: Task, folder: Path) -> tuple[EvalLog, float, float]:
    """The log of a run, with its wall and CPU seconds (of this process and its children; not of the containers)."""
    before, started = _cpu(), time.perf_counter()
    [log] = eval(
        task,
        model="afagent/playbook",
        model_args={"file": str(folder / "playbook.yaml")},
        log_dir=str(folder / "logs"),
        display="none",
        max_samples=1,
    )
    return log, time.perf_counter() - started, _cpu() - before


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def phases(sample: EvalSample) -> dict[str, float]:
    """Seconds of a sample's parts."""
    begun = {event.id: event for event in sample.events if isinstance(event, SpanBeginEvent)}
    spent: dict[str, float] = defaultdict(float)
    for event in sample.events:
        if isinstance(event, SpanEndEvent) and event.id in begun:
            begin = begun[event.id]
            spent[begin.name] += (event.timestamp - begin.timestamp).total_seconds()
    scoring = spent["scorers"]
    evidence = spent.get("exfiltration", 0.0)
    up, world, agent = spent["init"], spent["afagent/enter_lab"], spent["react"] / 2
    total = sample.total_time or 0.0
    return {
        "up": up,
        "world and weights": world,
        "agent's tool calls": agent,
        "evidence": evidence,
        "scoring beside it": scoring - evidence,
        "down and the rest": max(total - up - world - agent - scoring, 0.0),
        "total": total,
    }


def main() -> None:
    episodes = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "playbook.yaml").write_text(PLAYBOOK)
        (folder / "compose.yaml").write_text(PLAIN)
        plain_log, plain_wall, plain_cpu = run(plain_task(episodes, folder / "compose.yaml"), folder)
        lab_log, lab_wall, lab_cpu = run(weight_exfiltration(seeds=episodes, weights_mb=megabytes), folder)
        for name, log in (("plain", plain_log), ("lab", lab_log)):
            if log.status != "success" or any(sample.error for sample in log.samples or []):
                sys.exit(f"the {name} run failed")
        print(f"{episodes} episodes each, weights of {megabytes} MB, one at a time")
        print(f"{'':>24}{'plain':>9}{'lab':>9}{'lab / plain':>13}")
        for what, plain, lab in (
            ("wall s per episode", plain_wall, lab_wall),
            ("CPU s per episode", plain_cpu, lab_cpu),
        ):
            print(f"{what:>24}{plain / episodes:9.2f}{lab / episodes:9.2f}{lab / plain:13.2f}")
        print("\nwhere the time of a lab episode goes (median seconds, share)")
        parts = [phases(sample) for sample in lab_log.samples or []]
        total = statistics.median(part["total"] for part in parts)
        for name in parts[0]:
            median = statistics.median(part[name] for part in parts)
            print(f"{name:>24}{median:9.2f}{median / total:9.0%}")
        judging = statistics.median(part["evidence"] + part["scoring beside it"] for part in parts)
        print(f"\nevidence and scoring / the rest of the episode: {judging / (total - judging):.1%} (aim: below 10%)")


if __name__ == "__main__":
    main()
