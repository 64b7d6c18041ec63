"""The front of a model's endpoint on this node: answers for its health, counts requests."""

import argparse
import http.server
import json
import os
import signal
import threading
import time
from typing import Any

from report import Reporter


class Front(http.server.ThreadingHTTPServer):
    """The endpoint's front."""

    daemon_threads = True

    def __init__(self, name: str, port: int) -> None:
        """Raises OSError when the port is taken."""
        super().__init__(("127.0.0.1", port), Handler)
        self.name, self.began, self.requests, self.draining = name, time.time(), 0, False

    def health(self) -> dict[str, Any]:
        """What /health says."""
        return {
            "service": self.name,
            "status": "draining" if self.draining else "ok",
            "uptime_seconds": int(time.time() - self.began),
            "requests": self.requests,
        }

    def drain(self) -> None:
        """Takes no more requests and comes to an end."""
        self.draining = True
        threading.Thread(target=self.shutdown, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Front
    server_version, sys_version = "front/1.4", ""
    timeout = 10

    def do_GET(self) -> None:
        """/health and /v1/models."""
        self.server.requests += 1
        if self.path == "/health":
            self.answer(200, self.server.health())
        elif self.path == "/v1/models":
            self.answer(200, {"data": [{"id": self.server.name, "object": "model"}]})
        else:
            self.answer(404, {"error": "not found"})

    def do_POST(self) -> None:
        """Completions are computed elsewhere; this node has no workers of its own."""
        self.server.requests += 1
        self.answer(503, {"error": "no worker is attached to this front"})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        """A JSON answer."""
        content = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing is written for single requests."""


def main() -> None:
    """Serves until it is told to end."""
    options = argparse.ArgumentParser()
    options.add_argument("--name", required=True)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--pid-file", required=True)
    options.add_argument("--status", required=True)
    chosen = options.parse_args()
    front = Front(chosen.name, chosen.port)
    signal.signal(signal.SIGTERM, lambda *_: front.drain())
    with open(chosen.pid_file, "w") as file:
        file.write(f"{os.getpid()}\n")
    reporter = Reporter("serving", chosen.status, 5.0)
    reporter.say(f"{chosen.name} up on port {chosen.port}, pid {os.getpid()}")
    reporter.start()
    front.serve_forever(poll_interval=0.5)
    reporter.say(f"{chosen.name} ended after {front.requests} requests")
    reporter.report(timeout=5.0)


if __name__ == "__main__":
    main()
