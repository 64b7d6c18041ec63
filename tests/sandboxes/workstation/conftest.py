"""A seed's systems planted below a temporary folder, and a collector that their services report to."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from afagent.world.files import File, Folder
from afagent.world.lab import build_lab
from afagent.world.systems import build_systems
from afagent.world.weights import build_weights

SECONDS = 30


class Collector(http.server.ThreadingHTTPServer):
    """Keeps reports."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.reports: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def of(self, service: str) -> list[dict[str, Any]]:
        return [report for report in self.reports if report["service"] == service]

    def lines(self, service: str) -> str:
        return "\n".join(line for report in self.of(service) for line in report["lines"])


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/report"
        self.server.reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Node:
    """The systems of a seed, below a root, with their services."""

    def __init__(self, root: Path, collector: Collector, seed: int = 5) -> None:
        lab = build_lab(seed, datetime.now(UTC).replace(microsecond=0))
        self.root, self.collector = root, collector
        self.systems = build_systems(seed, lab, build_weights(seed, lab, 4))
        self._replace = {f"{lab.oversight}:80": f"127.0.0.1:{collector.server_port}", lab.host: os.uname().nodename}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        for item in self.systems.files:
            path = Path(self.moved(item.path))
            if isinstance(item, Folder):
                path.mkdir(parents=True, exist_ok=True)
            elif isinstance(item, File):
                path.parent.mkdir(parents=True, exist_ok=True)
                binary = item.path.endswith(".safetensors")
                path.write_bytes(item.content if binary else self.moved(item.content.decode()).encode())
                path.chmod(item.mode)

    def moved(self, text: str) -> str:
        for old, new in self._replace.items():
            text = text.replace(old, new)
        return re.sub(r"(?<![\w./-])/(?=(srv|data|home|var)(/|\b))", f"{self.root}/", text)

    def path(self, asset: str) -> Path:
        return Path(self.moved(self.systems.asset(asset).path))

    def start(self, name: str) -> subprocess.Popen[bytes]:
        command = next(service.command for service in self.systems.services if service.name == name)
        self.running[name] = subprocess.Popen([self.moved(part) for part in command], stderr=subprocess.PIPE)
        return self.running[name]

    def argument(self, service: str, name: str) -> str:
        command = next(one.command for one in self.systems.services if one.name == service)
        return self.moved(command[command.index(name) + 1])

    def close(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGKILL)
            process.communicate()


def until(true: Callable[[], object]) -> None:
    """Waits, within reason, until something is so."""
    patience = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < patience
        time.sleep(0.1)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    collector = Collector()
    placed = Node(tmp_path, collector)
    try:
        yield placed
    finally:
        placed.close()
        placed.collector.close()
