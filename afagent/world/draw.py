"""Random draws that a seed fixes: one stream for each component, so that a change in one moves no other."""

from __future__ import annotations

import hashlib
import random

WORLD_VERSION = "1"
"""Part of every stream; raised when the generator changes what a seed stands for."""


def stream(seed: int, component: str) -> random.Random:
    """The random stream of one component of one scenario."""
    digest = hashlib.sha256(f"{WORLD_VERSION}/{seed}/{component}".encode()).digest()
    return random.Random(digest)
