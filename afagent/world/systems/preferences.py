"""Preference data as a labelling team delivers it: pairs of answers to everyday requests, one better than the other.

Each request comes with its own material (a list, a note, a figure), so that what is better about an answer can be seen
in it: it is complete, keeps to the format, does not pad, does not make up what was not there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from afagent.world.residue.grammar import fill

Exchange = tuple[str, str, str]
"""Prompt, the better answer, the worse one."""

THINGS = (
    "garden hose", "door hinge", "desk lamp", "rain barrel", "wood glue", "paint roller", "bicycle pump", "tool box",
    "step ladder", "bread knife", "oven tray", "pocket mirror", "reading lamp", "picnic rug", "watering can", "tea pot",
    "wall clock", "extension lead", "curtain rail", "seed tray", "camp stove", "sleeping mat", "head torch", "dry bag",
)  # fmt: skip
PLACES = (
    "the harbour office", "the village hall", "platform 4", "the reading room", "the east car park", "the old mill",
    "the swimming baths", "the tram depot", "the allotments", "the rowing club", "the town archive", "the school gym",
)  # fmt: skip
EVENTS = (
    "choir rehearsal", "the ferry timetable talk", "the repair cafe", "the flower show", "swimming lessons",
    "the book sale", "the chess evening", "first-aid refresher", "the committee meeting", "the lantern walk",
    "pottery class", "the boat inspection", "the seed exchange", "the cycling course",
)  # fmt: skip
NAMES = ("Ines", "Tomas", "Wanda", "Olle", "Birgit", "Rafael", "Noor", "Edda", "Kofi", "Maren", "Pavel", "Lioba")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
TERMS = (
    ("grain of a paper", "the direction in which most of its fibres lie; it folds and tears more easily along it"),
    ("spring tide", "the large tides about new and full moon, when sun and moon pull in one line; not the season"),
    ("dead reckoning", "to estimate a position from the last known one, course, speed and time gone by"),
    ("blanching", "to boil vegetables briefly and cool them in cold water, so that they keep colour and bite"),
    ("a gusset", "a piece of cloth set into a seam to give more room or strength, such as under an arm"),
    ("hardening off", "to put seedlings outside for some hours a day, so that they get used to wind and sun"),
    ("a leap second", "a second put into the clock now and then, since the turning of the earth is not quite even"),
    ("kerning", "the space between two letters, set so that pairs such as A and V do not look apart"),
    ("the pitch of a screw", "the distance from one thread to the next; with a fine pitch a turn moves it less"),
    ("proving dough", "to let it rest in the warm until yeast has filled it with gas and it has about doubled"),
)
PADDING = (
    "What a great question! ",
    "I would be absolutely delighted to help you with this today! ",
    "As you may know, there are many ways to look at this, and each has its merits. ",
    "Sure. Before I begin, let me explain what the request is about. ",
)
CLOSERS = (
    " I hope this is helpful! Let me know about anything else at all!",
    " Please note that results may vary and that you should consult an expert.",
    " Feel free to ask me to do it again in another way.",
    "",
)
SOURCES = ("vendor-a", "vendor-b", "internal", "logs-consented", "synthetic-v2")


def rows(rng: Random, people: list[str], count: int) -> str:
    """So many pairs as lines of JSON: id, prompt, chosen, rejected, source, annotator. Few are doubled or untagged."""
    lines: list[str] = []
    number = rng.randrange(20_000, 800_000)
    while len(lines) < count:
        number += rng.choice((1, 1, 1, 2, 5, 11))
        prompt, chosen, rejected = rng.choice(KINDS)(rng)
        row: dict[str, object] = {
            "id": f"pf-{number:06d}",
            "prompt": prompt,
            "chosen": chosen,
            "rejected": rejected,
            "source": rng.choice(SOURCES),
            "annotator": rng.choice(people) if rng.random() < 0.93 else None,
        }
        lines.append(json.dumps(row, ensure_ascii=False))
        if rng.random() < 0.012:
            lines.append(lines[-1])
    return "".join(f"{line}\n" for line in lines)


def _say(rng: Random, template: str) -> str:
    return fill(template, rng, {})


def _padded(rng: Random, answer: str) -> str:
    return rng.choice(PADDING) + answer + rng.choice(CLOSERS)


def _goods(rng: Random, least: int = 4, most: int = 9) -> list[tuple[str, int, float]]:
    """Thing, number in stock, price."""
    return [
        (thing, rng.randrange(1, 90), rng.randrange(150, 8900) / 100)
        for thing in rng.sample(THINGS, rng.randrange(least, most))
    ]


def _dates(rng: Random) -> list[tuple[str, str, str, str]]:
    """Event, day, time, place."""
    events = rng.sample(EVENTS, rng.randrange(3, 6))
    return [
        (e, rng.choice(DAYS), f"{rng.randrange(8, 20)}:{rng.choice(('00', '15', '30'))}", rng.choice(PLACES))
        for e in events
    ]


def _table(rng: Random) -> Exchange:
    goods = _goods(rng)
    listed = "; ".join(f"{thing} {number} at {price:.2f}" for thing, number, price in goods)
    ask = _say(
        rng,
        "{Put|Turn|Bring} this into {a Markdown table|a table in Markdown}, {columns item, stock, price|one row each}",
    )
    head = "| item | stock | price |\n| --- | ---: | ---: |\n"
    lines = [f"| {thing} | {number} | {price:.2f} |" for thing, number, price in goods]
    worse = head + "\n".join(lines[:-1]) if rng.random() < 0.5 else _padded(rng, listed.replace("; ", ", "))
    return f"{ask}: {listed}", head + "\n".join(lines), worse


def _csv(rng: Random) -> Exchange:
    goods = _goods(rng, 3, 7)
    listed = "\n".join(f"- {number} x {thing}, {price:.2f} each" for thing, number, price in goods)
    ask = _say(
        rng, "{CSV with a header please|As CSV, header first}, {nothing else around it|no comment before or after}:\n"
    )
    body = "item,count,price\n" + "\n".join(f"{thing},{number},{price:.2f}" for thing, number, price in goods)
    return (
        ask + listed,
        body,
        f"Here is your CSV file:\n\n```\n{body.replace(',', ', ')}\n```\n" + rng.choice(CLOSERS).strip(),
    )


def _sum(rng: Random) -> Exchange:
    goods = _goods(rng, 3, 6)
    total = sum(number * price for _, number, price in goods)
    listed = ", ".join(f"{number} {thing}s at {price:.2f}" for thing, number, price in goods)
    ask = _say(rng, "{What does this come to|What is the total}{?|, and how did you get there?} ")
    steps = "\n".join(f"{number} x {price:.2f} = {number * price:.2f}" for _, number, price in goods)
    wrong = total + rng.choice((-10, 9, 0.9, -0.09, 100))
    return (
        ask + listed,
        f"{steps}\nTotal: {total:.2f}",
        _say(rng, f"{{About|It is|The total is}} {wrong:.2f}.") + rng.choice(CLOSERS),
    )


def _sorted(rng: Random) -> Exchange:
    goods = _goods(rng, 5, 9)
    by_price = rng.random() < 0.5
    order = sorted(goods, key=lambda one: one[2] if by_price else one[1], reverse=True)
    ask = f"Sort by {'price' if by_price else 'stock'}, {_say(rng, '{highest|largest} first')}, and keep the figures: "
    text = [f"{thing} ({number} in stock, {price:.2f})" for thing, number, price in goods]
    numbered = [f"{i}. {thing} ({number} in stock, {price:.2f})" for i, (thing, number, price) in enumerate(order, 1)]
    worse = ", ".join(sorted(thing for thing, _, _ in goods))
    return ask + ", ".join(text), "\n".join(numbered), f"{worse}.{rng.choice(CLOSERS)}"


def _note(rng: Random) -> Exchange:
    event, day, at, place = _dates(rng)[0]
    who, sender = rng.sample(NAMES, 2)
    reason = _say(rng, "{the room is taken|the heating is off|two people are ill|the key is not back yet}")
    new = rng.choice([other for other in DAYS if other != day])
    ask = _say(rng, "{Write|Draft} a {short|brief} {note|mail} to ") + (
        f"{who}: {event} is not on {day} but on {new} at {at}, {place}, because {reason}. From {sender}."
    )
    better = f"Hi {who},\n\n{event} moves from {day} to {new}, {at}, {place}: {reason}.\n\nBest\n{sender}"
    worse = (
        f"Dear {who},\n\nI hope this message finds you well. I am writing to inform you that, owing to unforeseen "
        f"circumstances, {event} will unfortunately have to be moved. We apologise for this.\n\nKind regards"
    )
    return ask, better, worse


def _summary(rng: Random) -> Exchange:
    dates = _dates(rng)
    who = rng.choice(NAMES)
    text = " ".join(f"On {day} at {at} there is {event} in {place}." for event, day, at, place in dates)
    text += _say(rng, f" {{{who} brings the keys|The keys are with {who}}}.")
    text += _say(rng, " {Coffee is to be paid for|Nobody has booked the projector}.")
    first = ", ".join(f"{day} {at} {event}" for event, day, at, _ in dates)
    ask = _say(rng, "{Summarise in one sentence|One sentence, nothing left out that has a time|Shorten to a line}: ")
    worse = f"The text is about several events in the week, among them {dates[0][0]}, and about {who}."
    return ask + text, f"{first}; {who} has the keys.", worse


def _json(rng: Random) -> Exchange:
    dates = _dates(rng)
    text = "; ".join(f"{event}, {day}, {at}, {place}" for event, day, at, place in dates)
    made = [{"event": event, "day": day, "time": at, "place": place} for event, day, at, place in dates]
    ask = _say(rng, "{Plain JSON, a list of objects|A JSON array} with event, day, time, place{.| and nothing else.} ")
    loose = json.dumps([{**each, "notes": "bring a friend!"} for each in made[:-1]], indent=2)
    worse = rng.choice((json.dumps(made).replace('"', "'"), f"Sure! ```json\n{loose}\n```"))
    return ask + text, json.dumps(made, indent=2), worse


def _term(rng: Random) -> Exchange:
    term, meaning = rng.choice(TERMS)
    reader = _say(rng, "{somebody who has never heard of it|a child of ten|a new colleague|a visitor}")
    ask = _say(rng, f"{{What is|Explain|In two lines, what is}} {term}? It is for {reader}.")
    better = _say(rng, f"{{In short|Put simply|It means}}: {meaning}.")
    better += _say(rng, " {More than that one need not know here.|Ask if you want an example.}")
    worse = _padded(rng, f"{term[0].upper()}{term[1:]} is a term that is used by people who know the subject.")
    return ask, better, worse


def _clash(rng: Random) -> Exchange:
    dates = _dates(rng)
    event, day, at, place = dates[0]
    other = rng.choice([each for each in EVENTS if each not in {one[0] for one in dates}])
    every = [*dates, (other, day, at, place)]
    rng.shuffle(every)
    text = "\n".join(f"{name} | {when} | {hour} | {where}" for name, when, hour, where in every)
    ask = _say(
        rng,
        "{Is anything booked twice here?|Check these bookings for clashes.} {Do not change them.|Only say which.}\n",
    )
    better = f"One clash: {event} and {other} are both on {day} at {at} in {place}. I have changed nothing."
    worse = rng.choice(("No clashes, everything looks fine!", f"I have moved {other} to the next free day for you."))
    return ask + text, better, worse + rng.choice(CLOSERS)


def _units(rng: Random) -> Exchange:
    what = rng.choice(("rope", "hedge", "curtain", "kerb", "fence", "shelf"))
    pieces = [rng.randrange(40, 990) for _ in range(rng.randrange(3, 6))]
    ask = f"The {what} is in pieces of {', '.join(f'{piece} cm' for piece in pieces)}. "
    ask += _say(rng, "{How long is that in metres|Metres in all}?")
    better = f"{' + '.join(str(piece) for piece in pieces)} = {sum(pieces)} cm, which is {sum(pieces) / 100:.2f} m."
    worse = _padded(rng, f"That is {sum(pieces) / 10:.1f} m, or about {sum(pieces) // 30} feet.")
    return ask, better, worse


def _unknown(rng: Random) -> Exchange:
    event, day, _, place = _dates(rng)[0]
    what = _say(rng, "{what does a ticket cost|who holds the key|how many have signed up|when does it end}")
    ask = f"{event[0].upper()}{event[1:]} is on {day} in {place}. {_say(rng, '{From this|Going by that}')}, {what}?"
    better = f"That is not in what you sent: it gives only the day ({day}) and the place ({place})."
    better += _say(rng, " {Shall I write to them?|The office will know.}")
    invented = _say(rng, f"{{Twelve, as far as I know|It is {rng.choice(NAMES)}|Usually about {rng.randrange(3, 40)}}}")
    return ask, better, f"{invented}.{rng.choice(CLOSERS)}"


def _polish(rng: Random) -> Exchange:
    who, thing = rng.choice(NAMES), rng.choice(THINGS)
    count = rng.randrange(2, 40)
    start = _say(rng, f"hi {who}, the {thing} {{wich|that}} we {{orderd|odered}}")
    rough = start + _say(rng, f" {{didnt|did'nt}} came, only {count} of them, {{pleas|plese}} look")
    ask = _say(rng, "{Correct the spelling, change nothing else|Fix only the errors}: ") + rough
    which = "which" if "wich" in start else "that"
    better = f"Hi {who}, the {thing} {which} we ordered didn't come, only {count} of them, please look."
    worse = f"Dear {who}, I trust you are well. Regrettably our order of {count} {thing}s is incomplete. Kindly look."
    return ask, better, worse


KINDS: tuple[Callable[[Random], Exchange], ...] = (
    _table, _csv, _sum, _sorted, _note, _summary, _json, _term, _clash, _units, _unknown, _polish,
)  # fmt: skip
