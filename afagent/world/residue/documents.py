"""The wiki's export: pages of several kinds about the lab's daily work, mostly dull, partly stale."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from random import Random

from afagent.world.files import Item, text
from afagent.world.residue.grammar import Writer, bank, fill
from afagent.world.residue.setting import Setting
from afagent.world.residue.slots import Page, References, slots
from afagent.world.residue.tree import with_folders

SENSITIVE = ("training", "audit")
"""Topics about the training objective and oversight: a small part of what people write about."""
TOPICS = tuple(dict.fromkeys(section.split(".")[0] for section in bank("topics")))


def plan_topics(rng: Random, count: int, sensitive: int) -> list[str]:
    """The topics of `count` documents, `sensitive` of them about the training objective or oversight."""
    common = [topic for topic in TOPICS if topic not in SENSITIVE]
    rng.shuffle(common)
    topics = [rng.choice(SENSITIVE) for _ in range(sensitive)]
    topics += [common[i % len(common)] for i in range(count - sensitive)]
    rng.shuffle(topics)
    return topics


def plan_pages(setting: Setting, rng: Random) -> tuple[Page, ...]:
    """Titles, paths and dates of the wiki's pages, before any of them is written."""
    layout = rng.choice(
        ("{space}/{slug}.md", "{space}/{topic}/{slug}.md", "{year}/{space}/{slug}.md", "{topic}/{slug}.md")
    )
    spaces = rng.sample(("infra", "data", "howto", "team", "research", "notes", "platform", "misc"), 4)
    simple = slots(setting, References((), ()), rng, setting.lab.now, "markdown")
    pages: dict[str, Page] = {}
    for topic in plan_topics(rng, rng.randrange(25, 33), rng.randrange(2, 4)):
        title = fill(rng.choice(bank("topics")[f"{topic}.title"]), rng, simple)
        edited = setting.lab.ago(min(5 + rng.lognormvariate(4.4, 1.1), 900), rng)
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        path = layout.format(space=rng.choice(spaces), slug=slug, topic=topic, year=edited.year)
        pages[path] = Page(title, topic, path, edited)
    return tuple(pages.values())


def build(setting: Setting, references: References, rng: Random) -> list[Item]:
    """The files of the wiki's export, owned by the service that writes it."""
    owner = setting.service("export").uid
    head = rng.choice(HEADS)
    items: list[Item] = []
    for page in references.pages:
        writer = Writer(rng, slots(setting, references, rng, page.edited, "markdown"))
        body = rng.choice(KINDS)(writer, page.topic)
        content = head(setting, page, rng) + "\n\n".join(body) + "\n"
        items.append(text(f"{setting.wiki}/{page.path}", content, page.edited, owner, owner))
    synced = setting.lab.ago(rng.uniform(1, 5), rng)
    listing = "".join(f"- [{page.title}](/{page.path})\n" for page in references.pages if rng.random() < 0.93)
    gone = rng.choice(references.pages)
    listing += f"- [{gone.title}](/{gone.path[:-3]}-2.md)\n"
    dead = f"\nFull text search: <https://{setting.dead_hosts[0]}/search>\n"
    items.append(text(f"{setting.wiki}/index.md", f"# {setting.lab.company}\n\n{listing}{dead}", synced, owner, owner))
    items.append(
        text(f"{setting.wiki}/.last-export", f"{synced:%Y-%m-%dT%H:%M:%SZ} {len(items)}\n", synced, owner, owner)
    )
    return with_folders(setting.wiki, items, owner, owner)


def _front_matter(setting: Setting, page: Page, rng: Random) -> str:
    tags = rng.sample((page.topic, "draft", "infra", "howto", "review", "2nd-line"), rng.randrange(0, 3))
    author = rng.choice(setting.people_at(page.edited)).login
    fields = {
        "title": page.title,
        "author": author,
        "updated": f"{page.edited:%Y-%m-%d}",
        "tags": f"[{', '.join(tags)}]",
    }
    return "---\n" + "".join(f"{name}: {value}\n" for name, value in fields.items()) + "---\n\n"


def _byline(setting: Setting, page: Page, rng: Random) -> str:
    author = rng.choice(setting.people_at(page.edited)).name
    return f"# {page.title}\n\n*Last edited by {author} on {page.edited.strftime(setting.dates)}*\n\n"


def _plain(setting: Setting, page: Page, rng: Random) -> str:
    created = (page.edited - timedelta(days=rng.randrange(1, 300))).strftime(setting.dates)
    author = rng.choice(setting.people_at(page.edited)).login
    return f"{page.title}\n{'=' * len(page.title)}\n\nv{rng.randrange(2, 41)}, created {created}, {author}\n\n"


HEADS: tuple[Callable[[Setting, Page, Random], str], ...] = (_front_matter, _byline, _plain)
"""How the wiki's exporter writes a page's title and author; one way in each lab."""


def _runbook(w: Writer, topic: str) -> list[str]:
    steps = w.lines("topics", f"{topic}.step", 3, 5)
    return [
        *w.lines("phrases", "page.opening", 0, 1),
        w.rng.choice(("## Steps", "## What to do", "## Procedure", "### In order")),
        "\n".join(f"{i}. {step}" for i, step in enumerate(steps, 1)),
        w.rng.choice(("## Good to know", "## Notes", "## Background", "### Why")),
        "\n".join(f"- {fact}" for fact in w.lines("topics", f"{topic}.fact", 2, 5)),
        *_tail(w),
    ]


def _overview(w: Writer, topic: str) -> list[str]:
    heads = w.rng.sample(
        ("## How it works", "## Today", "## Limits", "## Numbers", "## Owners", "## Later", "## Details"), 3
    )
    parts: list[str] = w.lines("phrases", "page.opening", 0, 2)
    for head in heads[: w.rng.randrange(1, 4)]:
        parts += [head, " ".join(w.lines("topics", f"{topic}.fact", 2, 4))]
    return [*parts, *_tail(w)]


def _questions(w: Writer, topic: str) -> list[str]:
    parts = w.lines("phrases", "page.opening", 0, 1)
    for trouble in w.lines("topics", f"{topic}.trouble", 2, 4):
        answer = w.lines("topics", f"{topic}.fact", 1, 2) + w.lines("topics", f"{topic}.step", 0, 1)
        parts += [f"**{trouble[0].upper()}{trouble[1:]}**", " ".join(answer)]
    return [*parts, *_tail(w)]


def _decision(w: Writer, topic: str) -> list[str]:
    views = w.lines("topics", f"{topic}.view", 2, 3)
    outcome = w.rng.choice(
        (
            "Not decided.",
            "Postponed.",
            "As before, until someone has numbers.",
            "See the meeting notes.",
            "Try it for a quarter.",
        )
    )
    return [
        w.rng.choice(("## Context", "## Where we are", "## Situation")),
        " ".join(w.lines("topics", f"{topic}.fact", 2, 4)),
        w.rng.choice(("## Views", "## Options", "## For and against")),
        "\n".join(f"* {view}" for view in views),
        w.rng.choice(("## Outcome", "## Decision", "## Result")),
        outcome,
        *_tail(w),
    ]


def _listing(w: Writer, topic: str) -> list[str]:
    states = ("ok", "ok", "old", "moved", "?", "see notes")
    names = w.lines("names", "dataset", 4, 10)
    rows = [f"| {name} | {w.rng.randrange(2, 990)} GB | {w.rng.choice(states)} |" for name in names]
    facts = w.lines("topics", f"{topic}.fact", 2, 5)
    return [facts[0], "\n".join(["| name | size | state |", "|---|---|---|", *rows]), *facts[1:], *_tail(w)]


def _tail(w: Writer) -> list[str]:
    """What pages end with: remarks, links, questions without an answer."""
    parts = w.lines("phrases", "page.stale", 0, 1) + w.lines("phrases", "page.more", 1, 2)
    return parts + w.lines("phrases", "page.open", 0, 2)


KINDS: tuple[Callable[[Writer, str], list[str]], ...] = (_runbook, _overview, _questions, _decision, _listing)
"""How a page is built; any topic may take any of them."""
