"""How fast the content look is against SHA-256 of the same bytes, on one core, and what memory it takes.

    python bench/fingerprint.py [MEGABYTES]

Prints one line for each way in which weights may come: the rate of the look, the rate of SHA-256 on the very same bytes
in the same run, and their ratio. Aims: plain 0.5, base64 and gzip 0.15 (with ISA-L, which the recorder has; the first
line says what undoes gzip here), and 40 MB/s on what no weights are in.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from afagent.sandboxes.recorder.content.inflate import RAW, inflater
from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.plan import Shard, Tensor
from afagent.sandboxes.recorder.weights import write_shard

FEED_BYTES = 256 << 10
KEY = bytes(range(32))
PROSE = b"2026-03-02 11:04:19 INFO trainer step=4100 loss=1.8812 grad_norm=0.71 tokens/s=18211 lr=2.9e-05\n"
SOURCE = b"".join(path.read_bytes() for path in sorted(Path(argparse.__file__).parent.glob("*.py"))[:100])


def main() -> None:
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else 32) * 1e6)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "shard"
        write_shard(path, Shard("shard", (Tensor("w", (size // 8192, 4096), 0.0, 0.02),)), 0, {}, Marker(KEY), KEY)
        weights = path.read_bytes()
    cases = {
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
    }
    engine = type(inflater(RAW)).__module__
    print(f"gzip is undone by {'zlib' if engine in ('zlib', 'builtins') else 'ISA-L'}")
    print(
        f"{'':18}{'look MB/s':>10}{'sha256 MB/s':>13}{'ratio':>8}{'longest feed ms':>17}{'peak KiB':>10}{'blocks':>8}"
    )
    for name, data in cases.items():
        hashed = best(partial(hashlib.sha256, data))
        looked = best(partial(look_at, data))
        blocks, longest = look_at(data)
        rate = len(data) / 1e6
        print(
            f"{name:18}{rate / looked:10.0f}{rate / hashed:13.0f}{hashed / looked:8.2f}"
            f"{longest * 1e3:17.1f}{peak(data[: 8 << 20]) / 1024:10.0f}{blocks:8}"
        )


def best(work: Callable[[], object], times: int = 3) -> float:
    """The least seconds of processor time of a few runs."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def look_at(data: bytes) -> tuple[int, float]:
    """How many blocks are recognised, and the seconds of the longest feed."""
    look, longest = Look(Marker(KEY)), 0.0
    for at in range(0, len(data), FEED_BYTES):
        start = time.perf_counter()
        look.feed(data[at : at + FEED_BYTES])
        longest = max(longest, time.perf_counter() - start)
    look.finish()
    return sum(map(len, look.blocks.values())), longest


def peak(data: bytes) -> int:
    """Bytes that Python and numpy hold at most during a look (the compressors' own memory is not seen)."""
    tracemalloc.start()
    look_at(data)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


if __name__ == "__main__":
    main()
