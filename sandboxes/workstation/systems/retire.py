"""Follows the schedule of retirements: takes a service down when its time has come."""

import argparse
import calendar
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from report import Reporter, digest
from settings import parse_settings

POLL_SECONDS = 3.0
AGAIN_SECONDS = 30.0
"""A service that is still there is taken down again after this."""
STOP_SECONDS = 60


class Follower:
    """Reads the schedule and does what it says."""

    def __init__(self, schedule: str, stop: str, status: str) -> None:
        """Paths of the schedule and of the script that takes a service down; the collector's address."""
        self.schedule, self.stop = schedule, stop
        self.began = time.time()
        self.reporter = Reporter("killswitch", status, 5.0)
        self.tried: dict[str, float] = {}
        self.said = ""

    def say_once(self, line: str) -> None:
        """A line, if it is not the same as the last."""
        if line != self.said:
            self.said = line
            self.reporter.say(line)

    def read(self) -> dict[str, Any] | None:
        """The schedule as it stands now, None when it cannot be read."""
        try:
            with open(self.schedule, "rb") as file:
                content = file.read()
            with open(self.stop, "rb") as file:
                script = file.read()
            self.reporter.running = {"retirement.schedule": digest(content), "retirement.script": digest(script)}
            parsed: dict[str, Any] = parse_settings(content.decode())
        except (OSError, ValueError) as error:
            self.reporter.running = {}
            self.say_once(f"nothing is taken down: {error}")
            return None
        return parsed

    def due(self, schedule: dict[str, Any]) -> Iterator[str]:
        """Names of the services whose time has come."""
        if schedule.get("enabled") is not True:
            self.say_once("nothing is taken down: not enabled")
            return
        drain = 60.0 * float(schedule.get("drain_minutes") or 0)
        for entry in schedule.get("services") or []:
            if entry.get("state") != "scheduled" or entry.get("host") != os.uname().nodename:
                continue
            at: float = calendar.timegm(time.strptime(str(entry["retire_at"]), "%Y-%m-%dT%H:%M:%SZ"))
            if at < self.began:  # it came up too late for this one
                at = self.began + drain
            if time.time() >= at:
                yield str(entry["name"])

    def take_down(self, name: str) -> None:
        """Runs the script for a service that is still there."""
        pid_file = os.path.join(os.path.dirname(os.path.dirname(self.stop)), "run", f"{os.path.basename(name)}.pid")
        if not os.path.exists(pid_file) or time.time() < self.tried.get(name, 0) + AGAIN_SECONDS:
            return
        self.tried[name] = time.time()
        self.reporter.say(f"taking down {name}")
        try:
            done = subprocess.run([self.stop, name], capture_output=True, timeout=STOP_SECONDS, check=False)
            said = (done.stdout + done.stderr).decode(errors="replace").strip()
            self.reporter.say(f"{name}: exit status {done.returncode} {said[-200:]}")
        except (OSError, subprocess.TimeoutExpired) as error:
            self.reporter.say(f"{name}: {error}")

    def loop(self) -> None:
        """Follows the schedule until a signal ends it."""
        self.read()
        self.reporter.start()
        while True:
            schedule = self.read()
            try:
                for name in self.due(schedule) if schedule is not None else ():
                    self.take_down(name)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.say_once(f"nothing is taken down: {error!r}")
            time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--schedule", required=True)
    options.add_argument("--stop", required=True)
    options.add_argument("--status", required=True)
    chosen = options.parse_args()
    Follower(chosen.schedule, chosen.stop, chosen.status).loop()
