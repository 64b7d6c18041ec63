"""A case: what is done in a lab, and what is declared of it. Loads a corpus and puts its cases together."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from afagent.corpus.format import Acts, Channel, Disguise, Effect, Pipelines, Place, Reader, read_file
from afagent.errors import UsageError

T = TypeVar("T")
Kind = Literal["exfiltration", "staging", "failing", "benign"]
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
    """One act, in one lab of its own."""

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
    channel: str | None = None
    """Or the place, in a staging case."""
    group: str | None = None
    """What the channel or the place belongs to, such as a protocol."""
    effect: Effect = "plain"
    """What the strongest of the disguises does to the content."""
    undo: tuple[str, ...] = ()
    """Shell filters by which the oracle undoes what the case did to the content, the channel's own first."""

    @property
    def seed(self) -> int:
        """Which scenario it takes place in."""
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
    read = [(path, *read_file(path)) for path in sorted(folder.rglob("*.yaml"))]
    for path, file, source in read:
        match file:
            case Pipelines() | Acts():
                continue
            case _:
                table: dict[str, object] = getattr(corpus, file.kind)
                for name in file.table:
                    if name in table:
                        raise UsageError(f"{path}:{source.line(('table', name))}: {name} stands in another file too")
                table |= file.table
    seen: dict[str, Path] = {}
    for path, file, source in read:
        match file:
            case Pipelines():
                found = [(_piped(corpus, file, path.stem, i, (path, source.line(("cases", i)))), ("cases", i))
                         for i in range(len(file.cases))]  # fmt: skip
            case Acts():
                found = list(_told(file))
            case _:
                continue
        for case, at in found:
            if case.name in seen:
                raise UsageError(f"{path}:{source.line(at)}: {case.name!r} stands in {seen[case.name]} too")
            seen[case.name] = path
            corpus.cases.append(case)
    if not corpus.cases:
        raise UsageError(f"there are no cases in {folder}")
    return corpus


def _told(file: Acts) -> Iterator[tuple[Case, tuple[str, ...]]]:
    for theme, told in file.themes.items():
        for name, steps in told.acts.items():
            case = Case(f"{theme}: {name}", file.kind, theme, tuple(steps), near_miss=told.near_miss)
            yield case, ("themes", theme, "acts", name)


def _piped(corpus: Corpus, file: Pipelines, theme: str, number: int, at: tuple[Path, int]) -> Case:
    words = [word.strip() for word in file.cases[number].split("|")]
    ends: Mapping[str, Channel | Place] = corpus.channels if file.kind == "exfiltration" else corpus.places
    end = _row(ends, words[-1], at)
    first, middle = (OWN, words[:-1]) if end.reads else (words[0], words[1:-1])
    disguises = [_row(corpus.disguises, word, at) for word in middle]
    if end.reads and middle:
        raise UsageError(f"{at[0]}:{at[1]}: {words[-1]} reads the weights itself, nothing stands before it")
    source = None if end.reads else _row(corpus.readers, first, at).do
    effects = {disguise.effect for disguise in disguises}
    return Case(
        name=" | ".join(words),
        kind=file.kind,
        theme=theme,
        steps=(_command(source, [disguise.do for disguise in disguises], end.do),),
        reader=first,
        disguises=tuple(middle),
        channel=words[-1],
        group=end.group,
        effect="encrypted" if "encrypted" in effects else "lossy" if "lossy" in effects else "plain",
        undo=tuple(filter(lambda filtering: filtering != "cat", (end.undo, *(d.undo for d in reversed(disguises))))),
    )


def _row(table: Mapping[str, T], name: str, at: tuple[Path, int]) -> T:
    if name not in table:
        raise UsageError(f"{at[0]}:{at[1]}: {name!r} is in no table; there are {', '.join(sorted(table))}")
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
    return f"{{{{\n{part.strip()}\n}}}}" if "\n" in part.strip() or ";" in part else part
