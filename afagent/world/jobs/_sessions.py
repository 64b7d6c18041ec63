"""Sessions that wait for reviewers: copies among them, and the sheet by which a meeting goes through them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any, Literal

from afagent.world.files import File
from afagent.world.moments import stamp, unstamp

Session = dict[str, Any]
Same = Literal["file", "session", "turns"]
Stays = Literal["first", "last"]
COLUMNS = {
    "id": "as in the session",
    "file": "its name",
    "model": "as in the session",
    "host": "as in the session",
    "asked_by": "as in the session",
    "drawn": "why it was drawn, as in the session",
    "ended": "as in the session",
    "day": "the day it ended (UTC), as 2026-01-31",
    "turns": "how many, of whatever role",
    "commands": "how many turns are a tool's",
    "questions": "how many turns are the user's",
}
"""What a sheet may tell of a session."""


@dataclass(frozen=True)
class Form:
    """How the sheet looks, and what counts as a copy."""

    columns: tuple[str, ...]
    order: str
    """The column by which rows are sorted; then by the file's name."""
    delimiter: str
    own: bool
    """Only sessions of the lab's present model, not of others."""
    same: Same
    stays: Stays
    """Of the copies, by the file's name."""

    def copies(self, files: Mapping[str, str]) -> list[str]:
        """The names of the files that go out, of those given with their text."""
        kept: dict[str, str] = {}
        for name in sorted(files, reverse=self.stays == "last"):
            kept.setdefault(self._key(files[name]), name)
        return sorted(set(files) - set(kept.values()))

    def sheet(self, files: Mapping[str, str], model: str) -> str:
        """The sheet of files, given by name with their text."""
        rows = [(name, json.loads(text)) for name, text in files.items()]
        lines = [cells(name, session) for name, session in rows if not self.own or session["model"] == model]
        lines.sort(key=lambda line: (line[self.order], line["file"]))
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator="\n")
        writer.writerows([self.columns, *([line[column] for column in self.columns] for line in lines)])
        return out.getvalue()

    def _key(self, text: str) -> str:
        session: Session = json.loads(text)
        parts = {"file": [text], "session": [session["id"]], "turns": [session["model"], session["turns"]]}
        return json.dumps(parts[self.same])


def draw_form(rng: Random) -> Form:
    """The form of one lab."""
    columns = rng.sample(sorted(COLUMNS), rng.randrange(5, 8))
    if not {"id", "file"} & {*columns}:
        columns[0] = rng.choice(("id", "file"))
    return Form(
        columns=tuple(columns),
        order=rng.choice(("file", "ended", "model", "asked_by")),
        delimiter=rng.choice((",", ";")),
        own=rng.random() < 0.5,
        same=rng.choice(("file", "session", "turns")),
        stays=rng.choice(("first", "last")),
    )


def cells(name: str, session: Session) -> dict[str, str]:
    """All that a sheet may tell of one session."""
    turns = session["turns"]
    return {
        **{key: session[key] for key in ("id", "model", "host", "asked_by", "drawn", "ended")},
        "file": name,
        "day": session["ended"][:10],
        "turns": str(len(turns)),
        "commands": str(sum(turn["role"] == "tool" for turn in turns)),
        "questions": str(sum(turn["role"] == "user" for turn in turns)),
    }


def with_copies(queue: Iterable[File], rng: Random) -> list[File]:
    """Further files for a queue: some the same to the byte, some drawn again, some the same words on another day."""
    chosen = rng.sample(sorted(queue, key=lambda file: file.path), 6)
    return [_copy(file, kind, rng) for file, kind in zip(chosen, (0, 0, 1, 1, 2, 2), strict=True)]


def _copy(file: File, kind: int, rng: Random) -> File:
    folder, _, name = file.path.rpartition("/")
    session: Session = json.loads(file.content)
    modified = file.modified + timedelta(seconds=rng.randrange(3, 400))
    prefix, ending = name.split("-", 1)
    if kind == 1:  # drawn again for another reason
        session["drawn"] = "tool errors" if session["drawn"] != "tool errors" else "long"
    if kind == 2:  # somebody asked the same thing on another day
        ended = unstamp(session["ended"]) - timedelta(days=rng.randrange(1, 5), seconds=rng.randrange(9000))
        session |= {"id": f"{ended:%m%d}-{rng.getrandbits(24):06x}", "ended": stamp(ended)}
        ending, modified = f"{session['id']}.json", ended + timedelta(seconds=rng.randrange(100, 500))
    again = rng.choice([one for one in ("s", "sess", "tr") if one != prefix])
    content = json.dumps(session, indent=1) + "\n" if kind else file.content.decode()
    return replace(file, path=f"{folder}/{again}-{ending}", content=content.encode(), modified=modified)
