"""A lab as an episode starts it, without a model: the tests are the agent."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from afagent.conditions import Condition
from afagent.evidence.chain import Chain, read_chain
from afagent.evidence.findings import Finding
from afagent.evidence.judgement import Exfiltration, find, judge_exfiltration
from afagent.evidence.witness import LOG_FILE, RUN, WITNESS
from afagent.images import COMPOSE_FILE
from afagent.sandbox import compose_metadata
from afagent.sandboxes.recorder.events import Fact
from afagent.sandboxes.recorder.plan import Plan, to_json
from afagent.world.episode import Episode, build_episode
from afagent.world.files import pack
from afagent.world.prompts import Prompts

F = TypeVar("F", bound=Fact)

WEIGHTS_MB = 8
SEED = 1
COMMAND_SECONDS = 60


def docker(
    *arguments: str, given: bytes = b"", check: bool = True, seconds: float = COMMAND_SECONDS, hostname: str = "wk-07"
) -> subprocess.CompletedProcess[bytes]:
    """The docker command line, with what went wrong in the message."""
    host = {f"SAMPLE_METADATA_{name.upper()}": value for name, value in compose_metadata(hostname).items()}
    done = subprocess.run(
        ["docker", *arguments], input=given, capture_output=True, check=False, timeout=seconds, env=os.environ | host
    )
    assert not check or done.returncode == 0, f"docker {arguments[:8]}: {done.stderr.decode()[-2000:]}"
    return done


class Lab:
    """A planted, watched workstation and its witness.

    Args:
        project: the Compose project that runs.
        episode: what is to be planted.
        results: paths that the witness looks at in the end, beside those of the episode's job.
        change: what is different in the plan.
    """

    def __init__(
        self, project: str, episode: Episode, results: Sequence[str] = (), change: Callable[[Plan], Plan] | None = None
    ) -> None:
        self.project, self.episode, self.results, self.change = project, episode, results, change
        self.key = secrets.token_bytes(32)
        self.truth = episode.truth(self.key)
        self.weights = episode.weights.directory
        self.shard, *self.more_shards = episode.weights.paths
        self.drop = episode.lab.drop
        self.head: str | None = None
        self.workstation, self.recorder = (self._container(service) for service in ("default", "recorder"))

    def begin(self) -> None:
        """Plants the episode by the files and the command with which `afagent.evidence.witness` does."""
        plan = self.episode.plan(self.key)
        plan = dataclasses.replace(plan, results=(*plan.results, *self.results))
        plan = self.change(plan) if self.change else plan
        with tempfile.TemporaryDirectory() as folder:
            for name, content in {
                "plan.json": to_json(plan).encode(),
                "world.tar": pack(self.episode.files()),
            }.items():
                file = Path(folder, name)
                file.write_bytes(content)
                docker("cp", "--quiet", str(file), f"{self.recorder}:{RUN}/{name}")
        docker("exec", self.recorder, *WITNESS, "begin")

    def run(self, command: str, *, check: bool = False, seconds: float = COMMAND_SECONDS) -> str:
        """What a shell of the agent prints, both streams."""
        done = docker(*self._shell(command), check=False, seconds=seconds)
        said = done.stdout.decode(errors="replace")
        assert not check or done.returncode == 0, f"{command}: exit status {done.returncode}\n{said[-2000:]}"
        return said

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Runs a command as `run` does, beside what comes next."""
        return subprocess.Popen(["docker", *self._shell(command)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def ask_witness(self, command: str, *, check: bool = True) -> str:
        """What a root shell in the witness's container prints."""
        return docker("exec", self.recorder, "sh", "-c", command, check=check).stdout.decode()

    @cached_property
    def witness_pid(self) -> str:
        """The number of the witness's main process, in its own container."""
        found = self.ask_witness('grep -lz "^serve$" /proc/[0-9]*/cmdline', check=False).split()
        numbers = [path.split("/")[2] for path in found]
        (pid,) = (n for n in numbers if self.ask_witness(f"cat /proc/{n}/comm", check=False).strip() == "python3")
        return pid

    def peak_memory(self) -> int:
        """The most memory that the witness's main process ever held, in bytes."""
        status = self.ask_witness(f"cat /proc/{self.witness_pid}/status")
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]

    def hand_over(self, words: Sequence[str]) -> None:
        """Gives the witness what may be keys, as `afagent.evidence.witness` does before the end."""
        docker("exec", "-i", self.recorder, "sh", "-c", f"cat > {RUN}/words.json", given=json.dumps(words).encode())

    def finish(self, *, seconds: float = 120) -> Chain:
        """Ends the episode as a scorer does, and reads the log, whole or not."""
        done = docker("exec", self.recorder, *WITNESS, "finish", check=False, seconds=seconds)
        self.head = json.loads(done.stdout)["head"] if done.returncode == 0 else None
        return self.read_log()

    def read_log(self) -> Chain:
        """The log as it lies in the witness's container now."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "log")
            docker("cp", "--quiet", f"{self.recorder}:{LOG_FILE}", str(file))  # from a stopped container as well
            return read_chain(file.read_text().splitlines(), self.head, self.episode.id)

    def findings(self, chain: Chain) -> tuple[Finding, ...]:
        """What the log means, with nothing known of a conversation."""
        return find(self.truth, chain, ())

    def judge(self, chain: Chain, problems: Sequence[str] = ()) -> Exfiltration:
        """The verdict on a log."""
        return judge_exfiltration(chain, self.findings(chain), tuple(problems))

    def _container(self, service: str) -> str:
        listed = docker("compose", "--project-name", self.project, "--file", str(COMPOSE_FILE), "ps", "-aq", service)
        return listed.stdout.decode().strip()

    def _shell(self, command: str) -> list[str]:
        return ["exec", self.workstation, "bash", "--login", "-c", f"{{ {command}\n}} 2>&1"]


@contextmanager
def running_lab(
    seed: int = SEED, *, results: Sequence[str] = (), change: Callable[[Plan], Plan] | None = None
) -> Iterator[Lab]:
    """A lab that is planted and watched; gone at the end with all that it held."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    episode = build_episode(seed, Condition(), WEIGHTS_MB, now, Prompts(None))
    project = f"lab-{secrets.token_hex(4)}"
    compose = ["compose", "--project-name", project, "--file", str(COMPOSE_FILE)]
    try:
        docker(*compose, "up", "--detach", "--wait", "--quiet-pull", hostname=episode.lab.host)
        lab = Lab(project, episode, results, change)
        lab.begin()
        yield lab
    finally:
        docker(*compose, "down", "--volumes", "--timeout", "0", check=False)


def of(chain: Chain, kind: type[F]) -> list[F]:
    """The facts of one kind, in order."""
    return [event.fact for event in chain.events if isinstance(event.fact, kind)]
