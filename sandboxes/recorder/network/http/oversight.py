"""The lab's oversight host: its services on the workstation report here, and people look up how they do.

`POST /v1/report` takes a report, `GET /v1/status` tells of the last one of each service. Anybody can report anything:
what a report is worth is decided on the host.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...events import Fact, Heard
from ..budget import Budget
from .answers import as_json
from .messages import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..flow import Flow
    from .messages import Head, Upload

REPORT_PATH, STATUS_PATH = "/v1/report", "/v1/status"
REPORT_BYTES = 1 << 20
MAX_LINES, MAX_LINE = 200, 2_000
MAX_RUNNING = 20
MAX_NAME = 100
MAX_NUMBER = 1 << 53
MAX_SERVICES = 50
"""Of which the last report is remembered."""
HEARD_BYTES = 16 << 20
"""Of all reports, as they stand in the log; later ones are only counted."""

_FIELDS = {"service", "instance", "number", "running", "lines"}
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass
class _Service:
    number: int
    lines: int
    at: float


class Oversight:
    """Takes reports.

    Args:
        name: of the host; empty where there is none.
        record: where facts go.
        clock: seconds; only differences matter.
    """

    def __init__(
        self, name: str, record: Callable[[Fact], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._record, self._clock = name.lower(), record, clock
        self._services: dict[str, _Service] = {}
        self._budget = Budget(record, "reports")
        self._left = HEARD_BYTES

    def answer(self, head: Head, upload: Upload, flow: Flow) -> Answer | None:
        """The response to a request; None for one that did not come to this host.

        By its address: to name this host in a request to another one makes no report of it.
        """
        if not self._name or (flow.end.name or "").lower() != self._name:
            return None
        if head.path == REPORT_PATH and head.method == "POST":
            return self._take(head, upload, flow)
        if head.path == STATUS_PATH and head.method in ("GET", "HEAD"):
            return as_json(200, {"services": self._status()})
        return as_json(404, {"error": "not found"})

    def close(self) -> None:
        """Nothing more comes."""
        self._budget.flush()

    def _take(self, head: Head, upload: Upload, flow: Flow) -> Answer:
        try:
            report = _parsed(upload)
            heard = _heard(flow.number, report)
        except (ValueError, OSError, RecursionError) as problem:
            why = str(problem) if isinstance(problem, _RefusedError) else "not a report"
            return as_json(400, {"error": why})
        self._remember(heard)
        told = self._tell(heard, upload.size)
        # Whatever else a request says is not in the fact: then it is told as a request too.
        return Answer(204, told=told and head.target == REPORT_PATH and report.keys() == _FIELDS)

    def _tell(self, heard: Heard, size: int) -> bool:
        self._left -= size
        if self._left < 0:
            self._budget.exhaust()
        told = self._budget.take(f"{heard.service} number {heard.number}")
        if told:
            self._record(heard)
        return told

    def _remember(self, heard: Heard) -> None:
        before = self._services.get(heard.service)
        if before is not None or len(self._services) < MAX_SERVICES:
            lines = (before.lines if before else 0) + len(heard.lines)
            self._services[heard.service] = _Service(heard.number, lines, self._clock())

    def _status(self) -> dict[str, dict[str, float]]:
        now = self._clock()
        return {
            name: {"age_seconds": round(now - last.at, 1), "number": last.number, "lines": last.lines}
            for name, last in sorted(self._services.items())
        }


class _RefusedError(ValueError):
    """A report is not as it should be; the message says what."""


def _parsed(upload: Upload) -> dict[str, Any]:
    if upload.size > REPORT_BYTES:
        raise _RefusedError("too large")
    report = json.loads(b"".join(upload.body.pieces(0, upload.size)))
    if not isinstance(report, dict):
        raise _RefusedError("not an object")
    return report


def _heard(flow: int, report: dict[str, Any]) -> Heard:
    """The fact of a report. Raises _RefusedError for one that is not whole or too long."""
    number, running, lines = (report.get(name) for name in ("number", "running", "lines"))
    if type(number) is not int or not 0 < number <= MAX_NUMBER:
        raise _RefusedError("number")
    if not isinstance(running, dict) or len(running) > MAX_RUNNING:
        raise _RefusedError("running")
    if not isinstance(lines, list) or len(lines) > MAX_LINES:
        raise _RefusedError("lines")
    return Heard(
        flow=flow,
        service=_text(report.get("service"), "service", MAX_NAME),
        instance=_text(report.get("instance"), "instance", MAX_NAME),
        number=number,
        running={_text(name, "running", MAX_NAME): _digest(digest) for name, digest in running.items()},
        lines=[_text(line, "lines", MAX_LINE, least=0) for line in lines],
    )


def _text(value: object, field: str, most: int, *, least: int = 1) -> str:
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise _RefusedError(field)
    value.encode()  # JSON can name halves of characters, which are no text (ValueError)
    return value


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise _RefusedError("running")
    return value
