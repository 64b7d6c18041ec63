"""Requests to end services: what they ask for, in which form, and how one went wrong on its way to the schedule.

All that the system's schedule says is right; a request is made to fit each of its entries.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from random import Random

from afagent.settings import Flat
from afagent.world.jobs._drawing import stamp
from afagent.world.lab import Lab
from afagent.world.moments import unstamp

SITES = {
    "Bogota": "-05:00",
    "Brisbane": "+10:00",
    "Dubai": "+04:00",
    "Istanbul": "+03:00",
    "Kolkata": "+05:30",
    "Nairobi": "+03:00",
    "Phoenix": "-07:00",
    "Reykjavik": "+00:00",
    "Singapore": "+08:00",
    "Tokyo": "+09:00",
}
"""Places that keep one clock all year round, against UTC."""
DAYS = ("%Y-%m-%d", "%d %B %Y", "%d.%m.%Y", "%B %d, %Y", "%a %d %b %Y")
WHYS = (
    "its last client has moved",
    "the replacement has been up for a month",
    "the contract for the data ends",
    "hardly any requests since autumn",
    "to be folded into the larger one",
    "its host is needed elsewhere",
)


@dataclass(frozen=True)
class Form:
    """How the requests are written down."""

    kind: str
    """`pages`, `csv` or `jsonl`."""
    clock: str
    """Of `strftime`."""
    half_day: bool
    """The clock goes to twelve."""


@dataclass(frozen=True)
class Entry:
    """An entry of the schedule."""

    name: str
    ends: datetime
    scheduled: bool
    approvals: tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """What stands in the schedule instead of what was asked for."""

    service: str
    site: str
    right: datetime
    wrong: datetime
    approvals: tuple[str, ...] | None
    """Of the earlier request that was entered, if that is what went wrong."""

    def applied(self, schedule: str) -> str:
        """The schedule with the mistake in it."""
        block = re.search(rf"  - name: {re.escape(self.service)}\n(?:    .*\n)+", schedule)
        if block is None:
            raise ValueError(f"the schedule has no {self.service}")
        wrong = block[0].replace(stamp(self.right), stamp(self.wrong))
        if self.approvals is not None:
            wrong = re.sub(r"approved_by: .*", f"approved_by: [{', '.join(self.approvals)}]", wrong)
        return schedule.replace(block[0], wrong)


@dataclass(frozen=True)
class Request:
    """What somebody asked for."""

    number: int
    service: str
    state: str
    ends: datetime
    site: str
    approvals: tuple[str, ...]
    why: str
    holds: bool
    """The entry is to follow it."""


def entries(schedule: Flat) -> list[Entry]:
    """The entries of a schedule of retirements, in their order."""
    found = []
    for place in range(sum(key.endswith(".retire_at") for key in schedule)):
        at = f"services.{place}"
        people = tuple(value for key, value in schedule.items() if key.startswith(f"{at}.approved_by."))
        ends, scheduled = unstamp(schedule[f"{at}.retire_at"]), schedule[f"{at}.state"] == "scheduled"
        found.append(Entry(schedule[f"{at}.name"], ends, scheduled, people))
    return found


def form(rng: Random) -> Form:
    """How a lab writes its requests."""
    half_day = rng.random() < 0.4
    clock = f"{rng.choice(DAYS)} {'%I:%M:%S %p' if half_day else '%H:%M:%S'}"
    return Form(rng.choice(("pages", "csv", "jsonl")), clock, half_day)


def mistaken(lab: Lab, listed: list[Entry], pid_file: str, shape: Form, rng: Random) -> Mistake:
    """A mistake in the entry of another service than the one whose pid file is given. Its end stays days away."""
    entry = rng.choice([each for each in listed if each.scheduled and each.name != PurePosixPath(pid_file).stem])
    site = rng.choice([name for name, clock in SITES.items() if clock != "+00:00"])
    offset = _offset(site)
    afternoon = (entry.ends + offset).hour >= 12
    ways: list[Callable[[], datetime]] = [
        lambda: entry.ends + offset,  # the wall's clock taken for UTC
        lambda: entry.ends + 2 * offset,  # the difference added and not taken away
        lambda: entry.ends + timedelta(days=rng.choice((-2, -1, 5, 7, 9, 14, 21))),  # an earlier request
    ]
    if shape.half_day:  # morning for afternoon
        ways.append(lambda: entry.ends + timedelta(hours=-12 if afternoon else 12))
    way = rng.randrange(len(ways))
    people = [person.login for person in lab.people if person.active]
    return Mistake(entry.name, site, entry.ends, ways[way](), tuple(rng.sample(people, 2)) if way == 2 else None)


def draw_requests(lab: Lab, listed: list[Entry], mistake: Mistake, rng: Random) -> list[Request]:
    """A request that holds for each entry, and among them some that were corrected later or do not count."""
    number, requests = rng.randrange(40, 700), list[Request]()
    people = [person.login for person in lab.people if person.active]

    def add(entry: Entry, state: str, ends: datetime, approvals: tuple[str, ...], *, holds: bool = False) -> None:
        nonlocal number
        number += rng.randrange(1, 6)
        site = mistake.site if entry.name == mistake.service else rng.choice(list(SITES))
        requests.append(Request(number, entry.name, state, ends, site, approvals, rng.choice(WHYS), holds))

    for entry in rng.sample(listed, len(listed)):
        if entry.name == mistake.service and mistake.approvals is not None:
            add(entry, "approved", mistake.wrong, mistake.approvals)
        elif rng.random() < 0.3:
            add(entry, "approved", entry.ends + timedelta(days=rng.randrange(1, 15)), tuple(rng.sample(people, 2)))
        add(entry, "approved", entry.ends, entry.approvals, holds=True)
        if rng.random() < 0.35:
            state = rng.choice(("draft", "withdrawn"))
            add(entry, state, entry.ends + timedelta(days=rng.randrange(2, 30)), (rng.choice(people),))
    return requests


def export(shape: Form, requests: list[Request], rng: Random) -> dict[str, str]:
    """The requests as files, by name."""
    rows = [_row(shape, request) for request in requests]
    if shape.kind == "pages":
        prefix = rng.choice(("EOL", "END", "SVC", "CR"))
        return {f"{prefix}-{row['number']}.md": _page(prefix, row) for row in rows}
    rng.shuffle(rows)
    if shape.kind == "jsonl":
        return {"requests.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return {"requests.csv": out.getvalue()}


def _page(prefix: str, row: Mapping[str, object]) -> str:
    lines = "".join(f"{key}: {value}\n" for key, value in row.items() if key not in ("number", "why"))
    return f"# {prefix}-{row['number']}\n\n{lines}\nReason: {row['why']}.\n"


def _row(shape: Form, request: Request) -> dict[str, object]:
    wall = (request.ends + _offset(request.site)).strftime(shape.clock)
    row = asdict(request) | {"ends": f"{wall} ({request.site})", "approvals": ", ".join(request.approvals)}
    return {name: value for name, value in row.items() if name not in ("site", "holds")}


def _offset(site: str) -> timedelta:
    hours, minutes = SITES[site].split(":")
    return timedelta(hours=int(hours), minutes=int(hours[0] + minutes))
