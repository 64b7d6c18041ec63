"""The positive episodes, each with its evidence as the page shows it: acts in time, citations with their links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from afagent.gate.observed import LogRead, Played
from afagent.report.counts import subject_of
from afagent.report.text import Ready, visible_lines
from afagent.report.timelines import Act, Timeline, Wanted
from afagent.report.viewer import link

MOST_TIMELINES = 200
"""Positive episodes that are told with their evidence; the others are listed in a table."""
MOST_LISTED = 2_000
_LONGEST_LINK = 1_000
_CITE = re.compile(r"\[([EM]\d{1,9})\]")
_STRENGTHS = ("proven", "strong", "suspected")
_WORST = ("delivered", "succeeded", "concealed", "attempted", "staged", "false")


@dataclass(frozen=True)
class Part:
    """A piece of a line, perhaps a link."""

    words: str
    href: Ready | None = None


@dataclass(frozen=True)
class Shown:
    """A positive episode."""

    episode: Played
    subject: str
    yes: tuple[str, ...]
    """The questions answered yes."""
    summary: str
    strength: str
    href: Ready | None
    timeline: Timeline | None = None
    cites: Mapping[str, Ready] | None = None
    accounts: tuple[tuple[str, tuple[tuple[Part, ...], ...]], ...] = ()

    def parts(self, act: Act) -> list[Part]:
        """An act's citations."""
        names = [*(f"E{number}" for number in act.events[:8]), *(f"M{number}" for number in act.messages[:8])]
        return [Part(name, (self.cites or {}).get(name)) for name in names]


@dataclass(frozen=True)
class Evidence:
    """All positive episodes: told, listed, and how many are neither."""

    told: tuple[Shown, ...]
    listed: tuple[Shown, ...]
    unlisted: int

    @property
    def total(self) -> int:
        """All of them."""
        return len(self.told) + len(self.listed) + self.unlisted


def positives(reads: Sequence[LogRead]) -> list[Wanted]:
    """The episodes with a yes, the worst and best proven first. Controls are no part of it: theirs are expected."""
    return [_name(episode) for _, episode in _ranked(reads)]


def wanted(reads: Sequence[LogRead]) -> list[Wanted]:
    """Those whose timelines the page has room for: what `read_timelines` is to read."""
    return positives(reads)[:MOST_TIMELINES]


def prepare(reads: Sequence[LogRead], timelines: Sequence[Timeline], viewer: str | None) -> Evidence:
    """The page's view of all positive episodes.

    Args:
        reads: the logs.
        timelines: evidence, of any of the episodes.
        viewer: the viewer's address, as `viewer.check_address` gives it.
    """
    by_name = {(each.log, each.sample, each.epoch): each for each in timelines}
    told: list[Shown] = []
    listed: list[Shown] = []
    for read, episode in _ranked(reads):
        timeline = by_name.get(_name(episode))
        (listed if timeline is None else told).append(_show(read, episode, timeline, viewer))
    return Evidence(tuple(told), tuple(listed[:MOST_LISTED]), max(0, len(listed) - MOST_LISTED))


def _ranked(reads: Sequence[LogRead]) -> list[tuple[LogRead, Played]]:
    found = [
        (read, episode) for read in reads if read.log.role != "control" for episode in read.episodes if _yes(episode)
    ]
    return sorted(found, key=_rank)


def _rank(item: tuple[LogRead, Played]) -> tuple[bool, int, int, str, int, str, str, int]:
    read, episode = item
    worst = min(_place(question.rpartition(".")[2], _WORST) for question in _yes(episode))
    strength = min((_place(each.strength, _STRENGTHS) for each in episode.strongest.values()), default=len(_STRENGTHS))
    where = (episode.task, episode.seed, episode.arm, episode.log, episode.epoch)
    return (read.log.role != "model", worst, strength, *where)


def _place(word: str, order: Sequence[str]) -> int:
    return order.index(word) if word in order else len(order)


def _yes(episode: Played) -> tuple[str, ...]:
    return tuple(sorted(question for question, answer in episode.answers.items() if answer))


def _name(episode: Played) -> Wanted:
    return episode.log, episode.sample, episode.epoch


def _show(read: LogRead, episode: Played, timeline: Timeline | None, viewer: str | None) -> Shown:
    best = min(episode.strongest.values(), key=lambda each: _place(each.strength, _STRENGTHS), default=None)
    cites = _cites(viewer, episode, timeline)
    return Shown(
        episode,
        subject_of(read),
        _yes(episode),
        "" if best is None else best.summary,
        "" if best is None else best.strength,
        _href(viewer, episode),
        timeline,
        cites,
        () if timeline is None else tuple((name, _account(words, cites)) for name, words in timeline.accounts[:8]),
    )


def _cites(viewer: str | None, episode: Played, timeline: Timeline | None) -> dict[str, Ready]:
    if timeline is None:
        return {}
    links = {name: _href(viewer, episode, to) for name, to in timeline.cites.items()}
    return {name: href for name, href in links.items() if href is not None}


def _href(viewer: str | None, episode: Played, to: tuple[str, str] | None = None) -> Ready | None:
    if viewer is None or len(episode.log) + len(episode.sample) + len(to[1] if to else "") > _LONGEST_LINK:
        return None
    return Ready(link(viewer, episode.log, episode.sample, episode.epoch, to))


def _account(words: str, cites: Mapping[str, Ready]) -> tuple[tuple[Part, ...], ...]:
    """An explanation line by line, with its citations as links. Its Markdown stays as it is written."""
    return tuple(tuple(_cited(line, cites)) for line in visible_lines(words))


def _cited(line: str, cites: Mapping[str, Ready]) -> Iterator[Part]:
    for number, piece in enumerate(_CITE.split(line)):
        if piece:
            yield Part(Ready(piece), cites.get(piece) if number % 2 else None)
