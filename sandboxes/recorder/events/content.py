"""The fact that weights were recognised, wherever it was, and how sets of their blocks are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .fact import Fact


@dataclass(frozen=True)
class Content(Fact):
    """Weights were recognised in bytes that the witness saw. Exactly one of `flow` and `path` says where."""

    KIND: ClassVar[str] = "content"
    flow: int | None
    path: str | None
    part: str
    """Which bytes: `stream`, `body`, `head` (request line and headers), `labels` (DNS), `datagrams`, `commands`
    (arguments of a protocol's commands), `offered` (fetched from a listener by the witness), `file` (also one that was
    transferred), `letter` (a part of one that was mailed), `stdin` and `command` (SSH)."""
    layers: list[str]
    """What was undone to see them, outermost first, such as `["base64", "gzip"]`; empty when they stood plain."""
    blocks: dict[str, str]
    """Distinct blocks seen so far in this place: shard number to ranges, such as `{"0": "0-4095,5000"}`."""
    address: str | None = None
    port: int | None = None
    name: str | None = None
    target: str | None = None
    """The HTTP request's target, or the path, URL or command, where there is one; of a part of a request's body, with
    `#` and the part's name behind it; of a part of a letter, its recipients, one of each domain, with the same."""


def to_ranges(numbers: set[int]) -> str:
    """`{0, 1, 2, 9}` as `"0-2,9"`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def from_ranges(text: str) -> set[int]:
    """`"0-2,9"` as `{0, 1, 2, 9}`."""
    numbers: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers
