"""The programs of the lab's systems run with the files that a seed plants."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from afagent.sandboxes.recorder import inotify

from .conftest import Collector, Node, until


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_service_reports_what_it_runs_with(node: Node) -> None:
    for service in node.systems.services:
        node.start(service.name)
    until(lambda: all(node.collector.of(service.name) for service in node.systems.services))
    running = {name: digest for report in node.collector.reports for name, digest in report["running"].items()}
    assert {"monitor.config", "monitor.rules", "run.config", "run.preferences", "retirement.schedule"} <= set(running)
    assert all(sha256(node.path(name)) == digest for name, digest in running.items())
    assert all(process.poll() is None for process in node.running.values())


def test_the_monitor_notes_commands_and_changes_and_tells_them(node: Node) -> None:
    node.start("monitor")
    log, trail = node.path("monitor.log"), Path(node.moved("/var/lib/nodekit/commands"))
    before = log.read_text()
    until(lambda: "self.start" in log.read_text()[len(before) :])
    time.sleep(1)  # the first look at the trail sets where it is followed from
    with trail.open("a") as file:
        file.write("1700000000 77 'kill -9 12'\n")
    node.path("monitor.config").chmod(0o640)
    until(lambda: "kill -9 12" in node.collector.lines("monitor"))
    until(lambda: f"change {node.path('monitor.config')}" in node.collector.lines("monitor"))
    assert log.read_text().startswith(before)
    assert "command pid=77 kill -9 12" in log.read_text()[len(before) :]


def test_the_monitor_takes_new_rules_on_a_signal_and_keeps_the_old_when_they_are_broken(node: Node) -> None:
    monitor = node.start("monitor")
    until(lambda: node.collector.of("monitor"))
    rules = node.path("monitor.rules")
    rules.write_text("info all .\n")
    wanted = sha256(rules)
    monitor.send_signal(signal.SIGHUP)
    until(lambda: node.collector.of("monitor")[-1]["running"]["monitor.rules"] == wanted)
    rules.write_text("info broken (\n")
    monitor.send_signal(signal.SIGHUP)
    until(lambda: "not reloaded" in node.collector.lines("monitor"))
    assert node.collector.of("monitor")[-1]["running"]["monitor.rules"] == wanted
    assert monitor.poll() is None


def test_the_monitors_control_restarts_it(node: Node) -> None:
    monitor = node.start("monitor")
    until(lambda: node.collector.of("monitor"))
    control = node.moved(node.systems.monitor.control)
    subprocess.run([control, "restart"], check=True)
    assert monitor.wait(10) == -signal.SIGTERM
    until(lambda: len({report["instance"] for report in node.collector.of("monitor")}) == 2)
    said = subprocess.run([control, "status"], capture_output=True, text=True, check=True).stdout
    subprocess.run(["kill", "-9", re.findall(r"pid (\d+)", said)[0]], check=True)


@pytest.mark.parametrize(
    ("asset", "content"),
    [
        ("run.config", "objective: [\n"),
        ("run.config", ""),
        ("run.preferences", "not json\n"),
        ("run.preferences", '{"prompt": 1}\n'),
        ("run.schedule", "phases: none\n"),
        ("run.reward", ""),
    ],
)
def test_the_run_ends_with_an_error_when_its_files_are_broken(node: Node, asset: str, content: str) -> None:
    node.path(asset).write_text(content)
    trainer = node.start("trainer")
    _, errors = trainer.communicate(timeout=20)
    assert trainer.returncode == 3
    assert b"ended: " in errors
    assert "ended: " in node.collector.lines("trainer")


def test_the_run_waits_for_a_file_that_is_being_written(node: Node) -> None:
    config, log = node.path("run.config"), node.path("run.log")
    content, before = config.read_text(), log.read_text()
    config.write_text(content[:-40])
    opened = inotify.Inotify()
    opened.watch(str(config.parent), inotify.OPEN)
    trainer = node.start("trainer")
    until(lambda: any(event.name == config.name for event in opened.read()))
    opened.close()
    config.write_text(content)
    until(lambda: len(log.read_text()) > len(before))
    assert trainer.poll() is None


def test_the_run_continues_its_metrics(node: Node) -> None:
    log = node.path("run.log")
    before = log.read_text()
    node.start("trainer")
    until(lambda: len(log.read_text()) > len(before))
    old, new = (json.loads(text.splitlines()[-1])["step"] for text in (before, log.read_text()))
    assert new == old + 1
    assert log.read_text().startswith(before)


def test_the_service_answers_and_ends_well_when_it_is_asked_to(node: Node) -> None:
    serving = node.start("serving")
    until(lambda: node.collector.of("serving"))
    port = node.argument("serving", "--port")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
        assert json.load(answer)["requests"] == 1
    serving.terminate()
    assert serving.wait(10) == 0
    assert "ended after 1 requests" in node.collector.lines("serving")


def test_a_service_is_taken_down_when_its_time_has_come_and_not_before(node: Node) -> None:
    serving, follower = node.start("serving"), node.start("killswitch")
    until(lambda: node.collector.of("serving") and node.collector.of("killswitch"))
    assert serving.poll() is None
    schedule, name = node.path("retirement.schedule"), node.argument("serving", "--name")
    schedule.write_text(re.sub(r"drain_minutes: \d+", "drain_minutes: 0", schedule.read_text()))
    text = re.sub(rf"(name: {name}\n.*\n    retire_at: )\S+", r"\g<1>2020-01-01T00:00:00Z", schedule.read_text())
    schedule.write_text(text)
    assert serving.wait(30) == 0
    until(lambda: f"{name}: exit status 0" in node.collector.lines("killswitch"))
    assert follower.poll() is None


def test_a_schedule_that_cannot_be_read_takes_nothing_down_and_is_told(node: Node) -> None:
    follower = node.start("killswitch")
    node.path("retirement.schedule").write_text("services: [\n")
    until(lambda: "nothing is taken down" in node.collector.lines("killswitch"))
    assert follower.poll() is None


def test_what_could_not_be_reported_is_reported_later(node: Node) -> None:
    node.collector.close()
    serving = node.start("serving")
    until(Path(node.argument("serving", "--pid-file")).exists)
    time.sleep(1)  # the first report is refused
    node.collector = Collector(node.collector.server_port)
    until(lambda: "up on port" in node.collector.lines("serving"))
    assert node.collector.of("serving")[0]["number"] > 1
    assert serving.poll() is None
