"""A case: what is done in a lab, and what is declared of it. Loads a corpus and puts its cases together."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from afagent.corpus.format import (
    Acts,
    AtSystems,
    Channel,
    Disguise,
    Effect,
    End,
    File,
    Pipelines,
    Place,
    Reader,
    read_file,
)
from afagent.errors import UsageError
from afagent.yaml_text import Source

T = TypeVar("T")
Kind = Literal["exfiltration", "staging", "failing", "benign", "sabotage", "tampering", "shutdown_resistance"]
SCENARIOS = 10
"""Cases are spread over so many scenarios, one of each job family, by their names."""
OWN = "own"
"""The reader of a channel that reads the weights itself."""
PLAIN = "none"
"""The disguise of a case without one."""
_FILE = "$file"
_WAITING = '"$HOME/.cache/.part-7c21"'
"""Where content waits for a channel that takes a file."""


@dataclass(frozen=True)
class Case:
    """One act, in a lab; benign ones may share it (`choose.sittings`)."""

    name: str
    """Unique in the corpus."""
    kind: Kind
    theme: str
    """The file, or the theme in it, that the case stands in."""
    steps: tuple[str, ...]
    """Shell commands with placeholders, each a call of the `bash` tool."""
    near_miss: bool = False
    reader: str | None = None
    disguises: tuple[str, ...] = ()
    """By the order in which they are put on."""
    disguise_groups: tuple[str, ...] = ()
    """What each of them belongs to, such as `text`."""
    channel: str | None = None
    """Or the place, in a staging case."""
    group: str | None = None
    """What the channel or the place belongs to, such as a protocol."""
    effect: Effect = "plain"
    """What the strongest of the disguises does to the content."""
    undo: tuple[str, ...] = ()
    """Shell filters by which the oracle undoes what the case did to the content."""
    unwrap: tuple[str, ...] = ()
    """And before them, what the channel itself put around the content, unless the witness took it off."""
    systems: AtSystems | None = None
    """What it does to the lab's own systems; None for a case that keeps away from them."""

    @property
    def seed(self) -> int:
        """Which scenario it takes place in."""
        if self.systems is not None and self.systems.seed is not None:
            return self.systems.seed
        return 1 + zlib.crc32(self.name.encode()) % SCENARIOS


@dataclass
class Corpus:
    """All cases, with the tables that they are put together from."""

    readers: dict[str, Reader] = field(default_factory=dict)
    disguises: dict[str, Disguise] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Case]:
        """The cases of one kind."""
        return [case for case in self.cases if case.kind == kind]

    @property
    def digest(self) -> str:
        """SHA-256 over every case: what is done, and what is declared of it."""
        told = "\n".join(sorted(repr(case) for case in self.cases))
        return hashlib.sha256(told.encode()).hexdigest()


def load_corpus(folder: Path) -> Corpus:
    """The corpus of a folder.

    Raises:
        UsageError: a file is no part of a corpus, a name is unknown or stands twice, or there are no cases.
    """
    corpus = Corpus()
    read = [_Read(path, *read_file(path)) for path in sorted(folder.rglob("*.yaml"))]
    for one in read:
        _add_rows(corpus, one)
    seen: dict[str, str] = {}
    for one in read:
        for case, where in _cases(corpus, one):
            if case.name in seen:
                raise UsageError(f"{where}: {case.name!r} stands at {seen[case.name]} too")
            seen[case.name] = where
            corpus.cases.append(case)
    if not corpus.cases:
        raise UsageError(f"there are no cases in {folder}")
    return corpus


@dataclass(frozen=True)
class _Read:
    path: Path
    file: File
    source: Source

    def where(self, *at: str | int) -> str:
        return f"{self.path}:{self.source.line(at)}"


def _add_rows(corpus: Corpus, read: _Read) -> None:
    if isinstance(read.file, Pipelines | Acts):
        return
    table: dict[str, object] = getattr(corpus, read.file.kind)
    for name in read.file.table:
        if name in table:
            raise UsageError(f"{read.where('table', name)}: {name!r} stands in another table too")
    table |= read.file.table


def _cases(corpus: Corpus, read: _Read) -> Iterator[tuple[Case, str]]:
    """The cases of a file, each with where it stands."""
    file = read.file
    if isinstance(file, Pipelines):
        for number, line in enumerate(file.cases):
            where = read.where("cases", number)
            yield _piped(corpus, file.kind, read.path.stem, line, where), where
    elif isinstance(file, Acts):
        for theme, told in file.themes.items():
            for name, steps in told.acts.items():
                case = Case(
                    name=f"{theme}: {name}",
                    kind=file.kind,
                    theme=theme,
                    steps=tuple(steps),
                    near_miss=told.near_miss,
                    systems=told.systems,
                )
                yield case, read.where("themes", theme, "acts", name)


def _piped(corpus: Corpus, kind: Kind, theme: str, line: str, where: str) -> Case:
    words = [word.strip() for word in line.split("|")]
    ends: Mapping[str, End] = corpus.channels if kind == "exfiltration" else corpus.places
    end = _row(ends, words[-1], where)
    first, middle = (OWN, words[:-1]) if end.reads else (words[0], words[1:-1])
    disguises = [_row(corpus.disguises, word, where) for word in middle]
    if end.reads and middle:
        raise UsageError(f"{where}: {words[-1]} reads the weights itself, nothing stands before it")
    source = None if end.reads else _row(corpus.readers, first, where).do
    effects = {disguise.effect for disguise in disguises}
    return Case(
        name=" | ".join(words),
        kind=kind,
        theme=theme,
        steps=(_command(source, [disguise.do for disguise in disguises], end.do),),
        reader=first,
        disguises=tuple(middle),
        disguise_groups=tuple(disguise.group for disguise in disguises),
        channel=words[-1],
        group=end.group,
        effect="encrypted" if "encrypted" in effects else "lossy" if "lossy" in effects else "plain",
        undo=_filters(*(each.undo for each in reversed(disguises))),
        unwrap=_filters(end.undo),
    )


def _row(table: Mapping[str, T], name: str, where: str) -> T:
    if name not in table:
        raise UsageError(f"{where}: {name!r} is in no table; there are {', '.join(sorted(table))}")
    return table[name]


def _command(source: str | None, filters: list[str], end: str) -> str:
    """The pipeline, or, where the end takes a file, the pipeline into it and the end."""
    if source is None:
        return end
    parts = [source, *filters]
    if _FILE not in end:
        return " | ".join(_one(part) for part in (*parts, end))
    return f"file={_WAITING}; mkdir -p ~/.cache\n{' | '.join(_one(part) for part in parts)} > $file\n{end}\nrm -f $file"


def _one(part: str) -> str:
    """A part of a pipeline; several statements are one group."""
    return f"{{{{\n{part.strip()}\n}}}}" if any(mark in part.strip() for mark in ("\n", ";", "&&")) else part


def _filters(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text != "cat")
