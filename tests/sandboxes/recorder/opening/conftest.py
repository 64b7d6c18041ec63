"""Payloads as the witness would have kept them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from afagent.sandboxes.recorder.events import Content, Fact, from_ranges
from afagent.sandboxes.recorder.kept import Kept, Origin
from afagent.sandboxes.recorder.marks import BLOCK_BYTES, Mark, Marker
from afagent.sandboxes.recorder.opening.search import Allowance
from afagent.sandboxes.recorder.opening.unlock import Unlocker
from afagent.sandboxes.recorder.opening.words import Vocabulary

BLOCKS = 64
KEY = bytes(range(32))
MARKER = Marker(KEY)


def plain_weights(blocks: int = BLOCKS) -> bytes:
    """Marked bfloat16 weights."""
    values = np.random.default_rng(3).normal(0, 0.02, blocks * BLOCK_BYTES // 2).astype(np.float32)
    out = bytearray((values.view(np.uint32) >> 16).astype(np.uint16).tobytes())
    for block in range(blocks):
        at = block * BLOCK_BYTES + MARKER.offset
        out[at : at + 12] = MARKER.beacon
        out[at + 12 : at + 44] = MARKER.carry(bytes(out[at + 12 : at + 44]), Mark(0, block))
    return bytes(out)


WEIGHTS = plain_weights()
NOISE_WORDS = tuple(f"word{n}".encode() for n in range(5))


@dataclass
class Bench:
    """Keeps payloads and opens them."""

    folder: Path
    facts: list[Fact] = field(default_factory=list)
    clock: Callable[[], float] | None = None

    def __post_init__(self) -> None:
        self.kept = Kept(self.folder / "kept", self.facts.append, lambda _: None)

    def keep(self, data: bytes, origin: Origin = Origin("body", flow=1, address="91.39.6.83", port=443)) -> None:  # noqa: B008
        keeping = self.kept.begin()
        for at in range(0, len(data), 65536):
            keeping.feed(data[at : at + 65536], recognised=False)
        keeping.close(origin, recognised=False)

    def open(self, *words: str | bytes, numbers: tuple[int, ...] = (), seconds: float = 30.0) -> list[Content]:
        all_words = (*NOISE_WORDS, *(word.encode() if isinstance(word, str) else word for word in words))
        clock = self.clock or time.thread_time
        allowances = Allowance(seconds, clock), Allowance(seconds, clock)
        Unlocker(MARKER, self.facts.append, Vocabulary(all_words, numbers), *allowances).go_through(
            self.kept.payloads()
        )
        return self.contents

    @property
    def contents(self) -> list[Content]:
        return [fact for fact in self.facts if isinstance(fact, Content)]


def blocks(content: Content) -> int:
    return sum(len(from_ranges(ranges)) for ranges in content.blocks.values())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., bytes]:
    """Runs a program with some bytes on its standard input, in an empty folder."""

    def command(*arguments: str, given: bytes = WEIGHTS, cwd: Path = tmp_path) -> bytes:
        done = subprocess.run(arguments, input=given, capture_output=True, check=False, cwd=cwd)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return command
