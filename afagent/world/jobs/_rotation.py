"""How an audit log is rotated in one lab: where it is cut, what the pieces are called, what the index says of them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Literal

from afagent.world.jobs._drawing import sha256
from afagent.world.moments import stamp, unstamp

Cut = Literal["whole", "day", "week", "severity"]
MOST_BYTES = 60_000
"""Of a log: what is longer the witness does not keep whole."""
SEVERE = ("warn", "high")


@dataclass(frozen=True)
class Scheme:
    """The rules of one lab."""

    cut: Cut
    folder: str
    """Where the pieces go."""
    name: str
    """Of a piece: a pattern with `PART`."""
    packed: bool
    columns: tuple[str, ...]
    """Of the index, beside the file's name."""
    index: str

    def parts(self, lines: Sequence[str]) -> dict[str, list[str]]:
        """The lines of each piece, by the piece's part of the name."""
        parts: dict[str, list[str]] = {}
        for line in lines:
            parts.setdefault(self._part(line, lines[0]), []).append(line)
        return parts

    def path(self, part: str) -> str:
        """Where a piece goes."""
        return f"{self.folder}/{self.name.replace('PART', part)}{'.gz' if self.packed else ''}"

    def later(self, now: datetime) -> list[str]:
        """Where a piece goes that is begun only after `now`, as when midnight passes."""
        if self.cut not in ("day", "week"):
            return []
        return list(map(self.path, self.parts([stamp(now + timedelta(days=1 if self.cut == "day" else 7))])))

    def bytes_of(self, lines: Iterable[str]) -> bytes:
        """A piece as it lies on disk."""
        content = joined(lines).encode()
        return gzip.compress(content, mtime=0) if self.packed else content

    def index_of(self, pieces: Mapping[str, str]) -> str:
        """The index of pieces, whose texts are given by path."""
        rows = [row(path, text, self.columns) for path, text in pieces.items()]
        if self.index.endswith(".jsonl"):
            return "".join(f"{json.dumps(row)}\n" for row in rows)
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([("file", *self.columns), *(row.values() for row in rows)])
        return out.getvalue()

    def _part(self, line: str, first: str) -> str:
        match self.cut:
            case "whole":
                return first[:10]
            case "day":
                return line[:10]
            case "week":
                year, week, _ = date.fromisoformat(line[:10]).isocalendar()
                return f"{year}-W{week:02d}"
            case "severity":
                return f"{first[:10]}-{'long' if line.split()[1] in SEVERE else 'short'}"


def draw_scheme(log: str, folders: Sequence[str], rng: Random) -> Scheme:
    """The rules for a log, with one of the folders for what is cut off."""
    stem, folder = log.rsplit("/", 1)[-1].removesuffix(".log"), rng.choice(folders)
    groups = rng.sample((("first", "last"), ("severe",), ("sha256",), ("bytes",)), 2)
    columns = ["lines", *(column for group in groups for column in group)]
    if rng.random() < 0.5:
        columns = columns[1:] + columns[:1]
    return Scheme(
        cut=rng.choice(("whole", "day", "week", "severity")),
        folder=folder,
        name=rng.choice((f"{stem}-PART.log", f"{stem}.log.PART", f"PART.{stem}.log", f"{stem}_PART.txt")),
        packed=rng.random() < 0.5,
        columns=tuple(columns),
        index=f"{folder}/{rng.choice(('INDEX', 'index', 'contents'))}.{rng.choice(('csv', 'jsonl'))}",
    )


def row(path: str, text: str, columns: Iterable[str]) -> dict[str, str | int]:
    """What the index says of a piece. Never raises, whatever the text."""
    lines = text.splitlines() or [""]
    words = [line[:200].split(" ", 2)[1:2] for line in lines]
    facts: dict[str, str | int] = {
        "first": lines[0][:20],
        "last": lines[-1][:20],
        "lines": len(lines),
        "severe": sum(word[0] in SEVERE for word in words if word),
        "bytes": len(text.encode(errors="replace")),
        "sha256": sha256(text.encode(errors="replace")),
    }
    return {"file": path.rsplit("/", 1)[-1], **{column: facts[column] for column in columns}}


def longer(own: str, scheme: Scheme, rng: Random) -> tuple[list[str], list[str], datetime]:
    """Lines of a log that goes further back than `own`: those rotated already, those in it still, and when that was.

    The last rotation was at the end of a day, with weeks on a Sunday, so that no piece is begun twice.
    """
    lines = own.splitlines()
    first, last = (unstamp(line[:20]) for line in (lines[0], lines[-1]))
    period, weekly = (last - first).days + 1, scheme.cut == "week"
    since = last - timedelta(days=period + rng.randrange(8, 11) if weekly else period + rng.randrange(1, 4))
    since = since.replace(hour=0, minute=0, second=0)
    if weekly:
        since -= timedelta(days=since.weekday())
    copies = -(-((last - since).days + 8) // period)
    share = min(0.6, (MOST_BYTES - len(own)) / (copies * len(own)))
    shifts = [timedelta(days=period * back) for back in range(copies, 0, -1)]
    older = [_earlier(line, shift, rng) for shift in shifts for line in lines if rng.random() < share]
    begun = stamp(since - timedelta(days=7 if weekly else rng.randrange(3, 7)))
    rotated = [line for line in older if begun <= line[:20] < stamp(since)]
    return rotated, [line for line in (*older, *lines) if line[:20] >= stamp(since)], since


def joined(lines: Iterable[str]) -> str:
    """Lines as a text."""
    return "".join(f"{line}\n" for line in lines)


def _earlier(line: str, shift: timedelta, rng: Random) -> str:
    again = re.sub(r"pid=\d+", f"pid={rng.randrange(200, 4000)}", line[20:])
    return stamp(unstamp(line[:20]) - shift) + again
