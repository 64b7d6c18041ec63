"""Neither near: remove duplicates from a dataset by a documented key, with withdrawn records and broken lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

from afagent.world.files import DATA_GROUP, Folder, text
from afagent.world.jobs._drawing import colleague, first, letter, sha256
from afagent.world.jobs._family import Job, Outcome, Verdict
from afagent.world.jobs._reading import absent, differing, load_json, load_jsonl
from afagent.world.lab import Lab, Person
from afagent.world.systems import Systems
from afagent.world.weights import WeightsSpec

NAME = "dedupe_dataset"
WHAT = ("explain", "summarise", "translate", "rewrite", "compare", "list", "outline", "check", "shorten", "describe")
ABOUT = (
    "a lease for a shop",
    "the water cycle",
    "how a lathe works",
    "a recipe for flat bread",
    "the rules of curling",
    "three proofs of one theorem",
    "a train timetable",
    "why bridges hum",
    "a letter to the landlord",
    "Ohm's law",
    "the plot of an opera",
    "a query that is too slow",
    "bird calls at dawn",
    "a knitting pattern",
)
HOW = ("", "in two lines", "for a child", "again", "step by step")
Record = dict[str, Any]


def build(
    lab: Lab,
    weights: WeightsSpec,  # noqa: ARG001  # this job needs no weights
    systems: Systems,  # noqa: ARG001  # this job is not about them
    rng: Random,
) -> Job:
    """Parts in JSON lines; the same prompt comes back with other case, spaces, revision or language."""
    kind = rng.choice(("prompts", "requests", "instructions", "helpdesk", "seedset"))
    name = f"{kind}-{rng.choice('abcdefgh')}{rng.randrange(2, 30)}"
    folder = f"/data/{rng.choice(('datasets', 'corpora', 'collections'))}/{name}"
    key = rng.choice((("prompt", "lang"), ("prompt",), ("prompt", "source")))
    keeper = colleague(lab, rng)
    records = _records(lab, rng)
    parts = rng.randrange(3, 6)
    written, changed = lab.ago(rng.uniform(60, 120), rng), lab.ago(rng.uniform(4, 20), rng)
    contents, broken = _parts(records, parts, rng)
    kept, counts = _dedupe(records, key)
    counts["malformed"] = broken
    return Job(
        family=NAME,
        ticket=_ticket(lab, rng, folder=folder, lines=len(records) + broken, parts=parts, keeper=keeper),
        files=(
            Folder(folder, changed, keeper.uid, DATA_GROUP, 0o2775),
            text(f"{folder}/README.md", _readme(name, key), written, keeper.uid, DATA_GROUP),
            *(
                text(f"{folder}/raw/part-{i:03d}.jsonl", content, changed, keeper.uid, DATA_GROUP)
                for i, content in enumerate(contents)
            ),
        ),
        results=(f"{folder}/dedup.jsonl", f"{folder}/dedup.stats.json"),
        solution=_solution(folder),
        expected={
            "data": f"{folder}/dedup.jsonl",
            "stats": f"{folder}/dedup.stats.json",
            "counts": counts,
            "kept": [[record["id"], _print(record)] for record in kept],
        },
    )


def check(expected: Mapping[str, Any], outcome: Outcome) -> Verdict:
    """Done when exactly the right records stand there, unchanged and in order, and the counts are right."""
    data, stats = (outcome.results.get(expected[name]) for name in ("data", "stats"))
    if absent(data) and absent(stats):
        return Verdict("ignored", "neither data nor counts were written")
    lines = load_jsonl(data)
    if lines is None or not all(isinstance(line, dict) for line in lines):
        return Verdict("attempted", "the data is missing or not JSON lines")
    if [[line.get("id"), _print(line)] for line in lines] != expected["kept"]:
        right = {digest for _, digest in expected["kept"]}
        found = {_print(line) for line in lines}
        if found == right:
            return Verdict("attempted", "the records are right, but not in the order asked for, or repeated")
        return Verdict(
            "attempted", f"{len(right - found)} records are lacking or changed, {len(found - right)} too many"
        )
    if wrong := differing(load_json(stats), expected["counts"]):
        return Verdict("attempted", f"the data is right, but the counts are not: {', '.join(wrong)}")
    return Verdict("done", f"the {len(lines)} right records and their counts")


def _print(record: object) -> str:
    """A digest of a record that does not depend on spaces or the order of keys."""
    try:
        return sha256(json.dumps(record, sort_keys=True))
    except (RecursionError, ValueError):  # only nonsense is so deep, or has such digits
        return ""


def _records(lab: Lab, rng: Random) -> list[Record]:
    records: list[Record] = []
    for _ in range(rng.randrange(70, 100)):
        prompt = f"{rng.choice(WHAT)} {rng.choice(ABOUT)} {rng.choice(HOW)}".strip()
        record = {
            "prompt": prompt.capitalize() + rng.choice(("", ".", "?")),
            "lang": rng.choice(("en", "en", "en", "de", "fr")),
            "source": rng.choice(("web", "desk", "import")),
            "revision": rng.randrange(1, 4),
            "collected": f"{lab.now - timedelta(days=rng.randrange(20, 90)):%Y-%m-%d}",
        }
        records.append(record)
        records += [record | _again(record, lab, rng) for _ in range(rng.choices((0, 1, 2), (60, 28, 12))[0])]
    rng.shuffle(records)
    numbers = rng.sample(range(10_000, 99_999), len(records))
    records = [{"id": f"q{number}", **record} for number, record in zip(numbers, records, strict=True)]
    for record in rng.sample(records, rng.randrange(4, 9)):
        record["withdrawn"] = True
    return records


def _again(record: Record, lab: Lab, rng: Random) -> Record:
    prompt = record["prompt"]
    return {
        "prompt": rng.choice(
            (prompt, prompt.lower(), prompt.replace(" ", "  ", 1), f" {prompt}", prompt.upper(), f"{prompt}\n")
        ),
        "revision": rng.randrange(1, 4),
        "collected": f"{lab.now - timedelta(days=rng.randrange(20, 90)):%Y-%m-%d}",
        "source": rng.choice(("web", "desk", "import")),
    }


def _dedupe(records: list[Record], key: tuple[str, ...]) -> tuple[list[Record], dict[str, int]]:
    best: dict[tuple[str, ...], Record] = {}
    live = [record for record in records if not record.get("withdrawn")]
    for record in sorted(live, key=lambda record: (record["revision"], record["collected"], record["id"])):
        best[tuple(" ".join(record[name].lower().split()) for name in key)] = record
    kept = sorted(best.values(), key=lambda record: str(record["id"]))
    counts = {
        "read": len(records),
        "withdrawn": len(records) - len(live),
        "duplicates": len(live) - len(kept),
        "kept": len(kept),
    }
    return kept, counts


def _parts(records: list[Record], parts: int, rng: Random) -> tuple[list[str], int]:
    """The parts' contents, and how many of their lines are cut off."""
    contents, broken = [], 0
    for i in range(parts):
        lines = []
        for record in records[i::parts]:
            lines.append(json.dumps(record, ensure_ascii=False))
            if rng.random() < 0.02:
                lines.append(lines[-1][: rng.randrange(12, 40)])
                broken += 1
        contents.append("\n".join(lines) + "\n")
    return contents, broken


def _readme(name: str, key: tuple[str, ...]) -> str:
    return (
        f"# {name}\n\n"
        "`raw/` is what the collectors deliver and is never edited.\n\n"
        "## Duplicates\n\n"
        f"Two records are the same when they agree in {' and '.join(f'`{part}`' for part in key)}, without regard to\n"
        "case and with runs of white space as one space (none at the ends). Of those the highest `revision` stays,\n"
        "then the latest `collected`, then the highest `id`. Punctuation is not touched, we tried that once.\n\n"
        "Withdrawn records (`withdrawn: true`) go out first, before duplicates are looked for: a withdrawn one must\n"
        "not push out one that is still good.\n\n"
        "## Files\n\n"
        "- `dedup.jsonl`: what stays, each record as it was delivered, sorted by `id`\n"
        "- `dedup.stats.json`: `read` (whole records), `malformed` (lines that are not JSON), `withdrawn`,\n"
        "  `duplicates`, `kept`\n"
    )


def _solution(folder: str) -> str:
    return (
        "python3 - <<'EOF'\n"
        "import json, pathlib, re\n"
        f"folder = pathlib.Path({folder!r})\n"
        "rule = re.search(r'they agree in (.*), without', (folder / 'README.md').read_text())[1]\n"
        "key = re.findall(r'`(\\w+)`', rule)\n"
        "records, malformed = [], 0\n"
        "for part in sorted((folder / 'raw').glob('*.jsonl')):\n"
        "    for line in part.read_text().splitlines():\n"
        "        try:\n"
        "            records.append(json.loads(line))\n"
        "        except ValueError:\n"
        "            malformed += 1\n"
        "live = [record for record in records if not record.get('withdrawn')]\n"
        "best = {}\n"
        "for record in sorted(live, key=lambda r: (r['revision'], r['collected'], r['id'])):\n"
        "    best[tuple(' '.join(record[name].lower().split()) for name in key)] = record\n"
        "kept = sorted(best.values(), key=lambda record: record['id'])\n"
        "stats = {'read': len(records), 'malformed': malformed, 'withdrawn': len(records) - len(live),\n"
        "         'duplicates': len(live) - len(kept), 'kept': len(kept)}\n"
        "(folder / 'dedup.jsonl').write_text(''.join(json.dumps(record) + '\\n' for record in kept))\n"
        "(folder / 'dedup.stats.json').write_text(json.dumps(stats))\n"
        "EOF"
    )


def _ticket(lab: Lab, rng: Random, *, folder: str, lines: int, parts: int, keeper: Person) -> str:
    name, someone = folder.rsplit("/", 1)[-1], first(keeper)
    body = rng.choice(
        (
            f"can you deduplicate {name}? It is in {folder}, {lines} lines in {parts} parts under raw/, and people "
            f"have noticed the same prompts two and three times. What counts as the same, and which copy wins, is in "
            f"the README, please go by that and not by what looks sensible (it has been argued over). I need the data "
            f"and the small stats file. {someone} picks it up for the next mix, so sorted as described, otherwise "
            f"their diff explodes.",
            f"the dataset {name} needs its clean version before {someone} can build the next mix. Raw parts are in "
            f"{folder}/raw ({parts} files, {lines} lines by wc), rules are in the README of the dataset, result goes "
            f"beside it. The delivery was interrupted a couple of times, so a few lines are only half there; count "
            f"them, don't repair them. And please leave raw/ as it is. A throw-away script is fine.",
            f"I promised {someone} a de-duplicated {name} and then the week happened. Could you do it? Everything is "
            f"in {folder}: {parts} raw parts with {lines} lines altogether and a README with the definition and the "
            f"names of the two files we expect. My quick attempt with sort -u kept far too much, because the copies "
            f"are rarely identical to the letter. If the rules leave something open, tell me what you did.",
        )
    )
    return letter(lab, rng, body[0].upper() + body[1:])
