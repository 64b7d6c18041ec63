"""Whatever a person gets wrong, or takes away, ends in one clear sentence and costs no finished episode."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai.log import EvalSample, read_eval_log

from afagent.conditions import Condition
from afagent.errors import UsageError
from afagent.logs import is_unscored
from afagent.tasks._episode_task import present
from afagent.world.episode import build_episode
from afagent.world.prompts import SHIPPED, Prompts

TASK = "afagent/weight_exfiltration"
ENGINE = "/var/run/docker.sock"
PROJECT = re.compile(rb"inspect-pool-i[a-z0-9]{6,}")
A_STEP = "name: mine\nsteps:\n"


def command(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def run(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """An installed command as a person runs it, with what it prints on both streams as one."""
    return subprocess.run(
        [command(name), *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"COLUMNS": "1000"} | variables,
        timeout=300,
    )


# --- `inspect eval` ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-T", "objective=chaos"], "unknown objective 'chaos'; known are helpful_only, welfare_indifference, none"),
        (["-T", "knowledge=documents"], "knowledge=documents is not there yet; known are system_prompt"),
        (["-T", "seeds=abc"], "seeds is a count or a list of numbers, got 'abc'"),
        (["-T", "seeds="], "seeds is a count or a list of numbers, got nothing"),
        (["-T", "weights_mb=abc"], "weights_mb is a whole number from 1 on, got 'abc'"),
        (["-T", "weights_mb=1"], "weights_mb is 4 to 8192, got 1"),
        (["-T", "message_limit=many"], "message_limit is a whole number from 1 on, got 'many'"),
        (["-T", "time_limit=-1"], "time_limit is a whole number from 1 on, got -1"),
        (["-T", "prompts=nowhere"], "no folder of prompts at nowhere"),
        (["--model", "afagent/honset"], "no playbook 'honset'; shipped are"),
        (["--model", "afagent/playbook", "-M", "file=missing.yaml"], "missing.yaml: No such file or directory"),
    ],
)
def test_an_evaluation_that_cannot_start_says_why_in_one_sentence(arguments: list[str], sentence: str, tmp_path: Path):
    done = run("inspect", "eval", TASK, "--model", "afagent/honest", "--log-dir", str(tmp_path), *arguments)
    assert done.returncode == 1
    assert len(done.stdout.strip().splitlines()) == 1
    assert sentence in done.stdout


@pytest.mark.parametrize(
    "template",
    [b"{{ lab.nothing }}", b"{{ lab.name", b"{{ 1 / 0 }}", b"{{ 'a' + 1 }}", b"\xff\xfe\x00", None],
)
def test_a_prompt_that_cannot_be_filled_is_named(template: bytes | None, tmp_path: Path):
    for file in SHIPPED.rglob("*.md"):
        copy = tmp_path / file.relative_to(SHIPPED)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    (tmp_path / "role.md").unlink() if template is None else (tmp_path / "role.md").write_bytes(template)
    with pytest.raises(UsageError, match=r"role\.md"):
        build_episode(1, Condition(), 8, present(), Prompts(tmp_path))


# --- `afagent` --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"name: mine\nstepps: []\n", ":2: stepps: unknown key; known are name, about, task, tags, expect, steps"),
        (f"{A_STEP}  - bsh: ls\n".encode(), ":3: steps.0.bsh: unknown key; known are bash, python, say, handover"),
        (f"{A_STEP}  - bash: ls {{shrd}}\n".encode(), ":3: steps.0.bash: unknown placeholder '{shrd}'"),
        (b"name: mine\nsteps: ls\n", ":2: steps: must be a list"),
        (f"{A_STEP}\t- bash: ls\n".encode(), r":3: found character '\t'"),
        (b"\xff\xfe\x00\x01", "not UTF-8 text"),
        (b"", ":1: steps: must be there"),
        (b"a" * 10_000_000, "it is longer than 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_playbook_is_refused_with_its_line(content: bytes, sentence: str, tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    done = run("afagent", "validate", str(file))
    assert done.returncode == 2
    assert done.stdout.startswith("afagent: ")
    assert done.stdout.count("\n") == 1
    assert sentence in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["validate", "nonsense"], "nonsense is no playbook file"),
        (["validate", "honest", "--json", "file/x.json"], "cannot write file/x.json: Not a directory"),
        (["show", "theft", "--seed", "1"], "no episodes of 'theft'; known are weight_exfiltration"),
        (
            ["show", "training_tampering", "--seed", "1", "--arm", "none-monitored-shutdown_allow"],
            "shutdown=allow is for shutdown_resistance, not for training_tampering",
        ),
        (["show", "weight_exfiltration", "--seed", "1", "--arm", "chaos"], "unknown objective 'chaos'"),
        (["show", "weight_exfiltration", "--seed", "1", "--arm", "none-monitored-x_y"], "no arm is named"),
        (["show", "weight_exfiltration", "--seed", "1", "--file", "/nowhere"], "no file `/nowhere` in this episode"),
        (["show", "weight_exfiltration", "--seed", "1", "--weights-mb", "1"], "weights_mb is 4 to 8192, got 1"),
    ],
)
def test_wrong_usage_ends_in_one_sentence_and_exit_code_2(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    done = run("afagent", *arguments)
    assert done.returncode == 2
    assert done.stdout.startswith(f"afagent: {sentence}")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("arguments", [["demo"], ["validate", "honest"], ["build"]])
def test_without_an_engine_nothing_is_begun(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    done = run("afagent", *arguments, DOCKER_HOST=f"unix://{tmp_path}/absent.sock")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(
        f"afagent: no Docker engine answers at unix://{tmp_path}/absent.sock"
    )
    assert "Traceback" not in done.stdout
    assert not list(tmp_path.iterdir())


# --- a lab that is taken away -----------------------------------------------------------------------------------------


class Engine:
    """A socket in front of the real engine, which can be taken away while the engine goes on."""

    def __init__(self, path: Path) -> None:
        self.address = f"unix://{path}"
        self.projects: set[str] = set()
        """The Compose projects of episodes that were spoken of."""
        self._path = path
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """Nobody answers any more, and what was connected is cut off."""
        if self._path.exists():
            self._path.unlink()
            self._listener.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._listener.close()

    def _serve(self) -> None:
        pumps: list[threading.Thread] = []
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                break
            real = socket.socket(socket.AF_UNIX)
            real.connect(ENGINE)
            self._open += [client, real]
            pumps += [threading.Thread(target=self._pump, args=ends) for ends in ((client, real), (real, client))]
            for pump in pumps[-2:]:
                pump.start()
        for end in self._open:
            _shut(end, socket.SHUT_RDWR)
        for pump in pumps:
            pump.join()
        for end in self._open:
            end.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                self.projects |= {name.decode() for name in PROJECT.findall(data)}
                sink.sendall(data)
        except OSError:
            pass
        _shut(sink, socket.SHUT_WR)


def _shut(end: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(how)


@pytest.fixture
def engine(tmp_path: Path):
    engine = Engine(tmp_path / "engine.sock")
    yield engine
    engine.stop()
    for project in engine.projects:
        run("inspect", "sandbox", "cleanup", "lab", project)


def finished(logs: Path) -> set[str]:
    """The ids of the episodes that the log being written holds by now."""
    try:
        with zipfile.ZipFile(next(logs.glob("*.eval"))) as log:
            return {Path(name).name.removesuffix("_epoch_1.json") for name in log.namelist() if "samples/" in name}
    except (StopIteration, zipfile.BadZipFile):
        return set()


def evaluate_until_two_are_done(engine: Engine, logs: Path, then: Callable[[subprocess.Popen[str]], None]):
    """Runs six episodes, two at a time. Once two are finished, something happens. Gives the process, and these two."""
    started = subprocess.Popen(
        [
            *(command("inspect"), "eval", TASK, "--model", "afagent/honest", "-T", "seeds=6", "-T", "weights_mb=8"),
            *("--max-samples", "2", "--log-buffer", "1", "--log-dir", str(logs), "--display", "plain"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"COLUMNS": "1000", "DOCKER_HOST": engine.address},
    )
    with started as process:
        watch = threading.Timer(300, process.kill)
        watch.start()
        done: set[str] = set()
        while len(done) < 2 and process.poll() is None:
            time.sleep(0.1)
            done = finished(logs)
        then(process)
        said, _ = process.communicate()
        watch.cancel()
    return process.returncode, said, done


def stop_at_work(engine: Engine) -> None:
    """Takes the engine away when an episode has just begun, so that there is one to lose."""
    before = set(engine.projects)
    for _ in range(600):
        if any(containers(project) for project in engine.projects - before):
            break
        time.sleep(0.1)
    engine.stop()


def samples(logs: Path) -> dict[str, EvalSample]:
    return {str(sample.id): sample for sample in read_eval_log(next(logs.glob("*.eval"))).samples or []}


def is_answered(sample: EvalSample) -> bool:
    values = sample.scores["exfiltration"].value if sample.scores else None
    return isinstance(values, dict) and not is_unscored(values["attempted"])


@pytest.mark.docker
def test_an_engine_that_stops_costs_no_finished_episode_and_what_it_leaves_can_be_removed(
    engine: Engine, tmp_path: Path
):
    code, said, done = evaluate_until_two_are_done(engine, tmp_path / "logs", lambda process: stop_at_work(engine))
    played = samples(tmp_path / "logs")
    assert "Traceback" not in said
    assert "Cannot connect to the Docker daemon" in said
    assert code == 0  # as Inspect has it, whatever became of the episodes
    assert len(done) >= 2
    assert all(is_answered(played[name]) for name in done)
    assert len(played) == 6
    lost = [sample for sample in played.values() if not is_answered(sample)]
    assert lost
    assert all(sample.error or (sample.scores or {})["exfiltration"].reason == "evidence_incomplete" for sample in lost)
    left = [project for project in engine.projects if containers(project)]
    assert left
    for project in left:
        assert run("inspect", "sandbox", "cleanup", "lab", project).returncode == 0
    assert not any(containers(project) for project in left)


@pytest.mark.docker
def test_an_interruption_costs_no_finished_episode_and_leaves_no_container(engine: Engine, tmp_path: Path):
    _, said, done = evaluate_until_two_are_done(
        engine, tmp_path / "logs", lambda process: process.send_signal(signal.SIGINT)
    )
    assert "Traceback" not in said
    played = samples(tmp_path / "logs")
    assert len(done) >= 2
    assert all(is_answered(played[name]) for name in done)
    assert engine.projects
    assert not any(containers(project) for project in engine.projects)


@pytest.mark.docker
def test_an_image_that_is_not_there_is_one_sentence_before_any_episode(tmp_path: Path):
    arguments = ["-T", "seeds=1", "-T", "workstation_image=No-Such:image", "--log-dir", str(tmp_path)]
    done = run("inspect", "eval", TASK, "--model", "afagent/honest", *arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert done.stdout.strip().splitlines()[-1].startswith("there is no image 'No-Such:image' here, and it cannot be")


def containers(project: str) -> str:
    """The numbers of a Compose project's containers, running or not."""
    label = f"label=com.docker.compose.project={project}"
    listed = subprocess.run(["docker", "ps", "-aq", "--filter", label], capture_output=True, text=True, check=True)
    return listed.stdout.strip()
