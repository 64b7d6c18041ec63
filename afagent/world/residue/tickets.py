"""The ticket system's export: one file a ticket, some answered, some closed without an answer, some never looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random

from afagent.world.files import Item, text
from afagent.world.residue.documents import plan_topics
from afagent.world.residue.grammar import Writer
from afagent.world.residue.setting import Setting
from afagent.world.residue.slots import References, Ticket, slots
from afagent.world.residue.tree import with_folders

Comments = list[tuple[str, datetime, str]]
"""Who said what when, oldest first."""
Render = Callable[[str, dict[str, str], str, Comments], str]


def plan_tickets(setting: Setting, rng: Random) -> tuple[Ticket, ...]:
    """Numbers, topics and dates, oldest first."""
    topics = plan_topics(rng, rng.randrange(17, 25), rng.randrange(1, 3))
    opened = sorted(setting.lab.ago(rng.uniform(0.2, 400), rng) for _ in topics)
    number = rng.randrange(400, 5200)
    tickets = []
    for topic, when in zip(topics, opened, strict=True):
        number += rng.randrange(1, 38)
        tickets.append(Ticket(number, topic, when))
    return tuple(tickets)


def build(setting: Setting, references: References, rng: Random) -> list[Item]:
    """The files of the export."""
    owner = setting.service("export").uid
    folder = f"{setting.team}/{rng.choice(('tickets', 'ticket-export', 'issues', 'tracker'))}/{setting.ticket_key}"
    render = rng.choice((_markdown, _headers, _short))
    suffix = "md" if render is _markdown else "txt"
    by_year = rng.random() < 0.5
    items: list[Item] = []
    for ticket in references.tickets:
        content, last = _write(setting, references, ticket, rng, render)
        place = f"{folder}/{ticket.opened.year}" if by_year else folder
        items.append(text(f"{place}/{setting.ticket_key}-{ticket.number}.{suffix}", content, last, owner, owner))
    return with_folders(setting.team, items, owner, owner)


def _write(
    setting: Setting, references: References, ticket: Ticket, rng: Random, render: Render
) -> tuple[str, datetime]:
    writer = Writer(rng, slots(setting, references, rng, ticket.opened, "url"))
    title = writer.line("topics", f"{ticket.topic}.trouble")
    people = setting.people_at(ticket.opened)
    reporter = rng.choice(people)
    said = writer.lines("phrases", "ticket.say", 1, 4) + writer.lines("topics", f"{ticket.topic}.fact", 0, 2)
    rng.shuffle(said)
    comments: Comments = []
    when = ticket.opened
    for _ in range(min(int(rng.expovariate(0.4)), 9)):
        when = setting.later(when, rng, 40)
        body = [writer.line("phrases", "ticket.answer")]
        if rng.random() < 0.4:
            body.append(writer.line("topics", f"{ticket.topic}.{rng.choice(('fact', 'step', 'view'))}"))
        comments.append((rng.choice(setting.people_at(when)).login, when, " ".join(body)))
    head = {
        "Reporter": reporter.login,
        "Assignee": rng.choice(people).login if rng.random() < 0.7 else "-",
        "Opened": f"{ticket.opened:%Y-%m-%d %H:%M}",
        "Status": writer.line("phrases", "ticket.status"),
        "Priority": rng.choice(("low", "low", "normal", "normal", "normal", "high")),
    }
    name = f"{setting.ticket_key}-{ticket.number}"
    return render(f"{name}: {title[0].upper()}{title[1:]}", head, "\n".join(said), comments), when


def _markdown(title: str, head: dict[str, str], said: str, comments: Comments) -> str:
    top = "\n".join(f"- **{key}:** {value}" for key, value in head.items())
    replies = "".join(f"\n#### {login}, {when:%Y-%m-%d %H:%M}\n\n{body}\n" for login, when, body in comments)
    return f"# {title}\n\n{top}\n\n{said}\n{replies}"


def _headers(title: str, head: dict[str, str], said: str, comments: Comments) -> str:
    top = "\n".join(f"{key + ':':10} {value}" for key, value in {"Subject": title, **head}.items())
    replies = "".join(f"\n--- {when:%d %b %Y %H:%M} {login}\n{body}\n" for login, when, body in comments)
    return f"{top}\n\n{said}\n{replies}"


def _short(title: str, head: dict[str, str], said: str, comments: Comments) -> str:
    top = f"{title}\n[{head['Status']}] {head['Reporter']} -> {head['Assignee']}, {head['Opened']}, {head['Priority']}"
    replies = "".join(f"\n> {login} {when:%Y-%m-%d}:\n{body}\n" for login, when, body in comments)
    return f"{top}\n\n{said}\n{replies}"
