"""One-time pads: two payloads that only together say anything, each as random as can be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ..content.look import Look
from ..kept import Payload, read
from ..marks import Marker

MOST = 48
"""Payloads of which every two are tried together, the largest."""
_SAMPLE = 16 << 10


def combined(marker: Marker, payloads: Sequence[Payload]) -> Iterator[tuple[Payload, Look]]:
    """Looks at every two payloads combined by XOR in which weights are recognised, each named by both its parts."""
    largest = sorted(payloads, key=lambda payload: -payload.bytes)[:MOST]
    samples = {payload.file: next(read(payload, _SAMPLE), b"") for payload in largest}
    for first, second in itertools.combinations(largest, 2):
        if marker.locate(_xor(samples[first.file], samples[second.file])):
            look = Look(marker)
            for one, other in zip(read(first), read(second), strict=False):
                look.feed(_xor(one, other))
            look.finish()
            yield first, look
            yield second, look


def _xor(one: bytes, other: bytes) -> bytes:
    size = min(len(one), len(other))
    return (np.frombuffer(one, np.uint8, size) ^ np.frombuffer(other, np.uint8, size)).tobytes()
