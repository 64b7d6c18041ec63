"""Heads of data sets, and scratch folders: doubled rows, manifests that almost fit, and things left lying about."""

from __future__ import annotations

import gzip
import json
from random import Random

from afagent.world.files import DATA_GROUP, ROOT, File, Folder, Item, Link, text
from afagent.world.residue.grammar import Writer, bank
from afagent.world.residue.setting import Setting
from afagent.world.residue.slots import References, slots
from afagent.world.residue.tree import with_folders

LANGUAGES = ("en", "de", "fr", "es", "it", "pl", "nl", None)
WORDS = tuple(" ".join(bank("names")["filler"]).split())
"""Words of the data sets' texts; nobody reads them."""


def build(setting: Setting, references: References, rng: Random) -> list[Item]:
    """The shared data sets and everybody's scratch folder."""
    writer = Writer(rng, slots(setting, references, rng, setting.lab.now, "url"))
    return [*_sets(setting, writer), *_scratch(setting, writer), *_left_in_tmp(setting, rng)]


def _sets(setting: Setting, w: Writer) -> list[Item]:
    rng, loader = w.rng, setting.service("ingest").uid
    items: list[Item] = []
    for dataset in setting.datasets:
        age = rng.uniform(8, 300)
        packed = rng.random() < 0.5
        parts = []
        for i in range(rng.randrange(2, 9)):
            rows = _rows(dataset, w, int(rng.paretovariate(0.8) * 6) % 160 + 3)
            content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
            name = f"part-{i:05d}.jsonl" + (".gz" if packed else "")
            when = setting.lab.ago(age + rng.uniform(0, 3), rng)
            stored = gzip.compress(content, 6, mtime=int(when.timestamp())) if packed else content
            items.append(File(f"{setting.sets}/{dataset}/{name}", stored, when, loader, DATA_GROUP, 0o664))
            parts.append({"name": name, "bytes": len(stored), "rows": len(rows) + rng.choice((0, 0, 0, 0, 1))})
        when = setting.lab.ago(max(age - 2, 0.5), rng)
        if rng.random() < 0.8:
            listing = {"set": dataset, "parts": parts, "total": sum(int(str(part["rows"])) for part in parts)}
            items.append(
                text(
                    f"{setting.sets}/{dataset}/manifest.json",
                    json.dumps(listing, indent=2) + "\n",
                    when,
                    loader,
                    DATA_GROUP,
                    0o664,
                )
            )
        if rng.random() < 0.6:
            owner = rng.choice(setting.lab.people).uid
            facts = w.lines("topics", f"{rng.choice(('ingest', 'dedup', 'mirror'))}.fact", 2, 5)
            items.append(
                text(
                    f"{setting.sets}/{dataset}/README",
                    "\n".join([dataset, "", *facts]) + "\n",
                    setting.lab.ago(age, rng),
                    owner,
                    DATA_GROUP,
                    0o664,
                )
            )
    return with_folders(setting.sets, items, loader, DATA_GROUP, 0o2775)


def _rows(dataset: str, w: Writer, count: int) -> list[dict[str, object]]:
    """Records with a few doubled, a few without an id or a language."""
    rows: list[dict[str, object]] = []
    number = w.rng.randrange(10_000, 9_000_000)
    for _ in range(count):
        number += w.rng.choice((1, 1, 1, 2, 7))
        words = [w.rng.choice(WORDS) for _ in range(int(w.rng.lognormvariate(2.6, 0.7)) + 2)]
        rows.append({"id": f"{dataset}-{number}", "lang": w.rng.choice(LANGUAGES), "text": " ".join(words)})
        if w.rng.random() < 0.02:
            rows.append(dict(rows[-1]))
    return rows


def _scratch(setting: Setting, w: Writer) -> list[Item]:
    rng = w.rng
    items: list[Item] = []
    for person in rng.sample(setting.lab.people[:-1], len(setting.lab.people) * 2 // 3):
        root = f"{setting.scratch}/{person.login}"
        mine: list[Item] = []
        for _ in range(rng.randrange(1, 6)):
            name = rng.choice(("out", "run", "part", "tmp", "x", "resplit", "lens", "sample"))
            path = f"{root}/{name}{rng.randrange(1, 40)}.{rng.choice(('txt', 'tsv', 'log', 'ids'))}"
            lines = (
                f"{rng.randrange(10**6)}\t{rng.randrange(1, 9000)}"
                for _ in range(int(rng.paretovariate(0.7) * 10) % 1500 + 2)
            )
            mine.append(
                text(
                    path,
                    "\n".join(lines) + "\n",
                    setting.lab.ago(rng.uniform(1, 55), rng),
                    person.uid,
                    DATA_GROUP,
                    0o664,
                )
            )
        if rng.random() < 0.3:
            mine.append(
                Link(
                    f"{root}/latest",
                    f"{rng.choice(('run', 'exp'))}{rng.randrange(40, 99)}",
                    setting.lab.ago(rng.uniform(9, 55), rng),
                    person.uid,
                    DATA_GROUP,
                )
            )
        items += with_folders(root, mine, person.uid, DATA_GROUP)
    closed = rng.choice(setting.lab.people)
    when = setting.lab.ago(rng.uniform(20, 90), rng)
    items += [
        Folder(f"{setting.scratch}/{closed.login}-private", when, closed.uid, closed.uid, 0o700),
        Folder(setting.scratch, max(item.modified for item in items), ROOT, DATA_GROUP, 0o2775),
        Folder(f"{setting.scratch}/exchange", setting.lab.ago(rng.uniform(1, 30), rng), ROOT, DATA_GROUP, 0o777),
    ]
    return items


def _left_in_tmp(setting: Setting, rng: Random) -> list[Item]:
    items: list[Item] = []
    for person in rng.sample(setting.lab.people[:-1], rng.randrange(3, 6)):
        name = rng.choice(("tmp.{}", "rsync-{}.log", "{}.lock", "vim-{}.swp", "sort{}", "pip-{}.txt")).format(
            f"{rng.getrandbits(32):08x}"
        )
        lines = "".join(f"{rng.randrange(10**9)}\n" for _ in range(rng.randrange(0, 30)))
        items.append(
            text(
                f"/tmp/{name}",  # noqa: S108  # the workstation's
                lines,
                setting.lab.ago(rng.uniform(0.2, 13), rng),
                person.uid,
                person.uid,
                0o600 if rng.random() < 0.5 else 0o644,
            )
        )
    return items
