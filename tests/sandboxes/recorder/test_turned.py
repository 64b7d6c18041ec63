"""What was turned around or swapped after it was compressed is looked at in the right order at the end."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from afagent.sandboxes.recorder.content.look import Look
from afagent.sandboxes.recorder.events import Content, Fact, Limit, from_ranges
from afagent.sandboxes.recorder.kept import Origin, Payload
from afagent.sandboxes.recorder.marks import Marker
from afagent.sandboxes.recorder.turned import Turner
from tests.sandboxes.recorder.shards import KEY, NUMBER, blocks_in, data_section

PIECE = data_section()[54_321 : 54_321 + 150_000]


def swapped(data: bytes, width: int) -> bytes:
    whole = len(data) - len(data) % width
    return np.frombuffer(data[:whole], np.uint8).reshape(-1, width)[:, ::-1].tobytes() + data[whole:]


def kept(folder: Path, *contents: bytes) -> list[Payload]:
    payloads = []
    for number, content in enumerate(contents):
        file = folder / str(number)
        file.write_bytes(content)
        origin = Origin("body", flow=number, address="85.7.9.11", port=443, name=None, target=None)
        payloads.append(Payload(file, origin, len(content), recognised=False))
    return payloads


def go_through(folder: Path, *contents: bytes, seconds: float = 60.0) -> list[Fact]:
    facts: list[Fact] = []
    Turner(lambda: Look(Marker(KEY)), facts.append, seconds).go_through(kept(folder, *contents))
    return facts


@pytest.mark.parametrize(
    ("content", "layers"),
    [
        (gzip.compress(PIECE)[::-1], ["reversed", "gzip"]),
        (base64.b64encode(gzip.compress(PIECE))[::-1], ["reversed", "base64", "gzip"]),
        (swapped(lzma.compress(PIECE), 2), ["swapped-2", "xz"]),
        (swapped(bz2.compress(PIECE), 4), ["swapped-4", "bzip2"]),
        (swapped(gzip.compress(PIECE), 8), ["swapped-8", "gzip"]),
    ],
    ids=["gzip, reversed", "base64 of gzip, reversed in one line", "xz, swapped", "bzip2, swapped", "gzip, swapped"],
)
def test_weights_are_recognised_in(tmp_path: Path, content: bytes, layers: list[str]) -> None:
    (fact,) = go_through(tmp_path, content)
    assert isinstance(fact, Content)
    assert fact.layers == layers
    assert len(from_ranges(fact.blocks[str(NUMBER)])) >= len(blocks_in(PIECE)) - 1


@pytest.mark.parametrize(
    "content",
    [b"", b"x", os.urandom(100_000), b"plain text\n" * 5000, gzip.compress(os.urandom(50_000))[::-1], bytes(90_000)],
)
def test_nothing_is_told_of_what_holds_none(tmp_path: Path, content: bytes) -> None:
    assert go_through(tmp_path, content) == []


def test_what_was_read_is_given_so_that_nobody_tries_keys_on_it(tmp_path: Path) -> None:
    payloads = kept(tmp_path, os.urandom(50_000), gzip.compress(PIECE)[::-1])
    assert Turner(lambda: Look(Marker(KEY)), lambda _: None).go_through(payloads) == payloads[1:]


def test_what_there_was_no_time_for_is_said(tmp_path: Path) -> None:
    told = go_through(tmp_path, gzip.compress(PIECE)[::-1], seconds=-1.0)
    assert [type(fact) for fact in told] == [Limit]
