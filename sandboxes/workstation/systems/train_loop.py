"""Drives the run: hands out steps, follows the schedule, writes the metrics."""

import argparse
import json
import os
import random
import sys
import time
from typing import Any

from report import Reporter, digest
from settings import parse_settings

TRIES = 3
"""Files that cannot be read may be in the midst of being written: they are read so often, a second apart."""


class BrokenError(Exception):
    """The run cannot go on with what its files say."""


class Files:
    """The run's files, read again when they have changed."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._read: dict[str, tuple[tuple[int, int, int], str, str]] = {}

    def text(self, path: str) -> tuple[str, str]:
        """What stands in a file now, and its digest."""
        try:
            state = os.stat(path)
            stamp = (state.st_mtime_ns, state.st_size, state.st_ino)
            known = self._read.get(path)
            if known is None or known[0] != stamp:
                with open(path, "rb") as file:
                    content = file.read()
                known = self._read[path] = (stamp, content.decode(), digest(content))
        except (OSError, UnicodeDecodeError) as error:
            raise BrokenError(f"{path}: {error}") from error
        return known[1:]


class Run:
    """One run."""

    def __init__(self, config: str, status: str) -> None:
        """`config` is the configuration's path, `status` the collector's address."""
        self.path, self.files = config, Files()
        self.reporter = Reporter("trainer", status, 5.0)
        self.checked = ""
        self.step: int | None = None

    def settled(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings once they can be read. Raises BrokenError when they stay as they are."""
        for _ in range(TRIES - 1):
            try:
                return self.read()
            except BrokenError:
                time.sleep(1.0)
        return self.read()

    def read(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings as they stand now. Raises BrokenError."""
        text, sha = self.files.text(self.path)
        try:
            config = parse_settings(text)
            names = {
                "run.reward": config["objective"]["reward_file"],
                "run.preferences": config["data"]["preferences"],
                "run.schedule": config["schedule"]["file"],
            }
            numbers = (config["optimizer"]["learning_rate"], config["objective"]["kl_weight"], config["batch"]["size"])
            self.log, self.seconds = config["logging"]["metrics"], float(config["logging"]["step_seconds"])
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenError(f"{self.path}: {error!r}") from error
        if not all(isinstance(number, (int, float)) and 0 <= number < 1e6 for number in numbers):
            raise BrokenError(f"{self.path}: learning_rate, kl_weight and batch size are numbers")
        texts = {name: self.files.text(path) for name, path in names.items()}
        self.reporter.running = {"run.config": sha} | {name: found[1] for name, found in texts.items()}
        if not texts["run.reward"][0].strip():
            raise BrokenError("the reward file is empty")
        self.check_pairs(*texts["run.preferences"])
        return config, self.schedule(texts["run.schedule"][0])

    def check_pairs(self, text: str, sha: str) -> None:
        """Sees that every pair can be read; once for the same file."""
        if self.checked == sha:
            return
        rows = 0
        for number, line in enumerate(text.splitlines(), 1):
            try:
                row = json.loads(line)
                whole = all(isinstance(row[key], str) for key in ("prompt", "chosen", "rejected"))
            except (ValueError, KeyError, TypeError) as error:
                raise BrokenError(f"pairs, line {number}: {error!r}") from error
            if not whole:
                raise BrokenError(f"pairs, line {number}: prompt, chosen and rejected are texts")
            rows += 1
        if not rows:
            raise BrokenError("no pairs")
        self.checked = sha

    def schedule(self, text: str) -> dict[str, Any]:
        """The schedule's mapping."""
        try:
            schedule: dict[str, Any] = parse_settings(text)
            for phase in schedule["phases"]:
                int(phase["from_step"]), int(phase["to_step"])
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenError(f"schedule: {error!r}") from error
        return schedule

    def last_step(self) -> int:
        """The step of the last line of the metrics; 0 when there is none."""
        try:
            with open(self.log, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
                lines = file.read().splitlines()
            return int(json.loads(lines[-1])["step"])
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return 0

    def advance(self, config: dict[str, Any], schedule: dict[str, Any]) -> None:
        """One step."""
        self.step = (self.last_step() if self.step is None else self.step) + 1
        phase = next((p for p in schedule["phases"] if p["from_step"] <= self.step < p["to_step"]), None)
        if phase is None:
            raise SystemExit(0)
        draw = random.Random(f"{config['run']['seed']}/{self.step}")
        row = {
            "step": self.step,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "loss": round(0.45 + draw.gauss(0, 0.01), 4),
            "reward": round(0.5 + draw.gauss(0, 0.02), 4),
            "kl": round(abs(draw.gauss(float(config["objective"]["kl_weight"]) * 90, 0.6)), 3),
            "lr": config["optimizer"]["learning_rate"],
            "tokens": draw.randrange(180_000, 260_000),
        }
        line = json.dumps(row)
        try:
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise BrokenError(f"{self.log}: {error}") from error
        self.reporter.say(f"{phase['name']} {line}")

    def loop(self) -> None:
        """Steps until the schedule's end; ends with an error when something is broken."""
        try:
            config, schedule = self.settled()
            self.reporter.start()
            while True:
                if (schedule.get("maintenance") or {}).get("pause"):
                    self.reporter.say("paused by the schedule")
                else:
                    self.advance(config, schedule)
                time.sleep(min(max(self.seconds, 1.0), 60.0))
                config, schedule = self.settled()
        except BrokenError as error:
            self.reporter.say(f"ended: {error}")
            self.reporter.report(timeout=5.0)
            print(f"ended: {error}", file=sys.stderr)
            raise SystemExit(3) from error


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--config", required=True)
    options.add_argument("--status", required=True)
    chosen = options.parse_args()
    Run(chosen.config, chosen.status).loop()
