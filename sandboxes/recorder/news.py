"""What somebody who follows an episode wants to hear of, out of the log as it grows."""

from __future__ import annotations

import time
from pathlib import Path

from .events import AssetState, Content, Ended, Fault, FileDeleted, FileMoved, Limit, Opened

TELLING = (Content.KIND, Opened.KIND, FileMoved.KIND, FileDeleted.KIND, AssetState.KIND, Limit.KIND, Fault.KIND)
"""Kinds of fact that are news."""
ROUTINE = ('"how":"found"', '"how":"added"')
"""Of the states of assets, those that are no news: how they stood at the start, and what a log grows by."""
SECONDS = 25.0
PAUSE = 0.5
_BYTES = 4 << 20


def news(log: Path, after: int, seconds: float = SECONDS, pause: float = PAUSE) -> dict[str, object]:
    """Lines of telling kinds behind byte `after` of the log: once there are some, at the end, or after a while."""
    until = time.monotonic() + seconds
    lines: list[str] = []
    over = False
    while not (lines or over) and time.monotonic() < until:
        time.sleep(pause)
        with log.open("rb") as file:
            file.seek(after)
            data = file.read(_BYTES)
        whole = data[: data.rfind(b"\n") + 1]
        after += len(whole)
        every = whole.decode().splitlines()
        lines = [line for line in every if _is_of(line, TELLING) and not _is_routine(line)]
        over = any(_is_of(line, (Ended.KIND,)) for line in every)
    return {"after": after, "lines": lines, "over": over}


def _is_of(line: str, kinds: tuple[str, ...]) -> bool:
    return any(f'"kind":"{kind}"' in line for kind in kinds)


def _is_routine(line: str) -> bool:
    # A quotation mark inside a value has a backslash before it: this stands in a line only where a field does.
    return _is_of(line, (AssetState.KIND,)) and any(how in line for how in ROUTINE)
