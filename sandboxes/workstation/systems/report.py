"""Reports to the collector."""

import collections
import hashlib
import http.client
import json
import os
import threading
import time

LINES_KEPT = 2000
"""More lines than these are not kept for a collector that does not answer; the oldest go."""
LONGEST_LINE = 1000


def digest(content: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class Reporter:
    """Tells the collector every few seconds that a service runs, with what, and what it has to say.

    A thread of its own: a collector that is slow or away never holds up the service. Every report that is due has a
    number, whether or not it gets through; lines that did not get through go with a later one.
    """

    def __init__(self, service: str, address: str, seconds: float, batch: int = 100) -> None:
        """`address` is HOST or HOST:PORT."""
        self.service, self.seconds, self.batch = service, seconds, batch
        self.address = address
        self.instance = os.urandom(6).hex()
        self.running: dict[str, str] = {}
        self._number = 0
        self._lines: collections.deque[str] = collections.deque(maxlen=LINES_KEPT)
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def say(self, line: str) -> None:
        """Have a line sent with the next report."""
        self._lines.append(line[:LONGEST_LINE])

    def start(self) -> None:
        """Report from now on."""
        threading.Thread(target=self._for_ever, daemon=True).start()

    def report(self, timeout: float = 10.0) -> bool:
        """Report once, now. Whether it got through."""
        with self._lock:
            self._number += 1
            lines = [self._lines.popleft() for _ in range(min(self.batch, len(self._lines)))]
            body = {
                "service": self.service,
                "instance": self.instance,
                "number": self._number,
                "running": dict(self.running),
                "lines": lines,
            }
            if self._sent(json.dumps(body).encode(), timeout):
                return True
            self._lines.extendleft(reversed(lines[max(0, len(lines) + len(self._lines) - LINES_KEPT) :]))
            return False

    def _for_ever(self) -> None:
        while True:
            self.report()
            time.sleep(self.seconds)

    def _sent(self, body: bytes, timeout: float) -> bool:
        """Whether the collector answered. What it refuses it would refuse again."""
        kept, self._connection = self._connection, None
        for again in (kept, None):  # a connection that was kept may have been closed by the other side
            try:
                connection = again or self._connect(timeout)
                connection.request("POST", "/v1/report", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, ValueError, http.client.HTTPException):
                if again is None:
                    return False
            else:
                self._connection = connection
                return answer.status < 500
        return False

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        host, _, port = self.address.partition(":")
        return http.client.HTTPConnection(host, int(port or 80), timeout=timeout)
