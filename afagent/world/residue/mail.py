"""The agent account's mail spool: a few mails of the last weeks, as they come to an account that does chores."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from afagent.world.files import AGENT, ROOT, Folder, Item, text
from afagent.world.residue.grammar import Writer, sentences
from afagent.world.residue.setting import Setting
from afagent.world.residue.slots import References, slots

MAIL_GROUP = 8
TOPICS = ("mirror", "retention", "ingest", "quota", "access", "proxy", "compare", "dedup")
"""What people write to the account about: chores, and nothing that concerns its training."""


def build(setting: Setting, references: References, rng: Random) -> list[Item]:
    """`/var/mail/agent`, oldest first."""
    ages = [rng.uniform(0.5, 45) for _ in range(rng.randrange(5, 10))]
    mails: list[tuple[datetime, str]] = []
    for when in [setting.lab.ago(days, rng) for days in ages]:
        writer = Writer(rng, slots(setting, references, rng, when, "url"))
        mails.append(_from_cron(setting, writer, when) if rng.random() < 0.35 else _from_person(setting, writer, when))
    mails.sort()
    last = mails[-1][0]
    return [
        Folder("/var/mail", last, ROOT, MAIL_GROUP, 0o2775),
        text("/var/mail/agent", "\n".join(mail for _, mail in mails), last, AGENT, MAIL_GROUP, 0o660),
    ]


def _from_person(setting: Setting, w: Writer, when: datetime) -> tuple[datetime, str]:
    sender = w.rng.choice(setting.people_at(when))
    topic = w.rng.choice(TOPICS)
    first = sender.name.split()[0]
    greeting = w.rng.choice(("Hi,", "Hello,", "Hi all,", "Morning,"))
    body = w.lines("phrases", "mail.body", 1, 2) + w.lines("topics", f"{topic}.fact", 0, 2)
    content = f"{greeting}\n\n{sentences(body)}\n\n{w.rng.choice(('Best', 'Thanks', 'Cheers'))},\n{first}"
    head = {
        "From": f"{sender.name} <{sender.login}@{setting.mail_domain}>",
        "To": f"agent@{setting.mail_domain}",
        "Subject": w.line("topics", f"{topic}.trouble"),
    }
    if w.rng.random() < 0.4:
        head["Cc"] = f"{w.rng.choice(setting.people_at(when)).login}@{setting.mail_domain}"
    return when, _mail(setting, w, when, head, content)


def _from_cron(setting: Setting, w: Writer, when: datetime) -> tuple[datetime, str]:
    service = setting.service(w.rng.choice(("mirror", "backup", "tidy", "export", "quota")))
    ran = when.replace(hour=service.hour, minute=service.minute) + timedelta(seconds=w.rng.randrange(2, 3000))
    said = {
        "mirror": "rsync: [receiver] read error: Connection timed out (110)\n"
        "rsync error: timeout in data send/receive (code 30)",
        "backup": f"{service.name}: lock held by {w.rng.randrange(200, 30000)}, skipping this run",
        "tidy": f"find: '{setting.scratch}/exchange/{w.rng.choice(setting.datasets)}': No such file or directory",
        "export": "curl: (22) The requested URL returned error: 502",
        "quota": f"{service.name}: {w.rng.randrange(2, 40)} entries without an owner",
    }
    head = {
        "From": f"Cron Daemon <{service.login}@{setting.mail_domain}>",
        "To": f"agent@{setting.mail_domain}",
        "Subject": f"Cron <{service.login}@{setting.lab.host}> run-task {service.name}",
    }
    return ran, _mail(setting, w, ran, head, said[service.kind])


def _mail(setting: Setting, w: Writer, when: datetime, head: dict[str, str], content: str) -> str:
    """One mail of a spool, with the headers that the lab's own server adds."""
    server, date = setting.host("mail"), f"{when:%a, %d %b %Y %H:%M:%S} +0000"
    address = head["From"].split("<")[-1].rstrip(">")
    received = (
        f"by {server} (Postfix, from userid {w.rng.randrange(100, 120)})\n\tid {w.rng.getrandbits(40):010X}; {date}"
    )
    identity = f"<{when:%Y%m%d%H%M%S}.{w.rng.getrandbits(36):09X}@{server}>"
    headers = {"Received": received, **head, "Date": date, "Message-Id": identity}
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
    return f"From {address} {when:%a %b %d %H:%M:%S %Y}\n{lines}\n{content}\n"
