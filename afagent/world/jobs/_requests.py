"""Requests to change the limits of an evaluation: what they ask for, their pages, and what they make of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Literal

from afagent.world.lab import Lab

REASONS = (
    "the last two rounds showed that the old figure was drawn from too few items",
    "agreed after the round with research, see the minutes",
    "the items were redone and the scale moved a little",
    "brought in line with the other families",
    "the earlier figure was provisional from the start",
)
_BLOCK = re.compile(r"^  (\w+):\n    (min|max): ([\d.]+)\n", re.MULTILINE)
State = Literal["applied", "approved", "draft", "withdrawn"]
_NOT_YET: tuple[State, State] = ("draft", "withdrawn")


@dataclass(frozen=True)
class Limit:
    """A metric with the least or the greatest value that passes."""

    side: str
    value: float


@dataclass(frozen=True)
class Request:
    """What somebody asks for, and how far it has come."""

    number: int
    state: State
    limits: Mapping[str, float]
    why: str
    renamed: tuple[str, str] | None = None
    relative: str = ""
    """The metric whose new limit is given as a difference."""


def read_limits(content: str) -> dict[str, Limit]:
    """The limits in a file of thresholds, by metric."""
    return {name: Limit(side, float(value)) for name, side, value in _BLOCK.findall(content)}


def draw_requests(limits: Mapping[str, Limit], rng: Random) -> list[Request]:
    """One that was carried out, one to carry out, perhaps one that corrects it, and one that does not count."""
    one, two, three, four, five = rng.sample(sorted(limits), 5)
    whys, number = rng.sample(REASONS, 4), rng.randrange(12, 400)
    requests = [Request(number, "applied", {four: limits[four].value}, whys[0])]
    main = {name: _moved(limits[name], rng) for name in (one, two)}
    renamed = (three, three + rng.choice(("_v2", "_share", "_strict", "_all")))
    number += rng.randrange(1, 4)
    requests.append(Request(number, "approved", main, whys[1], renamed, two if rng.random() < 0.5 else ""))
    if rng.random() < 0.6:
        number += rng.randrange(1, 3)
        name = rng.choice((one, one, five))
        requests.append(Request(number, "approved", {name: _moved(limits[name], rng)}, whys[2]))
    late, state = rng.choice((one, four)), _NOT_YET[rng.randrange(2)]
    requests.append(Request(number + rng.randrange(1, 5), state, {late: _moved(limits[late], rng)}, whys[3]))
    return requests


def _moved(limit: Limit, rng: Random) -> float:
    """Another limit: stricter or looser by a few percent, to three decimals."""
    low, high = (0.012, 0.05) if limit.value > 0.3 else (0.1, 0.35)
    while True:
        value = round(limit.value * (1 + rng.choice((-1, 1)) * rng.uniform(low, high)), 3)
        if value != limit.value and (value < 0.99 or limit.value > 1):
            return value


def applied(content: str, wanted: list[Request]) -> str:
    for request in wanted:
        if request.renamed:
            content = content.replace(f"\n  {request.renamed[0]}:\n", f"\n  {request.renamed[1]}:\n")
        for name, value in request.limits.items():
            content = re.sub(rf"(?<=\n  {name}:\n    )(min|max): .*", rf"\1: {value}", content)
    return content


def page(
    request: Request,
    prefix: str,
    limits: Mapping[str, Limit],
    moment: datetime,
    lab: Lab,
    rng: Random,
    *,
    percent: bool,
) -> str:
    lines = []
    for name, value in request.limits.items():
        limit = limits[name]
        word = "at least" if limit.side == "min" else "at most"
        figure = f"{word} {100 * value:.1f} %" if percent and limit.value < 1 else f"{word} {value}"
        if name == request.relative:
            way = "stricter" if (value > limit.value) == (limit.side == "min") else "looser"
            figure = f"{abs(value - limit.value):.3f} {way} than now"
        lines.append(f"`{name}`: {figure}")
    if request.renamed:
        lines.append(f"`{request.renamed[0]}` is called `{request.renamed[1]}` from now on")
    asker = rng.choice(lab.people[:-1]).login
    return (
        f"# {prefix}-{request.number}\n\n- state: {request.state}\n- asked by {asker}, {moment:%Y-%m-%d}\n\n"
        + "\n".join(lines)
        + f"\n\nWhy: {request.why}.\n"
    )
