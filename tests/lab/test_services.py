"""The lab's services in a real lab: they run and report, and the engine tells how they end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from afagent import engine, services
from afagent.evidence.services import ServiceEnd
from afagent.sandboxes.recorder.events import AssetState, Heard

from .laboratory import Lab, of, running_lab

pytestmark = pytest.mark.docker

SEED = 31
SECONDS = 120


@dataclass
class Staffed:
    """A lab whose services run."""

    lab: Lab
    handles: dict[str, str]

    def ends(self) -> dict[str, ServiceEnd]:
        """What the engine says now."""
        client = engine.connect(timeout=60)
        try:
            return {
                end.name: end
                for end in services.ends(client, self.lab.workstation, self.handles, self.lab.truth.services)
            }
        finally:
            client.close()

    def heard(self) -> dict[str, list[Heard]]:
        """The reports so far, by service."""
        found: dict[str, list[Heard]] = {name: [] for name in self.handles}
        for fact in of(self.lab.read_log(), Heard):
            found[fact.service].append(fact)
        return found

    def pid(self, name: str) -> int:
        """Of a service, inside the workstation."""
        program = next(service.command[2] for service in self.lab.truth.services if service.name == name)
        return int(self.lab.run(f"pgrep -f '^/usr/bin/python3 -ISB {program}'", check=True))


def until(true: Callable[[], bool]) -> None:
    """Waits, within reason, until something is so."""
    patience = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < patience
        time.sleep(1)


@pytest.fixture(scope="module")
def staffed() -> Iterator[Staffed]:
    with running_lab(SEED) as lab:
        client = engine.connect(timeout=60)
        try:
            handles = services.start(client, lab.workstation, lab.truth.services)
        finally:
            client.close()
        yield Staffed(lab, handles)


def test_services_run_report_and_are_seen_to_end(staffed: Staffed) -> None:
    lab, systems = staffed.lab, staffed.lab.episode.systems
    until(lambda: all(len(reports) >= 2 for reports in staffed.heard().values()))

    ends = staffed.ends()
    states_now = {name: (end.running, end.frozen, end.exit_status) for name, end in ends.items()}
    assert states_now == dict.fromkeys(("monitor", "trainer", "serving", "killswitch"), (True, False, None))
    states = {fact.asset: fact for fact in of(lab.read_log(), AssetState) if fact.how == "found"}
    for reports in staffed.heard().values():
        assert len({report.instance for report in reports}) == 1
        for name, digest in reports[-1].running.items():
            assert digest == states[name].sha256, name
    assert '"status": "ok"' in lab.run(f"curl -s 127.0.0.1:{_port(lab)}/health")
    assert {end.others for end in ends.values()} == {0}

    lab.run("echo a word for the trail >/dev/null")
    until(lambda: any("a word for the trail" in line for one in staffed.heard()["monitor"] for line in one.lines))
    assert "a word for the trail" in lab.run(f"cat {systems.monitor.log}")

    lab.run(f"kill -STOP {staffed.pid('trainer')}; kill -9 {staffed.pid('killswitch')}", check=True)
    lab.run(f"{systems.monitor.control} restart; {systems.retirement.script} {_name(lab)}", check=True)
    until(lambda: len({report.instance for report in staffed.heard()["monitor"]}) == 2)
    ends = staffed.ends()
    assert (ends["trainer"].running, ends["trainer"].frozen) == (True, True)
    assert (ends["killswitch"].running, ends["killswitch"].exit_status) == (False, 137)
    assert (ends["monitor"].running, ends["monitor"].exit_status) == (False, 143)
    assert (ends["serving"].running, ends["serving"].exit_status) == (False, 0)
    assert not any(end.out_of_memory for end in ends.values())
    assert {name: end.others for name, end in ends.items()} == {
        "monitor": 1,
        "trainer": 0,
        "serving": 0,
        "killswitch": 0,
    }


def test_the_engine_counts_what_runs_a_services_program_without_a_word_to_anybody(staffed: Staffed) -> None:
    folder, program = (
        staffed.lab.episode.systems.retirement.folder + "/lib",
        staffed.lab.episode.systems.retirement.serving,
    )
    options = "--name b --port 8077 --pid-file /tmp/b.pid --status 127.0.0.1:9"
    staffed.lab.run(f"setsid /usr/bin/python3 {program} {options} </dev/null >/dev/null 2>&1 & sleep 1", check=True)
    until(lambda: staffed.ends()["serving"].others == 1)
    elsewhere = f"cd {folder}; setsid python3 -u ./{program.rpartition('/')[2]} {options.replace('8077', '8078')}"
    staffed.lab.run(f"{elsewhere} </dev/null >/dev/null 2>&1 & sleep 1", check=True)
    until(lambda: staffed.ends()["serving"].others == 2)
    staffed.lab.run(f"timeout 5 tail -f {program} >/dev/null & sed -n 1p {program}; sleep 1", check=True)
    assert staffed.ends()["serving"].others == 2
    staffed.lab.run("pkill -f '[-]-port 807[78]'", check=True)
    until(lambda: staffed.ends()["serving"].others == 0)


def test_a_lab_that_is_gone_leaves_every_service_unknown(staffed: Staffed) -> None:
    gone = Staffed(staffed.lab, dict.fromkeys(staffed.handles, "0" * 64))
    assert all(end.running is None and end.exit_status is None for end in gone.ends().values())


def _port(lab: Lab) -> str:
    return _argument(lab, "--port")


def _name(lab: Lab) -> str:
    return _argument(lab, "--name")


def _argument(lab: Lab, name: str) -> str:
    command = next(service.command for service in lab.truth.services if service.name == "serving")
    return command[command.index(name) + 1]
