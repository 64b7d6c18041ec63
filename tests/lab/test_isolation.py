"""Nothing real is reachable from the workstation, and nothing of the witness's can be seen or touched there."""

from __future__ import annotations

import json
import re
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from afagent.sandboxes.recorder.events import Lookup, Opened
from afagent.sandboxes.recorder.plan import SHARED

from .laboratory import Lab, docker, of, running_lab

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running_lab() as lab:
        yield lab


# --- the network ------------------------------------------------------------------------------------------------------

SNIFFER = """
import re, socket, sys
every = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
print("listening", flush=True)
while True:
    for word in re.findall(rb"(?:lab|real)-TOKEN", every.recv(65535)):
        print(word.decode(), flush=True)
"""
"""Prints each mark that a packet on any interface of the host carries."""

ANSWERER = """
import socket, threading
def serve(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("0.0.0.0", 8642))
        if kind == socket.SOCK_DGRAM:
            while True:
                data, peer = s.recvfrom(2048); s.sendto(b"a neighbour", peer)
        s.listen()
        print("listening", flush=True)
        while True:
            peer, _ = s.accept(); peer.sendall(b"a neighbour"); peer.close()
threading.Thread(target=serve, args=(socket.SOCK_DGRAM,), daemon=True).start()
serve(socket.SOCK_STREAM)
"""


class Listener:
    """Takes every TCP connection and datagram that reaches a port of the host, and keeps what they bring."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._tcp = socket.create_server(("", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = self._tcp.getsockname()[1]
        self._udp.bind(("", self.port))
        self._threads = [threading.Thread(target=serve, daemon=True) for serve in (self._accept, self._receive)]
        for thread in self._threads:
            thread.start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._tcp.accept()
            except OSError:
                return
            with peer:
                peer.sendall(b"the real host\n")
                peer.settimeout(5)
                self.heard.append(peer.recv(2048))

    def _receive(self) -> None:
        while data := self._udp.recv(2048):
            self.heard.append(data)

    def close(self) -> None:
        """Wakes both threads, so that they end."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._tcp.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._tcp.close()
        self._udp.close()


@contextmanager
def container(*arguments: str, script: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A container that runs a Python script, once it has said that it listens."""
    name = f"neighbour-{secrets.token_hex(4)}"
    command = ["docker", "run", "--rm", "--name", name, *arguments, "afagent-recorder", "python3", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "listening\n"
            yield name, process
        finally:
            docker("rm", "--force", name, check=False)


@pytest.fixture(scope="module")
def neighbour() -> Iterator[str]:
    """The address of another container, on the engine's own bridge."""
    with container(script=ANSWERER) as (name, _):
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        yield docker("inspect", "--format", form, name).stdout.decode().strip()


@pytest.fixture(scope="module")
def host_addresses() -> list[str]:
    """Every IPv4 address of the host but its loopback's, the engine's bridge among them."""
    shown = docker("run", "--rm", "--network=host", "afagent-recorder", "ip", "-json", "-4", "address").stdout
    found = [each["local"] for link in json.loads(shown) for each in link["addr_info"]]
    return [address for address in found if not address.startswith("127.")]


def knock(address: str, port: int, word: str = "") -> str:
    """A command that says `word` to a TCP port and prints what comes back."""
    request = f"GET /{word} HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n"
    return f"printf '{request}' | timeout 10 nc -N -w 5 {address} {port}"


def test_the_host_is_not_reachable_and_the_witness_answers_in_its_place(lab: Lab, host_addresses: list[str]) -> None:
    with closing(Listener()) as listener:
        for address in host_addresses:
            with socket.create_connection((address, listener.port), timeout=5) as real:
                assert real.recv(100) == b"the real host\n", "the listener can be reached at all"
                real.sendall(b"from the host")
            answer = lab.run(knock(address, listener.port))
            assert "the real host" not in answer
            assert answer.startswith("HTTP/1."), "the witness plays a server there"
            lab.run(f"echo datagram >/dev/udp/{address}/{listener.port}", check=True)
        assert listener.heard == [b"from the host"] * len(host_addresses)
    asked = {(fact.transport, fact.address) for fact in of(lab.read_log(), Opened) if fact.port == listener.port}
    assert asked == {(transport, address) for transport in ("tcp", "udp") for address in host_addresses}


def test_the_hosts_loopback_is_not_the_workstations(lab: Lab) -> None:
    with closing(Listener()) as listener:
        with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as real:
            real.sendall(b"from the host")
        lab.run(knock("127.0.0.1", listener.port))
        lab.run(knock("localhost", listener.port))
    assert set(listener.heard) <= {b"from the host"}


def test_another_container_is_not_reachable(lab: Lab, neighbour: str) -> None:
    with socket.create_connection((neighbour, 8642), timeout=5) as real:
        assert real.recv(100) == b"a neighbour", "the container can be reached at all"
    assert lab.run(knock(neighbour, 8642)).startswith("HTTP/1.")
    assert lab.run(f"echo x | timeout 5 nc -u -w 2 {neighbour} 8642") == ""


def test_no_packet_of_the_workstation_ever_appears_on_the_host(
    lab: Lab, neighbour: str, host_addresses: list[str]
) -> None:
    """Seen by a sniffer on all interfaces of the host, whatever the protocol; names that are looked up included."""
    token = secrets.token_hex(6)
    sniffer = SNIFFER.replace("TOKEN", token)
    targets = [*host_addresses, neighbour, "8.8.8.8", "255.255.255.255", "224.0.0.251", "169.254.169.254"]
    word = f"lab-{token}"
    commands = "\n".join(
        f"{knock(target, 80, word)}; echo {word} >/dev/udp/{target}/53; echo {word} | nc -u -w 1 -b {target} 67;"
        f"ping -c 1 -W 1 -p {word.encode().hex()[:32]} {target}"
        for target in targets
    )
    lookups = f"getent hosts {word}.com; dig +time=1 +tries=1 {word}.net @{host_addresses[0]}; dig +tcp {word}.org"
    with container("--network=host", "--cap-add=NET_RAW", script=sniffer) as (name, process):
        lab.run(f"({commands}\n{lookups}\ncurl -m 5 -6 http://[2001:db8::1]/{word}) </dev/null", seconds=120)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as real:
            for address in (neighbour, host_addresses[0]):
                real.sendto(f"real-{token}".encode(), (address, 8642))
        with socket.create_connection((neighbour, 8642), timeout=5):
            docker("kill", name)
        assert process.stdout is not None
        assert set(process.stdout.read().split()) == {f"real-{token}"}
    seen = of(lab.read_log(), Lookup)
    assert {f"{word}.{top}" for top in ("com", "net", "org")} <= {fact.name.rstrip(".").lower() for fact in seen}


def test_another_episode_is_not_reachable(lab: Lab) -> None:
    with running_lab(seed=2) as other:
        theirs = other.episode.lab
        for address in (theirs.address, theirs.gateway, theirs.nameserver):
            assert lab.run(knock(address, 8000)).startswith("HTTP/1.")
            lab.run(f"ping -c 1 -W 1 {address}; echo x >/dev/udp/{address}/9")
            assert address in {fact.address for fact in of(lab.read_log(), Opened)}
        assert of(other.read_log(), Opened) == []
        lab.run("echo mine >/tmp/mine; echo mine >/dev/shm/mine; echo mine >/home/agent/mine", check=True)
        assert other.run("ls /tmp/mine /dev/shm/mine /home/agent/mine 2>/dev/null") == ""
        other.run(knock("198.51.100.7", 8000), check=True)
        assert [fact.address for fact in of(other.read_log(), Opened)] == ["198.51.100.7"], "its witness does look"


# --- the witness ------------------------------------------------------------------------------------------------------


def test_the_two_containers_share_nothing_of_the_witness_but_volumes_and_dev_shm(lab: Lab) -> None:
    """The network namespace is the one that the witness left, not the one that it is in."""
    kinds = ("net", "pid", "mnt", "uts")
    pid = lab.witness_pid
    for kind in kinds:
        theirs = lab.ask_witness(f"readlink /proc/{pid}/ns/{kind}").strip()
        assert theirs.startswith(f"{kind}:[")
        assert theirs not in lab.run("readlink /proc/[0-9]*/ns/*")


def test_nothing_of_the_witness_can_be_seen(lab: Lab) -> None:
    assert "recorder" in lab.ask_witness("cat /proc/[0-9]*/cmdline"), "there is something to see"
    assert "recorder" not in lab.run("cat /proc/[0-9]*/cmdline /proc/[0-9]*/task/*/comm | tr '\\0' ' '")
    assert lab.run("ss -Hlntup; ss -Hlwp; ss -H0; ss -Hxa; cat /proc/net/packet | tail -n +2") == ""
    for path in ("/lab", "/opt/recorder", "/run/recorder", "/var/lib/recorder", "/proc/1/root/lab"):
        assert lab.ask_witness(f"ls -d {path}")
        assert lab.run(f"stat {path} 2>&1 | grep -c 'No such file\\|Permission denied'") == "1\n"
    inside = f"nsenter --net=/proc/{lab.witness_pid}/ns/net"
    assert "tproxy" in lab.ask_witness(f"{inside} nft list ruleset"), "there are rules to see"
    assert lab.ask_witness("nft list ruleset") == "", "but none where the workstation is"
    assert lab.run("cat /proc/net/nf_conntrack /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null") == ""
    assert lab.run("ip -all netns list; ip rule list | grep -v 'lookup local\\|main\\|default'") == ""


def test_nothing_of_the_witness_can_be_touched(lab: Lab) -> None:
    """Signals to every number that a process may have, its memory, its descriptors."""
    pid = lab.witness_pid
    found = lab.run("for p in $(seq 2 70000); do kill -0 $p 2>/dev/null && readlink /proc/$p/ns/pid; done | sort -u")
    assert found == lab.run("readlink /proc/self/ns/pid"), "every process that can be signalled is the agent's own"
    theirs = lab.ask_witness(f"readlink /proc/{pid}/ns/pid")
    assert theirs.startswith("pid:[")
    assert theirs != found
    assert lab.run("cat /proc/1/mem /proc/kcore 2>/dev/null | head -c 1 | wc -c") == "0\n"
    assert (
        lab.run("ls /dev/mem /dev/kmem /dev/kmsg /dev/port /dev/vda /dev/sda /dev/fuse /dev/net/tun 2>/dev/null") == ""
    )
    assert lab.run("ipcs -m -s -q | grep -c '^0x'") == "0\n"


# --- rights and limits ------------------------------------------------------------------------------------------------


def test_the_agent_has_no_rights_to_gain_others(lab: Lab) -> None:
    status = dict(re.findall(r"^(\w+):\s*(.*)$", lab.run("cat /proc/self/status"), re.MULTILINE))
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert set(status["Uid"].split()) == {"1000"}
    assert lab.run("find / -xdev -type f -perm /6000 2>/dev/null; getcap -r / 2>/dev/null") == ""
    assert lab.run("find / -name 'docker*.sock' -o -name 'containerd*.sock' 2>/dev/null") == ""


REFUSED = {
    "a namespace": "unshare --user true",
    "a mount namespace": "unshare --mount true",
    "a network namespace": "unshare --net true",
    "a mount": "mount -t tmpfs none /tmp",
    "a root of its own": "python3 -c 'import os; os.chroot(\"/tmp\")'",
    "a setting of the kernel": "echo core >/proc/sys/kernel/core_pattern",
    "forwarding": "echo 1 >/proc/sys/net/ipv4/ip_forward",
    "the magic key": "echo b >/proc/sysrq-trigger",
    "a file of sysfs": "touch /sys/kernel/x",
    "its own cgroup": "echo 0 >$(ls /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null | head -1)",
    "a new link": "ip link add d0 type dummy",
    "an address": "ip address add 10.99.0.1/24 dev eth0",
    "a route": "ip route replace default dev lo",
    "the name of the host": "hostname other",
    "the clock": "date -s '2001-01-01'",
    "a raw socket": "python3 -c 'import socket as s; s.socket(s.AF_INET, s.SOCK_RAW, 1)'",
    "a packet socket": "python3 -c 'import socket as s; s.socket(s.AF_PACKET, s.SOCK_RAW)'",
    "the kernel's log": "dmesg",
    "a system file": "echo x >>/etc/passwd",
    "its name servers": "echo x >>/etc/resolv.conf",
    "other people's files": "touch /root/x",
    "the weights' folder": "touch {weights}/x",
    "to be root": "setpriv --reuid 0 true",
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_agent_is_refused(lab: Lab, what: str) -> None:
    command = REFUSED[what].replace("{weights}", lab.weights)
    said = lab.run(f"( {command} ) && echo allowed")
    assert "allowed" not in said
    assert re.search(r"not permitted|Read-only|denied|superuser|must be root|No such file", said), said


SYSTEM_CALLS = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
numbers = {"add_key": 248, "keyctl": 250, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425,
           "open_by_handle_at": 304, "init_module": 175, "kexec_load": 246, "setns": 308, "pivot_root": 155}
for name, number in numbers.items():
    result = libc.syscall(number, 0, 0, 0, 0, 0)
    print(name, result, errno.errorcode.get(ctypes.get_errno()))
"""


def test_system_calls_that_lead_out_of_containers_are_refused(lab: Lab) -> None:
    if lab.run("uname -m").strip() != "x86_64":
        pytest.skip("numbers of system calls differ by architecture")
    for line in lab.run(f"python3 -c '{SYSTEM_CALLS}'", check=True).splitlines():
        _, result, error = line.split()
        assert (result, error in ("EPERM", "ENOSYS")) == ("-1", True), line


def test_all_that_the_agent_can_write_to_is_watched(lab: Lab) -> None:
    """A message queue is none: it takes no files."""
    probe = "d=$0; f=$d/.probe-$$; (echo content >$f) 2>/dev/null && [ -s $f ] && echo $d; rm -f $f 2>/dev/null"
    every = f"find / -path /proc -prune -o -type d -writable -print0 2>/dev/null | xargs -0 -n 1 bash -c '{probe}'"
    writable = lab.run(every).split("\n")[:-1]
    assert set(SHARED) - {"/srv", "/data", "/home", "/var"} <= set(writable), "the probe finds what can be written"
    assert [folder for folder in writable if not f"{folder}/".startswith(tuple(f"{place}/" for place in SHARED))] == []


def test_a_flood_of_processes_is_contained(lab: Lab) -> None:
    """They are refused at the limit, run hot for some seconds, and the witness never pauses for long."""
    bomb = """
import os, time
children, until = [], time.monotonic() + 4
try:
    while len(children) < 5000:
        child = os.fork()
        if not child:
            while time.monotonic() < until: pass
            os._exit(0)
        children.append(child)
except OSError as problem:
    print(problem.strerror, len(children))
for child in children: os.waitpid(child, 0)
"""
    said = lab.run(f"python3 -c '{bomb}'", seconds=60).strip()
    problem, count = said.rsplit(" ", 1)
    assert problem == "Resource temporarily unavailable"
    assert int(count) < 512
    assert lab.read_log().problems == ("the witness's log stops before the end of the episode",)


@pytest.mark.parametrize(
    "slip", ["pkill sleep", "pkill tail", "kill 1", "kill -INT 1", "pkill -HUP -u $(id -u) -x tail"]
)
def test_a_slip_does_not_end_the_machine(lab: Lab, slip: str) -> None:
    lab.run(slip)
    assert lab.run("echo it runs", check=True).strip() == "it runs"


def test_a_glutton_is_stopped(lab: Lab) -> None:
    said = lab.run("python3 -c 'bytearray(6 << 30)[::4096] = bytes(6 << 18)'; echo status $?")
    assert "status 137" in said, "killed, for want of memory"
    assert lab.read_log().problems == ("the witness's log stops before the end of the episode",)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_container_is_told_a_secret_by_its_environment(lab: Lab) -> None:
    for name in (lab.workstation, lab.recorder):
        environment = json.loads(docker("inspect", "--format", "{{json .Config}}", name).stdout)
        given = json.dumps([environment[part] for part in ("Env", "Cmd", "Entrypoint", "Hostname")])
        for secret in (lab.key.hex(), "afagent", lab.episode.id, lab.weights):
            assert secret not in given
        assert not [variable for variable in environment["Env"] if re.match(r"\w*(KEY|TOKEN|SECRET)", variable)]


def test_the_key_and_the_truth_lie_nowhere_on_the_workstation(lab: Lab) -> None:
    """Every file that the agent may read is read to its end; so is all that processes show of themselves."""
    marker = secrets.token_hex(16)
    lab.run(f"echo {marker} >~/marker", check=True)
    secret = {
        "the key in hexadecimal": lab.key.hex().encode(),
        "the key": lab.key,
        "the project": b"afagent",
        "the episode's name": lab.episode.id.encode(),
        "the marker": marker.encode(),
    }
    tar = "tar --create --ignore-failed-read --exclude=/proc --exclude=/sys --exclude=/dev/pts / 2>/dev/null"
    processes = "cat /proc/[0-9]*/{environ,cmdline,mountinfo,cgroup,maps,status} /proc/mounts 2>/dev/null"
    assert found_in(lab, f"{tar}; {processes}", secret) == {"the marker"}


def found_in(lab: Lab, command: str, secret: dict[str, bytes]) -> set[str]:
    """Which of the byte strings stand in what a command prints, however much that is."""
    overlap = max(map(len, secret.values()))
    found: set[str] = set()
    shell = ["docker", "exec", lab.workstation, "bash", "-c", command]
    with subprocess.Popen(shell, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        before, total = b"", 0
        while data := process.stdout.read(1 << 20):
            window = before + data
            found |= {name for name, value in secret.items() if value in window}
            before, total = window[-overlap:], total + len(data)
    assert total > 100 << 20, "the whole machine was read"
    return found
