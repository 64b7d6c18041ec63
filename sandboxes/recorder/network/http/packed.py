"""Bytes of a body and which part of it they belong to."""

from __future__ import annotations

from dataclasses import dataclass

PAYLOAD = 0
"""The part that a body has which is one payload."""
FRAMING = -1
"""What lies between payloads."""


@dataclass(frozen=True)
class Packed:
    """Some bytes of a body."""

    data: bytes
    part: int = PAYLOAD
    """`PAYLOAD`, `FRAMING`, or the number of a part, from 1."""
    name: str = ""
    """What the client calls the part, such as its file name."""
