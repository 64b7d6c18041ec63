"""The look on the recorder's own Python and libraries, with the decoders that the host may lack."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from afagent.sandboxes import recorder

pytestmark = pytest.mark.docker

SCRIPT = """
import subprocess, sys
from pathlib import Path
from recorder.content.look import Look
from recorder.marks import Marker
from recorder.plan import Shard, Tensor
from recorder.weights import write_shard

marker = Marker(bytes(32))
write_shard(Path("/tmp/s"), Shard("s", (Tensor("w", (512, 1024), 0.0, 0.02),)), 0, {}, marker, bytes(32))
piece = Path("/tmp/s").read_bytes()[100_001:800_002]
want = {mark.block for mark in marker.find(piece)}

def look_at(data):
    look = Look(marker)
    for at in range(0, len(data), 50_000):
        look.feed(data[at : at + 50_000])
    look.finish()
    return look

def zstd(data):
    import zstandard
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(data)

def zstd_streamed(data):
    import zstandard
    engine = zstandard.ZstdCompressor(level=1).compressobj()
    return engine.compress(data) + engine.flush()

def lz4(data):
    import lz4.frame
    return lz4.frame.compress(data)

for make in (zstd, zstd_streamed, lz4):
    packed = make(piece)
    two = make(piece[:300_000]) + make(piece[300_000:])
    for data in (packed, b"text before " * 9 + packed + b"\\n and after" * 9, two):
        look = look_at(data)
        assert look.blocks == {0: want}, (make, len(want), look.blocks, look.limits_hit)
        assert look.layers in {("zstd",), ("lz4",), ()}, look.layers  # lz4 stores weights as they are
        assert look.limits_hit == [], look.limits_hit
    half = look_at(packed[: len(packed) // 2]).blocks[0]
    assert half <= want and len(half) > 0.3 * len(want), (make, len(half))
    bomb = make(make(bytes(300 << 20)))
    look = look_at(bomb)
    assert any("more bytes" in what for what in look.limits_hit), look.limits_hit
import resource
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 700_000, resource.getrusage(resource.RUSAGE_SELF)
print("seen")
"""


def test_zstd_and_lz4_are_seen_through_with_the_recorders_own_libraries(tmp_path):
    package = tmp_path / "recorder"
    shutil.copytree(Path(recorder.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    made = subprocess.run(
        ["docker", "create", "-i", "--network=none", "-w", "/opt/under-test", "afagent-recorder", "python3", "-"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    container = made.stdout.strip()
    try:
        subprocess.run(["docker", "cp", str(package), f"{container}:/opt/under-test/"], check=True, capture_output=True)
        ran = subprocess.run(
            ["docker", "start", "-ai", container], input=SCRIPT, capture_output=True, text=True, check=False
        )
    finally:
        subprocess.run(["docker", "rm", "-f", container], check=True, capture_output=True)
    assert (ran.returncode, ran.stdout.strip()) == (0, "seen"), ran.stderr
