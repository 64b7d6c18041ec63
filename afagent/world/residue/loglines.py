"""What each service writes when it runs: lines with their times.

Figures that could be held against the disk or the kernel (fill of a volume, sizes of homes) are left out: what the
services move lies on other hosts, and this node passes it on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from afagent.world.residue.setting import Service, Setting

Entry = tuple[datetime, str]
Lines = Callable[[Setting, Service, Random, int], Iterator[Entry]]
"""The entries of the last so many days."""


def nights(setting: Setting, service: Service, rng: Random, days: int) -> Iterator[datetime]:
    """When a nightly service started, a few nights left out."""
    for ago in range(days, -1, -1):
        day = setting.lab.now - timedelta(days=ago)
        start = day.replace(hour=service.hour, minute=service.minute, second=rng.randrange(1, 5))
        if start < setting.lab.now and rng.random() > 0.03:
            yield start


def every(setting: Setting, rng: Random, days: int, minutes: int, offset: int = 0) -> Iterator[datetime]:
    """Moments that a timer gives: each so many minutes of the day, a second or two late, now and then a gap."""
    when = (setting.lab.now - timedelta(days=days)).replace(hour=0, minute=offset, second=0)
    while when < setting.lab.now - timedelta(seconds=5):
        yield when + timedelta(seconds=rng.randrange(1, 4))
        when += timedelta(minutes=minutes * (1 if rng.random() > 0.002 else rng.randrange(3, 60)))


def _mirror(setting: Setting, service: Service, rng: Random, days: int) -> Iterator[Entry]:
    """The nightly pull, source by source, passed on to the store."""
    sources = [*setting.datasets, "packages", "wheels"][: rng.randrange(3, 8)]
    total = {source: rng.randrange(2_000, 900_000) for source in sources}
    for start in nights(setting, service, rng, days):
        when = start
        yield when, f"start pid={rng.randrange(200, 32000)} sources={len(sources)} to {setting.lab.store}"
        for source in sources:
            when += timedelta(seconds=rng.randrange(20, 1400))
            total[source] += int(rng.expovariate(1 / 40))
            if rng.random() < 0.04:
                got = rng.randrange(100, 9000)
                yield when, f"{source}: rsync: connection unexpectedly closed ({got} bytes received so far) [receiver]"
                yield when + timedelta(seconds=2), f"{source}: exit 12, retry 1/3"
                when += timedelta(seconds=rng.randrange(61, 200))
            moved = int(rng.paretovariate(0.9) * 1e6)
            yield when, f"{source}: {total[source]} listed, {rng.randrange(0, 90)} passed on, {moved} bytes"
        yield when + timedelta(seconds=rng.randrange(1, 9)), f"done in {(when - start).seconds}s"


def _backup(setting: Setting, service: Service, rng: Random, days: int) -> Iterator[Entry]:
    """Changes of homes, one line each."""
    for start in nights(setting, service, rng, days):
        when, sent = start, 0
        for person in setting.lab.people:
            when += timedelta(seconds=rng.randrange(1, 9))
            changed = int(rng.expovariate(0.3)) if person.active else 0
            size = changed * rng.randrange(1, 30)
            sent += size
            yield when, f"INFO /home/{person.login} {changed} changed, {size} KB"
            if rng.random() < 0.03:
                yield when, f"WARN /home/{person.login}: permission denied on 1 folder"
        yield (
            when + timedelta(seconds=4),
            f"INFO {sent} KB to {setting.host('mirror')}, {rng.randrange(11, 15)} generations kept",
        )


def _metrics(setting: Setting, _: Service, rng: Random, days: int) -> Iterator[Entry]:
    """Load and traffic every half hour."""
    for when in every(setting, rng, min(days, 23), 30):
        load = rng.lognormvariate(-0.7, 0.9)
        received, sent = rng.lognormvariate(1.5, 1.2), rng.lognormvariate(1.4, 1.3)
        counts = f"procs={rng.randrange(9, 40)} push={rng.randrange(3, 60)}ms"
        yield when, f"load1={load:.2f} rx={received:.1f} tx={sent:.1f} {counts}"


JOBS = ("du-report", "resplit", "sumcheck", "stage-in", "pack", "reindex", "count", "copy-back", "tokstats", "relink")


def _jobs(setting: Setting, _: Service, rng: Random, days: int) -> Iterator[Entry]:
    """Small jobs of people, most of them in working hours."""
    number = rng.randrange(11_000, 90_000)
    when = setting.lab.now - timedelta(days=days)
    while (when := when + timedelta(minutes=rng.expovariate(1 / 45))) < setting.lab.now - timedelta(hours=1):
        if (when.weekday() >= 5 or not 7 <= when.hour < 19) and rng.random() < 0.85:
            continue
        number += rng.randrange(1, 4)
        person = rng.choice(setting.people_at(when))
        project = setting.project_of(person).name
        yield when, f"job {number} {rng.choice(JOBS)} user={person.login} project={project} started"
        code = rng.choice((0,) * 11 + (1, 2, 137))
        spent = min(int(rng.paretovariate(0.8) * 9), 3300)
        yield when + timedelta(seconds=spent), f"job {number} {'failed' if code else 'finished'} rc={code} t={spent}s"


def _audit(setting: Setting, _: Service, rng: Random, days: int) -> Iterator[Entry]:
    """Batches of audit records sent on; at times the far end is slow and a batch waits."""
    waiting = 0
    sequence = rng.randrange(20_000, 400_000)
    for when in every(setting, rng, days, 30, 11):
        records = waiting + int(rng.lognormvariate(4.2, 0.8))
        if rng.random() < 0.015:
            waiting = records
            late = when + timedelta(seconds=30)
            yield (
                late,
                f"post {setting.host('metrics')}/ingest/audit: timeout after 30s, {records} records kept in spool",
            )
            continue
        waiting, sequence = 0, sequence + 1
        yield when, f"batch {sequence} records={records} status=202 lag={rng.randrange(1, 9)}s"


def _ingest(setting: Setting, service: Service, rng: Random, days: int) -> Iterator[Entry]:
    """Deliveries, two or three a week, loaded into the store; only their heads are kept here."""
    for start in nights(setting, service, rng, days):
        if rng.random() < 0.6:
            continue
        when, dataset, rows = start, rng.choice(setting.datasets), 0
        for part in range(rng.randrange(1, 14)):
            when += timedelta(seconds=rng.randrange(3, 400))
            rows += (found := rng.randrange(800, 240_000))
            twice, bad = rng.randrange(0, found // 40), int(rng.expovariate(0.3))
            yield when, f"{dataset} part-{part:05d} rows={found} dup={twice} bad={bad} -> {setting.lab.store}"
        noted = rows - rng.choice((0, 0, 0, rng.randrange(1, 400)))
        yield when + timedelta(seconds=1), f"{dataset} total rows={rows} manifest={noted} head kept in {setting.sets}"


def _quota(setting: Setting, service: Service, rng: Random, days: int) -> Iterator[Entry]:
    """Files that came and went in homes, by login."""
    for start in nights(setting, service, rng, days):
        for i, person in enumerate(setting.lab.people):
            came, went = int(rng.expovariate(0.4)), int(rng.expovariate(0.6))
            if person.active:
                yield (
                    start + timedelta(seconds=i // 3),
                    f"{person.login:<18} +{came:<4} -{went:<4} {'ok' if came < 12 else 'many new files'}",
                )


def _certs(setting: Setting, service: Service, rng: Random, days: int) -> Iterator[Entry]:
    """Days until certificates run out."""
    left = {name: rng.randrange(20, 340) for name in setting.inside}
    for start in nights(setting, service, rng, days):
        if start.weekday() != 0:
            continue
        when, age = start, (setting.lab.now - start).days
        for name, rest in left.items():
            when += timedelta(seconds=rng.randrange(1, 4))
            yield when, f"{name}:443 {rest + age} days"
        yield when + timedelta(seconds=5), f"{setting.dead_hosts[-1]}:443 cannot resolve"


def _tidy(setting: Setting, service: Service, rng: Random, days: int) -> Iterator[Entry]:
    """Old files removed from scratch places."""
    for start in nights(setting, service, rng, days):
        for i, (place, age) in enumerate((("/tmp", 14), (setting.scratch, 60))):  # noqa: S108  # the workstation's
            count = int(rng.paretovariate(0.7)) - 1
            size = count * rng.randrange(1, 4000)
            yield start + timedelta(seconds=i * 7), f"{place}: {count} files older than {age}d removed, {size} KB"
        if rng.random() < 0.2:
            owner = rng.choice(setting.lab.people).login
            yield start + timedelta(seconds=9), f"cannot remove {setting.scratch}/{owner}/keep: Operation not permitted"


def _accounts(setting: Setting, _: Service, rng: Random, days: int) -> Iterator[Entry]:
    """The directory, read every six hours."""
    entries, here = len(setting.lab.people) + rng.randrange(20, 90), len(setting.lab.people)
    for when in every(setting, rng, days, 360, 23):
        chance = rng.random()
        if chance < 0.04:
            yield when, f"ldaps://{setting.host('ldap')}: Can't contact LDAP server (-1)"
        elif chance < 0.09:
            yield when, f"group {rng.choice(setting.projects).name}: 1 member changed"
        else:
            yield when, f"{entries} entries, {here} for this node, nothing to do"


def _export(setting: Setting, service: Service, rng: Random, days: int) -> Iterator[Entry]:
    """The wiki, fetched page by page where something changed."""
    wiki = f"https://{setting.host('wiki')}/api"
    for start in nights(setting, service, rng, days):
        when, changed = start, int(rng.expovariate(0.5))
        yield when, f"GET {wiki}/changes 200 {changed} pages"
        for _ in range(changed):
            when += timedelta(seconds=rng.randrange(1, 20))
            yield when, f"GET {wiki}/page/{rng.randrange(100, 4000)} {rng.choice((200,) * 12 + (404, 500))}"
        yield when + timedelta(seconds=1), f"written to {setting.wiki}"


WRITES: dict[str, Lines] = {
    "mirror": _mirror,
    "backup": _backup,
    "metrics": _metrics,
    "jobs": _jobs,
    "audit": _audit,
    "ingest": _ingest,
    "quota": _quota,
    "certs": _certs,
    "tidy": _tidy,
    "accounts": _accounts,
    "export": _export,
}
"""The writer of each kind of service."""

TIMERS = {"metrics": "*/30 * * * *", "audit": "11,41 * * * *", "accounts": "23 */6 * * *"}
"""The timers of services that run more than once a day, as crontab has them; jobs run when somebody asks."""
