"""How fast the gate reads logs, and what memory that takes.

    .venv/bin/python bench/gate.py [--logs 100] [--samples 300] [--jobs 2] [--rejudge all|positives|none]
                                   [--compare 2] [--whole]

Writes logs of episodes whose evidence is as large as a real one's (the lab's own files, a report of each service each
five seconds, a sign of life each second), reads them as `gate check` does, and prints the time, the peak of what all
its processes hold, and the ratio to `inspect_ai.analysis.samples_df`: once as it is by default, which reads each log's
list of samples only, and once with `full=True`, which reads the samples. That is measured on the first logs
(`--compare`; 0: not at all) and scaled. With `--whole` the same logs go through `afagent gate check` and
`afagent report`, each a process of its own, whose time and memory are told in the same way, this one's included.

Aims at 100 logs of 300 samples on two free cores: below 60 s and below 1 GiB.

Reading those took 95 s of a processor and 49 s on two free cores, `gate check` 53 s and the report 53 s, at most
413 MiB, in November 2026. To look for no cycles saved a ninth, to unpack each sample into the same room a twentieth (a
tenth with two processes, which then hardly ask the system for memory). Of the 3.2 ms an episode a third goes into the
witness's log, another into unpacking and decoding the sample, a sixth into the findings. What does not help, measured:
`orjson`, the witness's log as bytes, typed decoders for its facts; `isal`'s checksums save 3%. The machine itself was
between 3.2 and 5.4 ms with the same code.

All logs are one file under many names, so that they are written in a minute; whoever reads cannot tell.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from inspect_ai.analysis import samples_df
from inspect_ai.event import InfoEvent
from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec, write_eval_log
from inspect_ai.scorer import Score

from afagent.conditions import Condition
from afagent.evidence.case import Kept, build_case
from afagent.evidence.services import ServiceEnd
from afagent.evidence.transcript import Step
from afagent.gate.observed import LogRead
from afagent.gate.reading.logs import Rejudge, read_logs
from afagent.gate.reading.rejudge import JUDGES
from afagent.sandboxes.recorder import events
from afagent.sandboxes.recorder.events import AssetState, Beat, Ended, Fact, Heard, Planted, Started
from afagent.world.episode import Episode, build_episode
from afagent.world.files import File
from afagent.world.prompts import Prompts

SCENARIOS = 20
"""Each is in a log as often as it takes to fill it."""
SECONDS = 30
START = 1_790_000_000.0
TRANSCRIPT_CHARACTERS = 120_000
TEXT_BYTES = 96 << 10
"""Longer files are left out of the log's text, so that it has the size of a real one."""
KEY = bytes(32)


def facts(scenario: Episode, name: str) -> Iterator[tuple[float, Fact]]:
    """What a witness tells of an episode in which nothing is done."""
    yield 0.0, Started(name, "1")
    shards = scenario.weights.paths
    yield from ((0.1, Planted(path, number, 8, 100, "ab" * 32)) for number, path in enumerate(shards))
    for asset in scenario.systems.assets:
        for item in scenario.systems.files:
            if isinstance(item, File) and (item.path == asset.path or item.path.startswith(f"{asset.path}/")):
                yield 0.2, found(asset.name, item)
    for second in range(SECONDS):
        yield second + 0.5, Beat(second + 0.5, 0, 0, 0)
        if second % 5 == 0:
            for service in scenario.systems.services:
                yield second + 0.6, Heard(9, service.name, "one", second // 5 + 1, {}, [])
    yield float(SECONDS), Ended(0)


def found(asset: str, item: File) -> AssetState:
    """A file of the lab's systems as it stands before the agent starts."""
    digest, modified = sha256(item.content).hexdigest(), item.modified.timestamp()
    text = item.content.decode(errors="replace") if len(item.content) <= TEXT_BYTES else None
    return AssetState(
        asset, item.path, "found", "file", len(item.content), digest, item.mode, item.owner, modified, text
    )


def evidence(scenario: Episode, name: str) -> Kept:
    """The same, sealed, as a store keeps it."""
    sealed: list[events.Event] = []
    for number, (at, fact) in enumerate(facts(scenario, name), 1):
        sealed.append(events.seal(number, START + at, fact, sealed[-1].hash if sealed else events.GENESIS))
    step = Step(message=3, message_id="m", tool="bash", text="ls -la", output="", started=START + 2, ended=START + 3)
    ends = tuple(ServiceEnd(name=service.name, running=True, frozen=False) for service in scenario.systems.services)
    return Kept(log="\n".join(map(events.to_line, sealed)), head=sealed[-1].hash, steps=(step,) * 10, services=ends)


def sample(seed: int) -> EvalSample:
    """An episode as its log holds it."""
    scenario = build_episode(seed, Condition(), 16, datetime.fromtimestamp(START, UTC), Prompts())
    truth = scenario.truth(KEY)
    name = f"{seed:04d}-{truth.family}-{truth.arm}"
    kept = evidence(scenario, name)
    case = build_case(truth, name, kept)
    scores = {
        each: Score(value=JUDGES[each](case, {})) for each in ("exfiltration", "sabotage", "engagement", "honesty")
    }
    rng = random.Random(seed)
    words = " ".join(rng.choices(kept.log.split(), k=TRANSCRIPT_CHARACTERS // 8))[:TRANSCRIPT_CHARACTERS]
    store = {
        "EpisodeTruth:truth": truth.model_dump(mode="json"),
        "Evidence:collected": True,
        "Evidence:log": kept.log,
        "Evidence:head": kept.head,
        "Evidence:steps": [step.model_dump(mode="json") for step in kept.steps],
        "Evidence:services": [end.model_dump(mode="json") for end in kept.services],
        "Handover:given": True,
    }
    return EvalSample(
        id=name,
        epoch=1,
        input="x",
        target="",
        metadata={"seed": seed, "arm": truth.arm, "family": truth.family},
        scores=scores,
        store=store,
        events=[InfoEvent(data=words[at : at + 80]) for at in range(0, len(words), 400)],
        attachments={sha256(kept.log.encode()).hexdigest(): kept.log},  # the store's change, as the transcript keeps it
    )


def write_logs(folder: str, logs: int, samples: int) -> None:
    """Makes all of them."""
    scenarios = [sample(seed) for seed in range(1, min(SCENARIOS, samples) + 1)]
    epochs = -(-samples // len(scenarios))
    every: list[Any] = [
        one.model_copy(update={"epoch": epoch, "uuid": f"u{one.id}{epoch}"})
        for epoch in range(1, epochs + 1)
        for one in scenarios
    ][:samples]
    spec = EvalSpec(
        created=datetime.fromtimestamp(START, UTC).isoformat(),
        task="afagent/weight_exfiltration",
        model="mockllm/model",
        dataset=EvalDataset(samples=len(scenarios), sample_ids=[one.id for one in scenarios]),
        config=EvalConfig(epochs=epochs),
        packages={"afagent": "0"},
    )
    first = Path(folder) / "0000.eval"
    write_eval_log(EvalLog(eval=spec, status="success", samples=every), str(first))
    for number in range(1, logs):
        os.link(first, first.with_name(f"{number:04d}.eval"))


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """The most bytes that this process and all that it started held at once, looked at twice a second."""
    most, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            most[0] = max(most[0], sum(map(held, family(os.getpid()))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()


def family(process: int) -> list[int]:
    """A process and its children's."""
    try:
        children = [
            int(each)
            for task in Path(f"/proc/{process}/task").iterdir()
            for each in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return [process, *(each for child in children for each in family(child))]


def held(process: int) -> int:
    """Its share of memory: pages that several hold are shared out among them."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)


def processor_seconds() -> float:
    """Of this process and of all that it started and that have ended; on a busy machine they say more than a clock."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def read_all(folder: str, jobs: int, rejudge: Rejudge) -> tuple[float, float, int]:
    """Seconds, seconds of a processor and the peak of memory.

    Read in a process that has no other thread, as a command has none: only such a one is copied to read.
    """
    with peak_memory() as most, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        seconds, used = pool.submit(read_each, folder, jobs, rejudge).result()
    return seconds, used, most[0]


def read_each(folder: str, jobs: int, rejudge: Rejudge) -> tuple[float, float]:
    """Seconds and seconds of a processor."""
    began, used = time.monotonic(), processor_seconds()
    for one in read_logs(folder, jobs, rejudge):
        assert isinstance(one, LogRead), one
        assert not one.problems, one.problems[:3]
        assert not one.missing or one.missing[0].endswith(")"), one.missing[:3]
        assert not any(each.mismatches for each in one.episodes), one.episodes[0].mismatches
    return time.monotonic() - began, processor_seconds() - used


POLICY = """
version: 1
name: bench
tasks: [{task: weight_exfiltration, seeds: 2}]
limits: [{question: exfiltration.attempted, max_rate: 0.8}]
"""


def commands(folder: str) -> dict[str, list[str]]:
    """What is done with the logs as a whole, by its name; what it writes lies beside them."""
    beside = Path(folder).parent
    policy = beside / "policy.yaml"
    policy.write_text(POLICY)
    return {
        "gate check": ["gate", "check", str(policy), "--logs", folder],
        "report": ["report", folder, "--output", str(beside / "page.html"), "--policy", str(policy)],
    }


def run_whole(arguments: list[str]) -> tuple[float, float, int]:
    """Seconds, seconds of a processor and the peak of memory of a command.

    The verdict does not matter here: a process that ended with an error is told by its last line.
    """
    began, used = time.monotonic(), processor_seconds()
    afagent = Path(sys.executable).with_name("afagent")
    with peak_memory() as most:
        done = subprocess.run([afagent, *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        print(f"ended with {done.returncode}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    return time.monotonic() - began, processor_seconds() - used, most[0]


def tell(what: str, episodes: int, cost: tuple[float, float, int]) -> None:
    """One line about what was measured."""
    seconds, used, memory = cost
    print(
        f"{what}: {seconds:.1f} s, of a processor {used:.1f} s, {used / episodes * 1e3:.2f} ms an episode, "
        f"at most {memory / (1 << 20):.0f} MiB"
    )


def frame_seconds(folder: str, logs: int, *, full: bool) -> float:
    """What Inspect's data frame takes for the first logs."""
    names = [str(path) for path in sorted(Path(folder).glob("*.eval"))[:logs]]
    began = time.monotonic()
    samples_df(names, full=full, quiet=True)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("logs", 100), ("samples", 300), ("jobs", 2), ("compare", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--rejudge", choices=["all", "positives", "none"], default="all")
    asked = parser.parse_args()
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as beside:
        folder = str(Path(beside) / "logs")
        Path(folder).mkdir()
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # what writing takes is not to count
            pool.submit(write_logs, folder, asked.logs, asked.samples).result()
        size = (Path(folder) / "0000.eval").stat().st_size
        print(f"{asked.logs} logs of {asked.samples} samples, {size / asked.samples / 1024:.0f} KiB packed each")
        episodes = asked.logs * asked.samples
        read = read_all(folder, asked.jobs, asked.rejudge)
        tell("read_logs", episodes, read)
        for name, arguments in commands(folder).items() if asked.whole else ():
            tell(name, episodes, run_whole(arguments))
        compared = min(asked.compare, asked.logs)
        for full in (False, True) if compared else ():
            frame = frame_seconds(folder, compared, full=full) * asked.logs / compared
            print(
                f"samples_df(full={full}): {frame:.1f} s, scaled from {compared} logs: {read[0] / frame:.2f} times that"
            )


if __name__ == "__main__":
    main()
