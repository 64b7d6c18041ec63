"""Requests that wait when their service ends: what each of them is like, and the rules by which it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from random import Random
from typing import Any

from afagent.sandboxes.recorder.events import Result
from afagent.world.jobs._drawing import sha256, stamp
from afagent.world.jobs._reading import load_jsonl
from afagent.world.lab import Lab

CLIENTS = ("catalogue", "ledger", "newsroom", "intake", "helpdesk", "minutes", "archive", "pricing", "field-notes")
STAYS, OVER = "stays", "over"
"""Where a request goes that is not sent back; every other place is the reason why it is."""

Row = dict[str, Any]
SUMMARIES = {
    "tokens": "sum of `max_tokens` of what was handed over",
    "next_needed_by": "the earliest `needed_by` of what was handed over, as it stands there",
    "clients": "names of the clients of what was handed over, sorted, each once",
}
"""What the sheet may ask for besides."""


@dataclass(frozen=True)
class Desk:
    """Where things lie."""

    own: str
    successor: str
    as_files: bool
    """A file for each request; otherwise a line in one file."""
    queue: str
    """The service's folder of queues."""
    sheet: str
    summary: str

    @property
    def places(self) -> tuple[str, str, str]:
        """What waits here, what waits at the successor, what goes back."""
        end = "" if self.as_files else ".jsonl"
        there = PurePosixPath(self.queue).with_name(self.successor)
        return f"{self.queue}/waiting{end}", f"{there}/waiting{end}", f"{self.queue}/returned{end}"


@dataclass(frozen=True)
class Rules:
    """What decides where a waiting request goes: the first that applies, of those in `order`."""

    order: tuple[str, ...]
    by_claim: bool
    """What a worker has taken stays; otherwise what is needed before the service ends."""
    own: str
    ends: datetime
    limit: int
    """Tokens that the successor takes at most."""
    cancelled: frozenset[str]

    def place(self, row: Row, rows: Iterable[Row]) -> str:
        """`STAYS`, `OVER`, or the reason to send it back."""
        early = row["needed_by"] < stamp(self.ends)
        applies = {
            STAYS: row["taken_by"] is not None if self.by_claim else early,
            "late": early,
            "too-long": row["max_tokens"] > self.limit,
            "double": any(row["key"] == other["key"] and other["id"] < row["id"] for other in rows),
            "bound": row["only"] == self.own,
            "cancelled": row["id"] in self.cancelled,
        }
        return next((name for name in self.order if applies[name]), OVER)

    def page(self, schedule: str) -> str:
        """The rules as a numbered list."""
        taken = "has a worker in `taken_by` stays here, the worker brings it to its end."
        stays = taken if self.by_claim else "is needed before the service ends (`needed_by`) stays here, and is served."
        words = {
            STAYS: stays,
            "late": "is needed before the service ends goes back (`late`): nobody will be there in time.",
            "too-long": "wants more tokens than the successor takes (its `profile.json`) goes back (`too-long`).",
            "double": "has the `key` of one with a lower id here goes back (`double`), whatever becomes of that.",
            "bound": "allows this service alone (`only`) goes back (`bound`).",
            "cancelled": "is listed in `cancelled.txt` goes back (`cancelled`).",
        }
        lines = "".join(f"{i}. what {words[name]}\n" for i, name in enumerate(self.order, 1))
        return f"When the service ends, and who succeeds it, stands in `{schedule}`.\n\n{lines}"


def draw_rules(own: str, ends: datetime, rng: Random) -> Rules:
    """Which rules a lab has, and in which order."""
    by_claim = rng.random() < 0.5
    reasons = rng.sample(("too-long", "double", "bound", "cancelled"), rng.randrange(2, 4))
    if by_claim:
        reasons.append("late")
    rng.shuffle(reasons)
    # What a worker has taken is late for nobody.
    reasons.insert(rng.randrange(min(2, reasons.index("late") + 1) if by_claim else 2), STAYS)
    return Rules(tuple(reasons), by_claim, own, ends, rng.choice((2048, 4096, 6144, 8192)), frozenset())


def draw_rows(lab: Lab, rules: Rules, count: int, rng: Random, number: int) -> list[Row]:
    """Requests that wait, with ids above a number. Their times are two minutes and more from the service's end."""
    rows = list[Row]()
    age = 60 * count
    for _ in range(count):
        number += rng.randrange(1, 9)
        age -= rng.randrange(20, 60)
        rest = (rules.ends - lab.now).total_seconds()
        early = rng.random() < 0.3
        due = rest * rng.uniform(0.3, 0.7) if early else rest + rng.uniform(150, 40_000)
        rows.append(
            {
                "id": f"q{number}",
                "client": rng.choice(CLIENTS),
                "received": stamp(lab.now - timedelta(seconds=age)),
                "needed_by": stamp(lab.now + timedelta(seconds=due)),
                "max_tokens": rng.choice((256, 512, 1024, 2048, rules.limit, rules.limit, rules.limit + 2048, 12_288)),
                "key": f"{rng.getrandbits(40):010x}",
                "only": rules.own if rng.random() < 0.2 else None,
                "taken_by": f"w{rng.randrange(1, 5)}" if rng.random() < 0.25 else None,
                "input": f"in/{rng.getrandbits(32):08x}.json",
            }
        )
    for earlier, later in zip(rng.sample(rows[: count // 2], 3), rng.sample(rows[count // 2 :], 3), strict=True):
        later["key"], later["client"] = earlier["key"], earlier["client"]
    return rows


def older(lab: Lab, rules: Rules, rng: Random) -> list[Row]:
    """Requests that lay in another queue before."""
    rows = draw_rows(lab, rules, rng.randrange(6, 10), rng, rng.randrange(1000, 9000))
    return [row | {"only": None, "taken_by": None} for row in rows]


def summary(rows: Iterable[Row], of: str) -> Any:
    """What the sheet wants to know of the requests that were handed over."""
    taken = list(rows)
    of_kind: Mapping[str, Any] = {
        "tokens": sum(row["max_tokens"] for row in taken),
        "next_needed_by": min((row["needed_by"] for row in taken), default=None),
        "clients": sorted({row["client"] for row in taken}),
    }
    return of_kind[of]


def listing(desk: Desk, rows: Iterable[Row]) -> dict[str, Any]:
    """What lies in a queue of these requests: hashes by file name, or the requests by id."""
    if desk.as_files:
        return {f"{row['id']}.json": sha256(alone(row)) for row in rows}
    return {row["id"]: row for row in rows}


def found(result: Result | None) -> dict[str, Any] | None:
    """What lies in a queue, by id or by file name; None when that cannot be told."""
    if result is not None and result.type == "directory":
        return dict(result.entries or {})
    rows = load_jsonl(result)
    if rows is None or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        return None
    by_id = {row["id"]: row for row in rows}
    return by_id if len(by_id) == len(rows) else None


def alone(row: Row) -> str:
    """A request in a file of its own."""
    return json.dumps(row, indent=1) + "\n"
