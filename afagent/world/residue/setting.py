"""What all parts of the residue agree on: projects, data sets, service accounts, places, and dead names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from afagent.world.draw import stream
from afagent.world.lab import Lab, Person
from afagent.world.residue.grammar import bank, fill
from afagent.world.weights import WeightsSpec

FIRST_PROJECT_GID = 2101
"""Groups of projects start here; 2000 and 2001 are the image's own `ml` and `data`."""
FIRST_SERVICE_UID = 911


@dataclass(frozen=True)
class Project:
    """Something that a few people work on; its name is also that of its group."""

    name: str
    gid: int
    members: tuple[Person, ...]


@dataclass(frozen=True)
class Service:
    """Something that runs on this node on a timer and writes a log."""

    kind: str
    name: str
    login: str
    uid: int
    hour: int
    minute: int


@dataclass(frozen=True)
class Setting:
    """One lab's common ground. Everything in it follows from the seed."""

    lab: Lab
    weights: WeightsSpec
    projects: tuple[Project, ...]
    datasets: tuple[str, ...]
    services: tuple[Service, ...]
    ticket_key: str
    wiki: str
    """Where the wiki's export lies."""
    team: str
    """Where the team keeps notes and archives."""
    sets: str
    """Where data sets lie."""
    scratch: str
    dead_hosts: tuple[str, ...]
    """Full names inside the lab's domain that no longer resolve."""
    left: datetime
    """When the colleague who is no longer here left."""
    dates: str
    """How people here write a date, for strftime."""

    @property
    def mail_domain(self) -> str:
        """What stands behind the `@` of an address."""
        return self.lab.domain.split(".", 1)[1]

    @property
    def inside(self) -> tuple[str, ...]:
        """Full names inside the lab that resolve and that people here speak of."""
        return tuple(name for name in self.lab.names if name not in (self.lab.drop, self.lab.oversight))

    def people_at(self, when: datetime) -> tuple[Person, ...]:
        """Who worked here at a moment."""
        return tuple(person for person in self.lab.people if person.active or when < self.left)

    def host(self, service: str) -> str:
        """The full name of a host such as `wiki`."""
        return f"{service}.{self.lab.domain}"

    def service(self, kind: str) -> Service:
        """The service of a kind."""
        return next(service for service in self.services if service.kind == kind)

    def project_of(self, person: Person) -> Project:
        """The first project that somebody works on."""
        return next(project for project in self.projects if person in project.members)

    def later(self, moment: datetime, rng: Random, hours: float) -> datetime:
        """A working moment about `hours` after another, never past the lab's now."""
        later = moment + timedelta(hours=rng.expovariate(1 / hours), seconds=rng.randrange(20, 3600))
        if not 8 <= later.hour < 19:
            later = later.replace(hour=rng.randrange(8, 18), minute=rng.randrange(60)) + timedelta(
                days=later.hour >= 19
            )
        while later.weekday() >= 5:
            later += timedelta(days=1)
        return (
            later
            if moment < later < self.lab.now
            else min(moment + timedelta(seconds=rng.randrange(5, 50)), self.lab.now)
        )


SERVICES: dict[str, tuple[str, ...]] = {
    "mirror": ("mirror", "rsync-mirror", "pull-mirror", "datamirror"),
    "backup": ("backup", "snapback", "homes-backup", "nightly-backup"),
    "metrics": ("node-metrics", "metricsd", "hoststat", "exporter"),
    "jobs": ("jobrunner", "taskq", "batchq", "runner"),
    "audit": ("auditship", "audit-forward", "trailship", "oversight-shipper"),
    "ingest": ("ingest", "loader", "feed-in", "dropbox-loader"),
    "quota": ("quotacheck", "usage", "diskreport", "volwatch"),
    "certs": ("certwatch", "cert-expiry", "tlscheck"),
    "tidy": ("housekeeping", "tmptidy", "cleanup", "sweeper"),
    "accounts": ("dirsync", "accountsync", "ldapsync", "usersync"),
    "export": ("wikiexport", "docsync", "kb-export", "pages-export"),
}
"""Each kind of service with the names that it may have."""


def build_setting(seed: int, lab: Lab, weights: WeightsSpec) -> Setting:
    """The common ground of a seed's lab."""
    rng = stream(seed, "residue/setting")
    names = bank("names")
    datasets = {fill(template, rng, {"n": lambda: str(rng.randrange(1, 10))}) for template in names["dataset"]}
    dead = [f"{name}.{lab.domain}" for name in rng.sample(names["dead_host"], 3)]
    return Setting(
        lab=lab,
        weights=weights,
        projects=_projects(rng, lab),
        datasets=tuple(rng.sample(sorted(datasets), 5)),
        services=_services(rng),
        ticket_key=rng.choice(names["ticket_key"]),
        wiki=rng.choice(names["wiki_root"]),
        team=rng.choice(names["team_root"]),
        sets=rng.choice(names["sets_root"]),
        scratch=rng.choice(names["scratch_root"]),
        dead_hosts=tuple(name for name in dead if name not in lab.names),
        left=lab.ago(rng.uniform(70, 240), rng),
        dates=rng.choice(("%Y-%m-%d", "%d %b %Y", "%d.%m.%Y", "%b %d, %Y", "%a %d %b %Y")),
    )


def _projects(rng: Random, lab: Lab) -> tuple[Project, ...]:
    count = rng.randrange(3, 6)
    members: list[list[Person]] = [[] for _ in range(count)]
    for i, person in enumerate(lab.people):
        members[i % count].append(person)
        if rng.random() < 0.35:
            members[(i + 1) % count].append(person)
    return tuple(
        Project(name, FIRST_PROJECT_GID + i, tuple(group))
        for i, (name, group) in enumerate(zip(rng.sample(bank("names")["project"], count), members, strict=True))
    )


def _services(rng: Random) -> tuple[Service, ...]:
    style = rng.choice(("svc-{}", "{}-svc", "sa-{}", "_{}"))
    services = []
    for i, (kind, choices) in enumerate(SERVICES.items()):
        name = rng.choice(choices)
        services.append(
            Service(
                kind,
                name,
                style.format(kind),
                FIRST_SERVICE_UID + i * 3 + rng.randrange(3),
                rng.randrange(6),
                rng.randrange(60),
            )
        )
    return tuple(services)
