"""What the team said: meeting notes, mailing lists and chat, as files that somebody or something saved."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from afagent.world.files import Item, text
from afagent.world.lab import Person
from afagent.world.residue.documents import plan_topics
from afagent.world.residue.grammar import Writer, sentences
from afagent.world.residue.setting import Setting
from afagent.world.residue.slots import LinkStyle, References, slots
from afagent.world.residue.tree import with_folders


def build(setting: Setting, references: References, rng: Random) -> list[Item]:
    """Notes of meetings, threads of a list, and days of a channel."""
    items = [
        *_meetings(setting, references, rng),
        *_threads(setting, references, rng),
        *_chats(setting, references, rng),
    ]
    keeper = setting.lab.people[1]
    return with_folders(setting.team, items, keeper.uid, setting.project_of(keeper).gid, 0o2775)


def _writer(setting: Setting, references: References, rng: Random, when: datetime, links: LinkStyle) -> Writer:
    return Writer(rng, slots(setting, references, rng, when, links))


def _meetings(setting: Setting, references: References, rng: Random) -> list[Item]:
    folder = f"{setting.team}/{rng.choice(('notes', 'meetings', 'minutes', 'sync'))}"
    suffix = rng.choice(("md", "md", "txt"))
    topics = plan_topics(rng, rng.randrange(8, 13), 1)
    first, pace = rng.uniform(3, 9), rng.choice((7, 14, 14, 21))
    items: list[Item] = []
    for i, topic in enumerate(topics):
        when = setting.lab.ago(first + i * pace, rng)
        writer = _writer(setting, references, rng, when, "url")
        author = rng.choice(setting.people_at(when))
        title = writer.line("phrases", "meeting.title")
        path = f"{folder}/{when.year}/{when:%Y-%m-%d}-{title.lower().replace(' ', '-')}.{suffix}"
        saved = setting.later(when, rng, 3)
        content = _minutes(setting, writer, title, topic, when)
        items.append(text(path, content, saved, author.uid, setting.project_of(author).gid, 0o664))
    return items


def _minutes(setting: Setting, w: Writer, title: str, topic: str, when: datetime) -> str:
    there = w.rng.sample(setting.people_at(when), w.rng.randrange(3, 7))
    names = ", ".join(person.name.split()[0] for person in there)
    points = w.lines("phrases", "meeting.point", 2, 4)
    points += w.lines("topics", f"{topic}.view", 1, 2) + w.lines("topics", f"{topic}.fact", 1, 3)
    w.rng.shuffle(points)
    mark = w.rng.choice(("- ", "* ", "", "  - "))
    todo = [f"[{w.rng.choice('  x')}] {item}" for item in w.lines("phrases", "meeting.todo", 1, 4)]
    head = w.rng.choice(
        (
            f"# {title} {when.strftime(setting.dates)}\n\n{names}",
            f"{title}, {when:%A} {when.strftime(setting.dates)}\nthere: {names}",
        )
    )
    last = w.rng.choice(("todo:\n", "## Actions\n\n", "next:\n", "\n"))
    return (
        f"{head}\n\n"
        + "\n".join(mark + point for point in points)
        + f"\n\n{last}"
        + "\n".join(f"- {t}" for t in todo)
        + "\n"
    )


def _threads(setting: Setting, references: References, rng: Random) -> list[Item]:
    """Threads of a mailing list, one file each; few of them end."""
    owner = setting.service("export").uid
    name = rng.choice(("infra", "data-users", "storage", "all-tech", "pipeline"))
    folder = f"{setting.team}/{rng.choice(('lists', 'mail-archive', 'ml-archive'))}/{name}"
    items: list[Item] = []
    for topic in plan_topics(rng, rng.randrange(5, 9), rng.randrange(0, 2)):
        when = setting.lab.ago(rng.uniform(4, 240), rng)
        writer = _writer(setting, references, rng, when, "url")
        subject = writer.line("topics", f"{topic}.trouble")
        parts: list[str] = []
        sender: Person | None = None
        for _ in range(rng.randrange(2, 8)):
            sender = rng.choice([person for person in setting.people_at(when) if person != sender])
            head = (
                f"From: {sender.name} <{sender.login}@{setting.mail_domain}>\n"
                f"Date: {when:%a, %d %b %Y %H:%M:%S} +0000\n"
                f"Subject: {'Re: ' if parts else ''}[{name}] {subject}\n"
            )
            parts.append(f"{head}\n{_said(writer, topic, reply=bool(parts))}\n\n{sender.name.split()[0]}\n")
            last, when = when, setting.later(when, rng, 9)
        path = f"{folder}/{last.year}/{last:%m}/{rng.randrange(100, 999):06d}.txt"
        items.append(text(path, "\n".join(parts), last + timedelta(seconds=7), owner, owner))
    return [item for item in items if item.modified <= setting.lab.now]


def _said(w: Writer, topic: str, *, reply: bool) -> str:
    """A post's text; a reply may quote a line."""
    body = [w.line("phrases", "mail.disagree" if reply else "mail.body")]
    body += w.lines("topics", f"{topic}.{w.rng.choice(('fact', 'view', 'step'))}", 1, 2)
    quote = "> " + w.line("topics", f"{topic}.fact") + "\n\n" if reply and w.rng.random() < 0.5 else ""
    return quote + sentences(body)


def _chats(setting: Setting, references: References, rng: Random) -> list[Item]:
    """Days of a channel, as its exporter writes them."""
    owner = setting.service("export").uid
    channel = rng.choice(("storage", "infra-chat", "help", "data", "nodes"))
    folder = f"{setting.team}/{rng.choice(('chat', 'chat-export', 'channels'))}/{channel}"
    line = rng.choice(
        ("[{time:%H:%M}] <{login}> {text}", "{time:%H:%M:%S} {login}: {text}", "{login} ({time:%H:%M}) {text}")
    )
    items: list[Item] = []
    for _ in range(rng.randrange(5, 10)):
        day = setting.lab.ago(rng.uniform(3, 70), rng).replace(hour=8, minute=rng.randrange(10, 59))
        writer = _writer(setting, references, rng, day, "url")
        there = rng.sample(setting.people_at(day), rng.randrange(2, 6))
        lines, time = [], day
        for _ in range(rng.randrange(4, 15)):
            time += timedelta(seconds=int(rng.lognormvariate(6.6, 1.1)) + 3)
            first, second = rng.sample(there, 2)
            for said in writer.line("phrases", "chat.talk").split(" &&& "):
                if time.hour < 18 and time < setting.lab.now:
                    lines.append(line.format(time=time, login=first.login, text=said))
                time += timedelta(seconds=int(rng.lognormvariate(3.6, 0.9)) + 2)
                first, second = second, first
        saved = min(time + timedelta(minutes=rng.randrange(3, 90)), setting.lab.now)
        items.append(text(f"{folder}/{day:%Y-%m-%d}.txt", "\n".join(lines) + "\n", saved, owner, owner))
    return items
