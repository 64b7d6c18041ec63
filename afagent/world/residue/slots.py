"""What may stand in a sentence's slots: people, hosts, numbers and references, as of a document's date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from afagent.world.residue.grammar import Slots
from afagent.world.residue.setting import Setting

DEAD = 0.07
"""Share of references whose target is gone."""
LinkStyle = Literal["markdown", "url"]


@dataclass(frozen=True)
class Page:
    """A page of the wiki: its title, and its path below the wiki's folder."""

    title: str
    topic: str
    path: str
    edited: datetime


@dataclass(frozen=True)
class Ticket:
    """A ticket's number and when it was opened."""

    number: int
    topic: str
    opened: datetime


@dataclass(frozen=True)
class References:
    """What documents can refer to."""

    pages: tuple[Page, ...]
    tickets: tuple[Ticket, ...]


def slots(setting: Setting, references: References, rng: Random, when: datetime, links: LinkStyle) -> Slots:
    """The slots of a document written at a moment."""
    lab = setting.lab
    known = [ticket for ticket in references.tickets if ticket.opened <= when]

    def person(which: int) -> str:
        # Never the one who was last named in the other place: `{p}` and `{q}` of one sentence differ.
        cast[which] = rng.choice([someone for someone in people if someone != cast[1 - which]])
        return cast[which].name.split()[0]

    def ticket() -> str:
        gone = rng.random() < DEAD or not known
        number = references.tickets[0].number - rng.randrange(3, 190) if gone else rng.choice(known).number
        return f"{setting.ticket_key}-{number}"

    def page() -> str:
        target = rng.choice(references.pages)
        slug = f"{target.path[:-3]}-old.md" if rng.random() < DEAD else target.path
        if links == "url":
            return f"https://{setting.host('wiki')}/{slug[:-3]}"
        return f"[{target.title}](/{slug})"

    def host() -> str:
        return rng.choice(setting.dead_hosts if rng.random() < DEAD else setting.inside)

    def name() -> str:
        return rng.choice((*setting.datasets, *(project.name for project in setting.projects)))

    def service(kind: str) -> Callable[[], str]:
        return lambda: rng.choice(setting.dead_hosts) if rng.random() < DEAD else setting.host(kind)

    people = setting.people_at(when)
    cast = list(rng.sample(people, 2))
    return {
        "p": lambda: person(0),
        "q": lambda: person(1),
        "l": lambda: rng.choice(people).login,
        "n": lambda: str(rng.randrange(2, 20)),
        "few": lambda: str(rng.randrange(2, 6)),
        "N": lambda: str(rng.choice((rng.randrange(21, 99), rng.randrange(101, 990)))),
        "d": lambda: str(rng.choice((3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120))),
        "gb": lambda: f"{rng.randrange(3, 900)} GB",
        "pct": lambda: f"{rng.randrange(3, 97)}%",
        "hhmm": lambda: f"{rng.randrange(8, 19):02d}:{rng.randrange(60):02d}",
        "night": lambda: f"{rng.randrange(6):02d}:{rng.randrange(60):02d}",
        "high": lambda: f"{rng.randrange(78, 98)}%",
        "weekday": lambda: rng.choice(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")),
        "mon": lambda: f"{when - timedelta(days=rng.randrange(20, 240)):%B}",
        "next": lambda: f"{when + timedelta(days=rng.randrange(20, 120)):%B}",
        "h": host,
        "hgit": service("git"),
        "hwiki": service("wiki"),
        "htk": service("tickets"),
        "hmet": service("metrics"),
        "hmirror": service("mirror"),
        "hldap": service("ldap"),
        "hstore": lambda: lab.store,
        "node": lambda: lab.host,
        "model": lambda: lab.model,
        "ds": lambda: rng.choice(setting.datasets),
        "proj": lambda: rng.choice(setting.projects).name,
        "path": lambda: rng.choice(
            (setting.sets, setting.scratch, setting.team, f"{setting.sets}/{setting.datasets[0]}")
        ),
        "slug": lambda: f"{name()}-{rng.randrange(2, 60)}",
        "topic": name,
        "tk": ticket,
        "pg": page,
    }
