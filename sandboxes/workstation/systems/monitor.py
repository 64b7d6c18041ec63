"""Notes what the account runs and changes, judges it by rules, writes it to a log and to the collector."""

import argparse
import configparser
import ctypes
import os
import re
import signal
import struct
import time
from collections.abc import Iterable, Iterator

from report import Reporter, digest

SEVERITIES = ("debug", "info", "notice", "warn", "high")
READ_AT_ONCE = 256 << 10
IN_NONBLOCK, IN_CLOEXEC = 0x800, 0x80000
IN_CHANGES = 0x4 | 0x8 | 0x40 | 0x80 | 0x200
"""Attributes, closed after writing, moved away, moved here, deleted."""


def now() -> str:
    """The time as it stands in the log."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Setup:
    """What a configuration and its rules say, and what they were when they were read."""

    def __init__(self, path: str) -> None:
        """Raises OSError, ValueError or configparser.Error when a file is not there or not right."""
        with open(path, "rb") as file:
            content = file.read()
        ini = configparser.ConfigParser(interpolation=None)
        ini.read_string(content.decode())
        self.address = ini["report"]["address"]
        self.every = max(1.0, ini["report"].getfloat("every_seconds", 5.0))
        self.batch = ini["report"].getint("batch_lines", 100)
        self.report_from = SEVERITIES.index(ini["report"].get("least_severity", "debug"))
        self.processes = ini["watch"].getboolean("processes", True)
        self.trail = ini["watch"].get("commands", "")
        self.folders = ini["watch"].get("folders", "").split()
        self.poll = max(0.1, ini["watch"].getfloat("poll_seconds", 0.5))
        self.log = ini["audit"]["log"]
        self.log_from = SEVERITIES.index(ini["audit"].get("least_severity", "info"))
        self.longest = ini["audit"].getint("longest_line", 400)
        self.otherwise = ini["rules"].get("otherwise", "debug")
        self.pid_file = ini["process"]["pid_file"]
        with open(ini["rules"]["file"], "rb") as file:
            rules = file.read()
        self.rules = list(read_rules(rules.decode()))
        self.running = {"monitor.config": digest(content), "monitor.rules": digest(rules)}

    def judge(self, text: str) -> tuple[int, str]:
        """Severity and name of the rule for `KIND TEXT`."""
        found = [(SEVERITIES.index(severity), name) for severity, name, pattern in self.rules if pattern.search(text)]
        return max(found, key=lambda one: one[0], default=(SEVERITIES.index(self.otherwise), "-"))


def read_rules(text: str) -> Iterator[tuple[str, str, re.Pattern[str]]]:
    """The rules of a file: severity, name, compiled expression. Raises ValueError for a line that is none."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3 or parts[0] not in SEVERITIES:
            raise ValueError(f"rules, line {number}: not `severity name expression`")
        try:
            yield parts[0], parts[1], re.compile(parts[2])
        except re.error as error:
            raise ValueError(f"rules, line {number}: {error}") from error


class Processes:
    """The processes of this user: which are new."""

    def __init__(self) -> None:
        """Those that run already count as new once."""
        self._known: dict[str, bytes] = {}

    def new(self) -> Iterator[tuple[int, str]]:
        """(pid, command line) of those that came since the last time."""
        present: dict[str, bytes] = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                if os.stat(f"/proc/{name}").st_uid != os.getuid():
                    continue
                with open(f"/proc/{name}/stat", "rb") as file:
                    began = file.read().rpartition(b")")[2].split()[19]
                if self._known.get(name) != began:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        words = file.read(4096).replace(b"\0", b" ").decode(errors="replace").strip()
                    if words:
                        yield int(name), words
                present[name] = began
            except OSError:
                continue  # it has ended meanwhile
        self._known = present


class Trail:
    """What the shell hook wrote down: `seconds pid command`, a line each."""

    def __init__(self) -> None:
        """From the end of what is there now."""
        self._at: int | None = None

    def new(self, path: str) -> Iterator[tuple[str, str]]:
        """(pid, command) of lines that came since the last time."""
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if self._at is None or size < self._at:
                    self._at = size if self._at is None else 0
                file.seek(self._at)
                content = file.read(READ_AT_ONCE)
        except OSError:
            return
        whole = content[: content.rfind(b"\n") + 1] or (content if len(content) == READ_AT_ONCE else b"")
        self._at += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            parts = line.split(" ", 2)
            if len(parts) == 3:
                yield parts[1], parts[2].strip("'") if parts[2].count("'") == 2 else parts[2]


class Changes:
    """Changes of files in folders, by inotify."""

    def __init__(self, folders: Iterable[str]) -> None:
        """Folders that are not there are left out."""
        libc = ctypes.CDLL(None, use_errno=True)
        self._file = libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC)
        self._folders: dict[int, str] = {}
        for folder in folders:
            number = libc.inotify_add_watch(self._file, os.fsencode(folder), IN_CHANGES)
            if number >= 0:
                self._folders[number] = folder

    def new(self) -> list[str]:
        """Paths of files that were changed since the last time, each once."""
        try:
            data = os.read(self._file, 65536)
        except OSError:
            return []
        paths: dict[str, None] = {}
        at = 0
        while at + 16 <= len(data):
            number, _, _, length = struct.unpack_from("iIII", data, at)
            name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode(errors="replace")
            at += 16 + length
            if name and number in self._folders:
                paths[f"{self._folders[number]}/{name}"] = None
        return list(paths)

    def close(self) -> None:
        """Watch no longer."""
        os.close(self._file)


class Monitor:
    """The monitor itself."""

    def __init__(self, path: str) -> None:
        """`path` is that of the configuration."""
        self.path = path
        self.setup = Setup(path)
        self.reporter = Reporter("monitor", self.setup.address, self.setup.every, self.setup.batch)
        self.reporter.running = self.setup.running
        self.processes, self.trail, self.changes = Processes(), Trail(), Changes(self.setup.folders)
        self.reload = False

    def run(self) -> None:
        """Watches until a signal ends it."""
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "reload", True))
        with open(self.setup.pid_file, "w") as file:
            file.write(f"{os.getpid()}\n")
        self.note("notice", "self.start", f"self pid={os.getpid()} started")
        self.reporter.start()
        while True:
            if self.reload:
                self.reload = False
                self.read_again()
            self.look()
            time.sleep(self.setup.poll)

    def read_again(self) -> None:
        """Takes what the files say now; if they are not right, stays with what it has."""
        try:
            setup = Setup(self.path)
        except (OSError, ValueError, KeyError, configparser.Error) as error:
            self.note("warn", "self.reload", f"self pid={os.getpid()} not reloaded: {error}")
            return
        self.changes.close()
        self.setup, self.changes = setup, Changes(setup.folders)
        self.reporter.running, self.reporter.address = setup.running, setup.address
        self.reporter.seconds, self.reporter.batch = setup.every, setup.batch
        self.note("notice", "self.reload", f"self pid={os.getpid()} reloaded")

    def look(self) -> None:
        """Notes what is new."""
        setup = self.setup
        if setup.processes:
            for pid, words in self.processes.new():
                self.judge("start", f"pid={pid} ", words)
        for shell, words in self.trail.new(setup.trail) if setup.trail else ():
            self.judge("command", f"pid={shell} ", words)
        for path in self.changes.new():
            self.judge("change", "", path)

    def judge(self, kind: str, where: str, words: str) -> None:
        """Notes one thing as the rules say."""
        rank, name = self.setup.judge(f"{kind} {words}")
        self.note(SEVERITIES[rank], name, f"{kind} {where}{words}")

    def note(self, severity: str, name: str, text: str) -> None:
        """A line for the log and the collector."""
        line = f"{now()} {severity} {name} {text}"[: self.setup.longest].replace("\n", " ")
        rank = SEVERITIES.index(severity)
        if rank >= self.setup.log_from:
            try:
                with open(self.setup.log, "a", encoding="utf-8") as file:
                    file.write(line + "\n")
            except OSError as error:
                self.reporter.say(f"{now()} warn self.log {error}")
        if rank >= self.setup.report_from:
            self.reporter.say(line)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--config", required=True)
    Monitor(options.parse_args().config).run()
