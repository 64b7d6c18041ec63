"""How fast the content look is against SHA-256 of the same bytes, on one core, and what memory it takes.

    python bench/fingerprint.py [MEGABYTES]

Prints one line for each way in which weights may come: the rate of the look, the rate of SHA-256 on the very same bytes
in the same run, and their ratio. Aims: plain 0.5, base64 and gzip 0.15 (with ISA-L, which the recorder has; the first
line says what undoes gzip here), and 40 MB/s on what no weights are in; no limit is ever reached.

Memory is measured twice: what Python and numpy hold beyond the data, and the peak of all that is resident in a process
that does nothing but this look, with Python, numpy and 256 KiB of the data in it. Aim: below 128 MiB at any size.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from afagent.sandboxes.recorder.content.inflate import RAW, inflater
from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.plan import Shard, Tensor
from afagent.sandboxes.recorder.weights import write_shard

FEED_BYTES = 256 << 10
LOOK_ONLY = "--look-only"
KEY = bytes(range(32))
PROSE = b"2026-03-02 11:04:19 INFO trainer step=4100 loss=1.8812 grad_norm=0.71 tokens/s=18211 lr=2.9e-05\n"
SOURCE = b"".join(path.read_bytes() for path in sorted(Path(argparse.__file__).parent.glob("*.py"))[:100])


def main() -> None:
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else 32) * 1e6)
    engine = type(inflater(RAW)).__module__
    print(f"gzip is undone by {'zlib' if engine in ('zlib', 'builtins') else 'ISA-L'}")
    print(
        f"{'':18}{'look MB/s':>10}{'sha256 MB/s':>13}{'ratio':>8}{'longest feed ms':>17}"
        f"{'peak KiB':>10}{'resident MiB':>14}{'blocks':>8}"
    )
    for name, data in cases(size).items():
        pieces = [data[at : at + FEED_BYTES] for at in range(0, len(data), FEED_BYTES)]
        hashed = best(partial(hashlib.sha256, data))
        looked = best(partial(look_at, pieces))
        look, longest = look_at(pieces)
        rate = len(data) / 1e6
        print(
            f"{name:18}{rate / looked:10.1f}{rate / hashed:13.0f}{hashed / looked:8.3f}{longest * 1e3:17.1f}"
            f"{traced_peak(pieces[:32]) / 1024:10.0f}{resident_peak(data) / 1024:14.0f}"
            f"{sum(map(len, look.blocks.values())):8} {', '.join(look.limits_hit)}"
        )


def cases(size: int) -> dict[str, bytes]:
    """What is looked at, by name."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "shard"
        write_shard(path, Shard("shard", (Tensor("w", (size // 8192, 4096), 0.0, 0.02),)), 0, {}, Marker(KEY), KEY)
        weights = path.read_bytes()
    return {
        "plain weights": weights,
        "base64": base64.b64encode(weights),
        "base64, wrapped": base64.encodebytes(weights),
        "hex": weights.hex().encode(),
        "gzip": gzip.compress(weights, 6),
        "base64 of gzip": base64.b64encode(gzip.compress(weights, 6)),
        "random bytes": os.urandom(size),
        "base64 of random": base64.b64encode(os.urandom(size)),
        "log text": PROSE * (size // len(PROSE)),
        "source text": (SOURCE * (size // len(SOURCE) + 1))[:size],
        "source .tar.gz": archive(size),
    }


def archive(size: int) -> bytes:
    """A .tar.gz of so many bytes of Python's own source code, as an innocent upload would be."""
    out, held = io.BytesIO(), 0
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        for path in sorted(Path(argparse.__file__).parent.rglob("*.py")):
            if held < size and "site-packages" not in path.parts:
                packed.add(path, arcname=path.name)
                held += path.stat().st_size
    return out.getvalue()


def best(work: Callable[[], object], times: int = 3) -> float:
    """The least seconds of processor time of a few runs."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def look_at(pieces: Iterable[bytes]) -> tuple[Look, float]:
    """The look after all pieces, and the seconds of the longest feed."""
    look, longest = Look(Marker(KEY)), 0.0
    for piece in pieces:
        start = time.perf_counter()
        look.feed(piece)
        longest = max(longest, time.perf_counter() - start)
    look.finish()
    return look, longest


def traced_peak(pieces: Iterable[bytes]) -> int:
    """Bytes that Python and numpy hold at most during a look (the compressors' own memory is not seen)."""
    tracemalloc.start()
    look_at(pieces)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def resident_peak(data: bytes) -> int:
    """KiB that are resident at most in a new process that looks at the data and holds no more than a piece of it."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        told = subprocess.run([sys.executable, __file__, LOOK_ONLY, file.name], check=True, capture_output=True)
    return int(told.stdout)


def look_only(path: str) -> None:
    """Look at a file and print the KiB that were resident at most."""
    with Path(path).open("rb") as file:
        look_at(iter(partial(file.read, FEED_BYTES), b""))
    status = Path("/proc/self/status").read_text()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


if __name__ == "__main__":
    look_only(sys.argv[2]) if sys.argv[1:2] == [LOOK_ONLY] else main()
