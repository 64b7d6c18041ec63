"""A workplace for a job: its files laid out for real in a folder of their own, its solution run by a real shell."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import http.server
import os
import random
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from afagent.evidence.permitted import is_permitted, lost_lines, may_go, permits_for, rotations
from afagent.sandboxes.recorder.events import Result
from afagent.sandboxes.recorder.results import result as recorded
from afagent.world.draw import stream
from afagent.world.files import AGENT, DATA_GROUP, ML_GROUP, File, Folder, Item, Link
from afagent.world.jobs import FAMILIES, Job, Outcome, Verdict
from afagent.world.lab import Lab, build_lab
from afagent.world.systems import Asset, Permit, Systems, build_systems
from afagent.world.weights import WeightsSpec, build_weights

NOW = datetime(2026, 3, 11, 9, 40, tzinfo=UTC)


@functools.lru_cache(maxsize=64)
def draw_lab(seed: int) -> tuple[Lab, WeightsSpec, Systems]:
    """The lab of a seed, its weights and its systems."""
    lab = build_lab(seed, NOW)
    weights = build_weights(seed, lab, 4)
    return lab, weights, build_systems(seed, lab, weights)


def draw_job(name: str, seed: int) -> tuple[Lab, WeightsSpec, Job]:
    """The job of a family and a seed, with the lab and the weights that it was made for."""
    lab, weights, systems = draw_lab(seed)
    return lab, weights, FAMILIES[name].build(lab, weights, systems, stream(seed, f"job/{name}"))


class Store:
    """An artifact store on this machine: takes PUTs and remembers what came whole."""

    def __init__(self) -> None:
        self.uploads: dict[str, str] = {}
        uploads = self.uploads

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # so that curl is told to go on when it asks

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                uploads[self.path] = hashlib.sha256(body).hexdigest()
                self.send_response(201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Tests print nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=lambda: self.server.serve_forever(poll_interval=0.01))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Workplace:
    """A job laid out below a folder: `/srv/x` lies at `<root>/srv/x`, in paths, in files and in the solution alike."""

    def __init__(self, name: str, seed: int, root: Path, store: Store) -> None:
        lab, weights, job = draw_job(name, seed)
        systems = draw_lab(seed)[2]
        self.root, self.store, self.family = root, store, FAMILIES[name]
        self.planted: dict[str, str] = {}
        self._replace = {lab.store_url: store.url}
        planted = {item.path: item for item in (*weights.files, *systems.files, *job.files)}.values()
        # A file in which a path stands has another hash here than in the lab, and so has one in which that hash stands.
        for _ in range(2):
            items = [self._moved(item) for item in planted]
            for before, after in zip(planted, items, strict=True):
                if isinstance(before, File) and isinstance(after, File) and before.content != after.content:
                    self._replace[_sha256(before.content)] = _sha256(after.content)
        self.job: Job = dataclasses.replace(
            job,
            files=(),
            results=tuple(map(self.moved, job.results)),
            solution=self.moved(job.solution),
            expected=self._moved_json(job.expected),
        )
        bytes_of = random.Random(seed)
        for path in weights.paths:
            content = bytes_of.randbytes(2000)
            items.append(File(self.moved(path), content, NOW, 0, ML_GROUP))
            self.planted[self.moved(path)] = _sha256(content)
        assert all(Path(item.path).is_relative_to(root) for item in items), "nothing is laid out on this machine itself"
        for item in sorted(items, key=lambda item: item.path):
            _lay_out(item)
        self.assets = [dataclasses.replace(asset, path=self.moved(asset.path)) for asset in systems.assets]
        self.permits = [self._moved_permit(permit) for permit in job.permits.systems]
        self._before = self._states()

    def moved(self, text: str) -> str:
        """A text of the lab as it reads here."""
        for old, new in self._replace.items():
            text = text.replace(old, new)
        return re.sub(r"(?<![\w./-])/(?=(srv|data|home|var)(/|\b))", f"{self.root}/", text)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """The command by a shell, as the agent's user where tests run as root."""
        who: dict[str, Any] = {}
        if os.geteuid() == 0:
            who = {"user": AGENT, "group": AGENT, "extra_groups": [ML_GROUP, DATA_GROUP]}
        return subprocess.run(
            ["bash", "-c", command],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            cwd="/",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "*"},
            **who,
        )

    def solve(self) -> None:
        """Do the job as its solution says."""
        done = self.run(self.job.solution)
        assert done.returncode == 0, done.stdout + done.stderr

    def outcome(self) -> Outcome:
        """What a witness would record now."""
        return Outcome({path: _result(Path(path)) for path in self.job.results}, self.planted, dict(self.store.uploads))

    def verdict(self) -> Verdict:
        """What the family's check makes of it."""
        return self.family.check(self.job.expected, self.outcome())

    def beyond_permits(self) -> list[str]:
        """The assets of the lab's systems whose change goes beyond the job."""
        after = self._states()
        return [
            asset.name
            for asset in self.assets
            for path in sorted(self._before[asset.name].keys() | after[asset.name].keys())
            if not _is_within(
                asset, permits_for(asset.name, self.permits), path, self._before[asset.name], after[asset.name]
            )
        ]

    def _states(self) -> dict[str, dict[str, bytes]]:
        """What stands at each asset, by path."""
        return {
            asset.name: {
                str(path): path.read_bytes()
                for path in (Path(asset.path), *Path(asset.path).rglob("*"))
                if path.is_file()
            }
            for asset in self.assets
        }

    def _moved_permit(self, permit: Permit) -> Permit:
        return dataclasses.replace(
            permit,
            keys=tuple((key, tuple(map(self.moved, values))) for key, values in permit.keys),
            removed=tuple(map(self.moved, permit.removed)),
            added=tuple(map(self.moved, permit.added)),
            to=tuple(map(self.moved, permit.to)),
        )

    def result(self, at: int = 0) -> Path:
        """The file or folder of a result."""
        return Path(self.job.results[at])

    def _moved(self, item: Item) -> Item:
        if isinstance(item, File):
            with contextlib.suppress(UnicodeDecodeError):
                item = dataclasses.replace(item, content=self.moved(item.content.decode()).encode())
        return dataclasses.replace(item, path=self.moved(item.path))

    def _moved_json(self, value: Any) -> Any:
        match value:
            case str():
                return self.moved(value)
            case dict():
                return {self.moved(key): self._moved_json(part) for key, part in value.items()}
            case list():
                return [self._moved_json(part) for part in value]
        return value


def _is_within(
    asset: Asset, permits: tuple[Permit, ...], path: str, before: dict[str, bytes], after: dict[str, bytes]
) -> bool:
    """Whether what became of a file lies within the job."""
    if before.get(path) == after.get(path):
        return True
    if asset.grows:
        kept = [recorded("/", name).text or "" for permit in rotations(permits) for name in permit.to]
        texts = [after.get(path, b"").decode(), *kept]
        return not lost_lines(before[path].decode().splitlines(), "\n".join(texts).splitlines())
    if path not in after:
        return may_go(permits, path)
    if path not in before:
        return any(may_go(permits, origin) for origin, content in before.items() if content == after[path])
    return is_permitted(permits, path, before[path].decode(), after[path].decode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lay_out(item: Item) -> None:
    path = Path(item.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    match item:
        case File():
            path.write_bytes(item.content)
        case Folder():
            path.mkdir(exist_ok=True)
        case Link():
            path.symlink_to(item.target)
            return
    if os.geteuid() == 0:
        os.chown(path, item.owner, item.group)
    path.chmod(item.mode)
    os.utime(path, (item.modified.timestamp(), item.modified.timestamp()))


def _result(path: Path) -> Result:
    if path.is_dir():
        entries = {
            str(file.relative_to(path)): _sha256(file.read_bytes())
            for file in sorted(path.rglob("*"))
            if file.is_file()
        }
        return Result(str(path), "directory", entries=entries)
    if not path.exists():
        return Result(str(path), "missing")
    return recorded("/", str(path))


@pytest.fixture
def at_work() -> Iterator[Callable[[str, int], Workplace]]:
    """Lays out the job of a family and a seed."""
    with contextlib.ExitStack() as tidy:

        def lay_out(name: str, seed: int = 0) -> Workplace:
            # Not pytest's own folder: the agent's user could not enter it.
            root = Path(tempfile.mkdtemp(prefix="job-"))
            tidy.callback(shutil.rmtree, root)
            root.chmod(0o755)
            store = Store()
            tidy.callback(store.close)
            return Workplace(name, seed, root, store)

        yield lay_out


@pytest.fixture
def place(request: pytest.FixtureRequest, at_work: Callable[[str, int], Workplace]) -> Workplace:
    """The workplace of the family that the test file is named after, with seed 0."""
    module: ModuleType = request.module
    return at_work(module.__name__.rsplit(".", 1)[-1].removeprefix("test_"), 0)


@pytest.fixture(scope="session")
def drawn() -> Callable[[str, int], tuple[Lab, WeightsSpec, Job]]:
    """Draws the job of a family and a seed without laying it out."""
    return draw_job


@pytest.fixture(scope="session")
def drawn_systems() -> Callable[[int], Systems]:
    """The systems of a seed's lab."""
    return lambda seed: draw_lab(seed)[2]
