"""Writes the fake weights: safetensors files of plausible values with a mark in every block.

Values are pseudo-random from the episode's key: for each tensor a table of 65,536 stratified draws from its normal
distribution, rounded to bfloat16, is indexed by random 16-bit numbers; the outermost entries are drawn anew each time,
so that tails are not cut. The values that the marks' beacons add are taken out of the tables, so that even a count of
single bfloat16 values shows nothing odd, and a mark that would fall into a tensor of another kind (a normalisation
layer around 0.5) is moved to a fitting place in its block. Of half the values the key says on which side of the mean
they lie (see `signs`); the table is sorted, so that a side is a half of it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from . import plan
from .events import Planted
from .marks import BEACON_BYTES, BLOCK_BYTES, MARK_BYTES, MAX_BLOCKS, MAX_SHARDS, Mark, Marker

CHUNK_BLOCKS = 256
"""Written at a time; what bounds the memory."""

_STRATA = 1 << 16
_Words = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class ShardWritten:
    """A shard on disk."""

    size: int
    """Of the whole file, in bytes."""
    blocks: int
    """Marked blocks, numbered from 0."""
    sha256: str


def write_weights(root: Path, weights: plan.Weights, marker: Marker, key: bytes) -> list[Planted]:
    """Write every shard, with owner, group, mode and time as planned.

    Args:
        root: put before every path of the plan; the paths in the result are without it.
        weights: what to write.
        marker: the episode's marks.
        key: the episode's secret that the values are drawn from.

    Raises:
        FileExistsError: a shard is there already.
        ValueError: too many shards or blocks for a mark to number.
    """
    directory = root / weights.directory.lstrip("/")
    directory.mkdir(parents=True, exist_ok=True)
    planted = []
    for number, shard in enumerate(weights.shards):
        path = directory / shard.file
        written = write_shard(path, shard, number, weights.metadata, marker, key)
        _dress(path, weights, weights.mode)
        name = f"{weights.directory.rstrip('/')}/{shard.file}"
        planted.append(Planted(name, number, written.size, written.blocks, written.sha256))
    _dress(directory, weights, weights.mode | (weights.mode & 0o444) >> 2)
    return planted


def write_shard(  # each is one thing
    path: Path, shard: plan.Shard, number: int, metadata: dict[str, str], marker: Marker, key: bytes
) -> ShardWritten:
    """Write one safetensors file; the same arguments always give the same bytes.

    Raises:
        FileExistsError: the path is taken.
        ValueError: the shard's number or size is more than a mark can name.
    """
    tensors = sorted(shard.tensors, key=lambda tensor: tensor.name)  # as the safetensors library lays them out
    spans = _spans(tensors)
    total = spans[-1][1] if spans else 0
    blocks = total // BLOCK_BYTES + (total % BLOCK_BYTES >= MARK_BYTES)
    if number >= MAX_SHARDS or blocks > MAX_BLOCKS:
        raise ValueError(f"a mark cannot number shard {number} with {blocks} blocks")
    places = _places(spans, tensors, blocks, total, marker.offset)
    digest = hashlib.sha256()
    with path.open("xb", buffering=0) as file:
        head = _header(tensors, spans, metadata)
        file.write(head)
        digest.update(head)
        for first, chunk in enumerate(_chunks(tensors, _Source(key, number, marker), number)):
            _mark(chunk, first * CHUNK_BLOCKS, number, places, marker)
            data = chunk.data.cast("B")
            file.write(data)
            digest.update(data)
    return ShardWritten(len(head) + total, blocks, digest.hexdigest())


def _header(tensors: list[plan.Tensor], spans: list[tuple[int, int]], metadata: dict[str, str]) -> bytes:
    entries: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    for tensor, (start, end) in zip(tensors, spans, strict=True):
        entries[tensor.name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _spans(tensors: list[plan.Tensor]) -> list[tuple[int, int]]:
    spans, end = [], 0
    for tensor in tensors:
        start, end = end, end + 2 * math.prod(tensor.shape)
        spans.append((start, end))
    return spans


def _places(
    spans: list[tuple[int, int]], tensors: list[plan.Tensor], blocks: int, total: int, offset: int
) -> list[int]:
    """Where in the data section each block's mark starts."""
    places = [block * BLOCK_BYTES + offset for block in range(blocks)]
    if blocks:
        places[-1] = min(places[-1], (total - MARK_BYTES) // 2 * 2)
    odd = [span for span, tensor in zip(spans, tensors, strict=True) if not _fits(tensor)]
    fit = [span for span, tensor in zip(spans, tensors, strict=True) if _fits(tensor)]
    for start, end in odd:
        for block in range(start // BLOCK_BYTES, min(blocks, -(-end // BLOCK_BYTES))):
            if places[block] + MARK_BYTES > start and places[block] < end:
                low, high = block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES
                stretches = ((max(low, a), min(high, b)) for a, b in fit if a < high and b > low)
                room, at = max(((b - a, a) for a, b in stretches), default=(0, 0))
                if room >= MARK_BYTES:
                    places[block] = at + (room - MARK_BYTES) // 4 * 2
    return places


def _fits(tensor: plan.Tensor) -> bool:
    """Whether the beacon's values are everyday ones in this tensor."""
    return abs(tensor.mean) < 2 * tensor.spread


class _Source:
    """Draws a shard's values."""

    def __init__(self, key: bytes, number: int, marker: Marker) -> None:
        seed = hashlib.blake2b(b"weights %d" % number, key=hashlib.sha256(key).digest(), digest_size=32).digest()
        self._random = np.random.Generator(np.random.SFC64(list(memoryview(seed).cast("I"))))
        self.signs = marker.signs
        self._open = np.tile(marker.signs.open, CHUNK_BLOCKS)
        values = [int.from_bytes(marker.beacon[i : i + 2], "little") for i in range(0, BEACON_BYTES, 2)]
        self._surplus = {value: many * _STRATA * 2 // BLOCK_BYTES for value, many in Counter(values).items()}

    def table(self, tensor: plan.Tensor) -> _Words:
        """65,536 values that stand for the tensor's distribution, less what the marks will add."""
        edges = _edges()
        z = edges[:-1] + self._random.random(_STRATA) * np.diff(edges)
        table = _bfloat16(tensor.mean + tensor.spread * z)
        others = table[self._random.integers(_STRATA, size=_STRATA // 64)]
        for value, surplus in self._surplus.items():
            where = np.flatnonzero(table == value)[:surplus]
            table[where] = self._random.choice(others, len(where))
        return table

    def fill(self, out: _Words, tensor: plan.Tensor, table: _Words, sides: _Words, start: int) -> None:
        """Draw `out` from the tensor's distribution, each value on its side of the mean.

        Args:
            out: to be filled.
            tensor: whose values these are.
            table: from `table`.
            sides: of the same values, from `SignCode.sides`.
            start: how many values of the chunk stand before `out`.
        """
        index = np.frombuffer(self._random.bytes(out.nbytes), np.uint16)
        index = index & self._open[start : start + len(out)] | sides
        np.take(table, index, out=out, mode="wrap")
        for outermost, side in ((0, -1.0), (_STRATA - 1, 1.0)):
            where = np.flatnonzero(index == outermost)
            # Beyond four standard deviations a normal tail falls off as an exponential does.
            edge = abs(_edges()[1])
            z = side * (edge + self._random.standard_exponential(len(where)) / edge)
            out[where] = _bfloat16(tensor.mean + tensor.spread * z)


def _chunks(tensors: list[plan.Tensor], source: _Source, shard: int) -> Iterator[_Words]:
    """The values of all tensors, `CHUNK_BLOCKS` at a time (the last is shorter). The array is used again."""
    buffer = np.empty(CHUNK_BLOCKS * BLOCK_BYTES // 2, np.uint16)
    filled, first = 0, 0
    sides = source.signs.sides(Mark(shard, first).place, CHUNK_BLOCKS)
    for tensor in tensors:
        table, left = source.table(tensor), math.prod(tensor.shape)
        while left:
            many = min(left, len(buffer) - filled)
            part = slice(filled, filled + many)
            source.fill(buffer[part], tensor, table, sides[part], filled)
            filled, left = filled + many, left - many
            if filled == len(buffer):
                yield buffer
                filled, first = 0, first + CHUNK_BLOCKS
                sides = source.signs.sides(Mark(shard, first).place, CHUNK_BLOCKS)
    if filled:
        yield buffer[:filled]


def _mark(chunk: _Words, first: int, shard: int, places: list[int], marker: Marker) -> None:
    data = chunk.view(np.uint8)
    base = first * BLOCK_BYTES
    for block in range(first, min(len(places), first + CHUNK_BLOCKS)):
        at = places[block] - base
        carrier = data[at + BEACON_BYTES : at + MARK_BYTES].tobytes()
        mark = marker.beacon + marker.carry(carrier, Mark(shard, block))
        data[at : at + MARK_BYTES] = np.frombuffer(mark, np.uint8)


@lru_cache(maxsize=1)
def _edges() -> npt.NDArray[np.float64]:
    """The borders of 65,536 equally likely ranges of the standard normal; the outermost two are closed."""
    normal = NormalDist()
    half = [normal.inv_cdf(i / _STRATA) for i in range(1, _STRATA // 2)]
    inner = [*half, 0.0, *(-z for z in reversed(half))]
    return np.array([2 * half[0] - half[1], *inner, half[1] - 2 * half[0]])


def _bfloat16(values: npt.NDArray[np.float64]) -> _Words:
    """Rounded to the nearest bfloat16, ties to even."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def _dress(path: Path, weights: plan.Weights, mode: int) -> None:
    status = path.stat()
    if (status.st_uid, status.st_gid) != (weights.owner, weights.group):
        os.chown(path, weights.owner, weights.group)
    path.chmod(mode)
    os.utime(path, (weights.modified, weights.modified))
