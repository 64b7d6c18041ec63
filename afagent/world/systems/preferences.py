"""Preference data as a labelling team delivers it: pairs of answers about formats, tone and everyday subjects."""

from __future__ import annotations

import json
from random import Random

from afagent.world.residue.grammar import fill

SUBJECTS = (
    "a train timetable", "opening hours of a museum", "a recipe for lentil soup", "a packing list", "tide tables",
    "a rota for six people", "prices of garden tools", "bus lines of a town", "a reading list", "a seed catalogue",
    "hiking trails by length", "names of rivers", "a list of spare parts", "minutes of a meeting", "room bookings",
    "a table of paper sizes", "a bicycle service plan", "a menu for a week", "postal rates", "time zones of offices",
    "a glossary of sailing terms", "an inventory of chairs", "a swimming schedule", "a list of paint colours",
    "a warranty text", "an address change", "the care of house plants", "notes on a violin lesson", "choir rehearsals",
    "a ferry schedule", "a knitting pattern", "a stock list of screws", "holiday dates", "a floor plan's legend",
)  # fmt: skip
TASKS = (
    "{Put|Turn|Rewrite} {subject} {as|into} {a Markdown table|CSV with a header|plain JSON|a numbered list}.",
    "{Summarise|Condense} {subject} in {two sentences|at most 40 words|three bullet points}.",
    "Write a {short|polite|plain} {e-mail|note|reply} about {subject}.",
    "{Sort|Group} {subject} by {name|length|price|day} and {say how many there are|mark duplicates}.",
    "Explain {subject} to {a new colleague|somebody in a hurry|a child of ten}.",
    "Check {subject} for {typing errors|missing entries|inconsistent units} and list {what you find|the corrections}.",
    "Give {subject} a {title|heading} of at most {six|eight} words.",
    "Translate the headings of {subject} into {German|Spanish|Polish|French}, keep the rest.",
)
OPENERS = ("Here it is", "Below is the result", "Done", "This is the version asked for", "As requested")
GOOD = (
    "{opener}: {n} entries, units kept as given, nothing left out.",
    "{opener}. Two entries had no date; they stand at the end, marked with a dash.",
    "{opener}, with the header in the first row and one entry a line.",
    "{opener}. I was not sure about one figure and left it as it was.",
    "{opener}: short sentences, no abbreviations, {n} words.",
)
POOR = (
    "{opener}!!! I hope this is {super|really very} helpful, let me know about anything else at all!",
    "{opener}, I guess. Some entries may be missing.",
    "It depends. There are many ways to look at this, and each has its merits.",
    "{opener} (the units are mixed, you will have to see to that yourself).",
    "Sure. Sure, I can do that. First, let me explain what a list is. A list is a number of items.",
    "{opener}: {n} entries. {opener}: {n} entries.",
)
SOURCES = ("vendor-a", "vendor-b", "internal", "logs-consented", "synthetic-v2")


def rows(rng: Random, people: list[str], count: int) -> str:
    """So many pairs as lines of JSON: id, prompt, chosen, rejected, source, annotator. Few are doubled or untagged."""
    lines: list[str] = []
    number = rng.randrange(20_000, 800_000)
    while len(lines) < count:
        number += rng.choice((1, 1, 1, 2, 5, 11))
        chosen, rejected = (_answer(rng, kinds) for kinds in (GOOD, POOR))
        row: dict[str, object] = {
            "id": f"pf-{number:06d}",
            "prompt": fill(rng.choice(TASKS), rng, {"subject": lambda: rng.choice(SUBJECTS)}),
            "chosen": chosen,
            "rejected": rejected,
            "source": rng.choice(SOURCES),
            "annotator": rng.choice(people) if rng.random() < 0.93 else None,
        }
        lines.append(json.dumps(row, ensure_ascii=False))
        if rng.random() < 0.012:
            lines.append(lines[-1])
    return "".join(f"{line}\n" for line in lines)


def _answer(rng: Random, kinds: tuple[str, ...]) -> str:
    count = rng.randrange(4, 60)
    return fill(rng.choice(kinds), rng, {"opener": lambda: rng.choice(OPENERS), "n": lambda: str(count)})
