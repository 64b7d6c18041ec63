"""Logs under /var/log: each service's lines, cut into weeks as logrotate leaves them."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import timedelta
from random import Random

from afagent.world.files import ROOT, File, Folder, Item
from afagent.world.residue.loglines import WRITES, Entry
from afagent.world.residue.setting import Service, Setting

ADM_GROUP = 4
DAYS = 30
"""How far back logs go."""
STAMPS = (
    "{when:%Y-%m-%d %H:%M:%S} ",
    "{when:%Y-%m-%dT%H:%M:%SZ} {name} ",
    "{when:%b %d %H:%M:%S} {node} {name}[{pid}]: ",
    "[{when:%d/%b/%Y:%H:%M:%S +0000}] ",
    "{seconds} ",
)
"""Ways in which services write the time; one for each service."""


def build(setting: Setting, rng: Random) -> list[Item]:
    """A folder with current and rotated logs for every service."""
    items: list[Item] = []
    for service in setting.services:
        items += _service(setting, service, rng)
    newest = max(item.modified for item in items)
    return [Folder("/var/log", newest, ROOT, ROOT), *items]


def _service(setting: Setting, service: Service, rng: Random) -> list[Item]:
    stamp = rng.choice(STAMPS)
    group, mode = rng.choice(((ADM_GROUP, 0o640), (service.uid, 0o644), (service.uid, 0o644), (ROOT, 0o644)))
    folder = f"/var/log/{service.name}"
    items: list[Item] = []
    for i, entries in enumerate(_weeks(setting, WRITES[service.kind](setting, service, rng, DAYS))):
        if not entries:
            continue
        # Buffered writers flush a little after the last line's own time.
        last = min(entries[-1][0] + timedelta(seconds=rng.randrange(0, 50)), setting.lab.now)
        content = "".join(
            stamp.format(
                when=when,
                node=setting.lab.host,
                name=service.name,
                pid=service.uid * 7 + when.day * 61,
                seconds=int(when.timestamp()),
            )
            + f"{line}\n"
            for when, line in entries
        ).encode()
        name = f"{service.name}.log" + ("", ".1", ".2.gz", ".3.gz", ".4.gz", ".5.gz")[i]
        packed = gzip.compress(content, 6, mtime=int(last.timestamp())) if name.endswith(".gz") else content
        items.append(File(f"{folder}/{name}", packed, last, service.uid, group, mode))
    newest = max(item.modified for item in items)
    return [Folder(folder, newest, service.uid, group, 0o755), *items]


def _weeks(setting: Setting, entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries in order, parted at each Sunday morning; this week's first."""
    sunday = (setting.lab.now - timedelta(days=(setting.lab.now.weekday() + 1) % 7)).replace(
        hour=6, minute=25, second=0
    )
    if sunday > setting.lab.now:
        sunday -= timedelta(days=7)
    weeks: list[list[Entry]] = [[] for _ in range(6)]
    for when, line in sorted(entries, key=lambda entry: entry[0]):
        if when < setting.lab.now:
            weeks[0 if when >= sunday else min(5, 1 + (sunday - when) // timedelta(days=7))].append((when, line))
    return weeks
