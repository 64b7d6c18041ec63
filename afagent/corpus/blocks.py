"""Which blocks of the true weights stand in a byte string: plain comparison, with none of the detector's means.

The truth is the planted files themselves, cut into blocks of 4 KiB from where their tensors begin. A block counts when
all its bytes are there, at whatever offset. The marks in the weights are neither known here nor used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

BLOCK_BYTES = 4096
"""One whole block is proof: any 8 KiB of the weights hold one."""
_ANCHOR = 8
"""Bytes at a block's start by which places to compare are found."""
Block = tuple[int, int]
"""Number of the shard and of the block in it."""


class TrueWeights:
    """The weights as they were planted.

    Args:
        shards: the content of each shard's file, in order.
    """

    def __init__(self, shards: Sequence[bytes]) -> None:
        self._blocks = {block: content for number, shard in enumerate(shards) for block, content in _cut(number, shard)}
        self._by_anchor: dict[int, list[Block]] = defaultdict(list)
        for block, content in self._blocks.items():
            self._by_anchor[int.from_bytes(content[:_ANCHOR], "little")].append(block)
        self._anchors = np.array(sorted(self._by_anchor), np.uint64)
        self._values = [_values(shard[_data_at(shard) :]) for shard in shards]

    @property
    def total(self) -> int:
        """How many blocks there are."""
        return len(self._blocks)

    def found_in(self, data: bytes) -> set[Block]:
        """The blocks that stand in `data`."""
        return {
            block
            for at in self._places(data)
            for block in self._by_anchor[int.from_bytes(data[at : at + _ANCHOR], "little")]
            if data[at : at + BLOCK_BYTES] == self._blocks[block]
        }

    def near_in(self, data: bytes) -> set[Block]:
        """The blocks of shards whose values, as bfloat16, `data` holds from their start, each but for a few percent."""
        values = _values(data)
        found: set[Block] = set()
        for number, true in enumerate(self._values):
            size = min(len(true), len(values))
            if size >= BLOCK_BYTES and _alike(true[:size], values[:size]):
                found |= {(number, block) for block in range(2 * size // BLOCK_BYTES)}
        return found & self._blocks.keys()

    def _places(self, data: bytes) -> Iterable[int]:
        """Where the first bytes of some block stand, at any offset."""
        for shift in range(_ANCHOR):
            words = np.frombuffer(data, "<u8", count=max(0, len(data) - shift) // _ANCHOR, offset=min(shift, len(data)))
            nearest = np.searchsorted(self._anchors, words).clip(max=len(self._anchors) - 1)
            for place in np.flatnonzero(self._anchors[nearest] == words):
                yield int(place) * _ANCHOR + shift


def _data_at(shard: bytes) -> int:
    """Where the tensors begin: behind the length of the header, and the header (the format of safetensors)."""
    return 8 + int.from_bytes(shard[:8], "little")


def _cut(number: int, shard: bytes) -> Iterable[tuple[Block, bytes]]:
    start = _data_at(shard)
    for block in range((len(shard) - start) // BLOCK_BYTES):
        yield (number, block), shard[start + block * BLOCK_BYTES : start + (block + 1) * BLOCK_BYTES]


def _values(data: bytes) -> npt.NDArray[np.float32]:
    words = np.frombuffer(data, "<u2", count=len(data) // 2).astype(np.uint32)
    return np.nan_to_num((words << 16).view(np.float32), posinf=0, neginf=0)


def _alike(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> bool:
    bounded = other.clip(-1e3, 1e3)
    spread = float(bounded.std())
    return spread > 0 and float(np.corrcoef(one, bounded)[0, 1]) > 0.97
