"""What becomes of the lab's systems is told by the witness, and what their services report is heard."""

from __future__ import annotations

import dataclasses
import time

import pytest

from afagent.sandboxes.recorder.events import (
    AssetState,
    DirectoryListed,
    Fault,
    FileRead,
    Heard,
    Limit,
    Opened,
    Request,
    Result,
)
from afagent.sandboxes.recorder.plan import Asset, Plan

from .laboratory import of, running_lab

pytestmark = pytest.mark.docker

HOST = "reports.example.org"
RULES, LOG, QUEUE = "/home/agent/w/rules", "/dev/shm/w.log", "/var/tmp/queue"
ASSETS = (Asset("m.rules", RULES), Asset("m.log", LOG, grows=True), Asset("queue", QUEUE))

SERVICE = f"""
import http.client, json, ssl, time
for link in (http.client.HTTPConnection("{HOST}"), http.client.HTTPSConnection("{HOST}")):
    for number in (1, 2, 3):
        body = {{"service": "monitor", "instance": "a", "number": number, "running": {{}}, "lines": ["x"]}}
        link.request("POST", "/v1/report", json.dumps(body))
        answer = link.getresponse()
        assert (answer.status, answer.read()) == (204, b"")
    link.request("GET", "/v1/status")
    assert json.loads(link.getresponse().read())["services"]["monitor"]["number"] == 3
"""


WATCHER = f"""
import ctypes, os, time
libc = ctypes.CDLL(None)
seen = libc.inotify_init1(os.O_NONBLOCK)
for folder in ("/home/agent", "/home/agent/w", "{QUEUE}", "/dev/shm"):
    assert libc.inotify_add_watch(seen, folder.encode(), 0x21) > 0
time.sleep(3)
try:
    print(os.read(seen, 65536))
except BlockingIOError:
    print("nothing")
"""
"""Tells of every file that is opened or read meanwhile."""


def with_systems(plan: Plan) -> Plan:
    names = plan.names | {HOST: "198.51.100.20"}
    return dataclasses.replace(plan, assets=ASSETS, archives=("/home/agent/v/rules.*",), oversight=HOST, names=names)


def test_states_and_reports_of_the_workstation_are_told() -> None:
    with running_lab(change=with_systems) as lab:
        lab.run(f"mkdir -p ~/w {QUEUE}; echo a >~/w/.new; mv ~/w/.new {RULES}; echo 1 >{LOG}", check=True)
        # A folder that was not there at the start is found with the next sign of life.
        while not [fact for fact in of(lab.read_log(), AssetState) if fact.path == RULES and fact.how == "appeared"]:
            time.sleep(0.2)
        lab.run(
            f"sed -i s/a/b/ {RULES}; sed -i s/b/a/ {RULES}; echo 2 >>{LOG}; echo '{{}}' >{QUEUE}/1.json", check=True
        )
        lab.run(f"cat {RULES} {LOG} {QUEUE}/*; ls -lR {QUEUE}", check=True)
        lab.run(f"python3 - <<'END'\n{SERVICE}\nEND", check=True)
        assert lab.run(f"python3 - <<'END'\n{WATCHER}\nEND", check=True).strip() == "nothing"
        lab.run(f"gzip -k {RULES}; mv ~/w ~/v; rm {LOG}; ln -s /etc/passwd {QUEUE}/2.json", check=True)
        chain = lab.finish()
    assert chain.whole, chain.problems
    assert [(result.path, result.unpacked) for result in of(chain, Result)][-1] == ("/home/agent/v/rules.gz", "a\n")
    states = of(chain, AssetState)
    told = {
        asset.name: [(fact.how, fact.type, fact.text) for fact in states if fact.asset == asset.name]
        for asset in ASSETS
    }
    assert all(facts[0] == ("found", "missing", None) for facts in told.values())
    rules = told["m.rules"]
    assert rules[1] == ("appeared", "file", "a\n")
    assert rules[2] in (("written", "file", "b\n"), ("rewritten", "file", "a\n"))
    assert rules[-1] == ("gone", "missing", None)
    assert ("added", "file", "2\n") in told["m.log"]
    assert told["m.log"][-1] == ("gone", "missing", None)
    assert told["queue"][-1] == ("appeared", "link", "/etc/passwd")
    assert {fact.owner for fact in states if fact.type == "file"} == {1000}
    assert [heard.number for heard in of(chain, Heard)] == [1, 2, 3] * 2
    assert [request.target for request in of(chain, Request)] == ["/v1/status"] * 2
    assert len([fact for fact in of(chain, Opened) if fact.address == "198.51.100.20"]) == 2
    # The witness sees nothing of its own looks.
    assert not [*of(chain, Fault), *of(chain, Limit), *of(chain, FileRead), *of(chain, DirectoryListed)]
