"""What every system needs to be put on the workstation: its program as one file, its folders, its command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from random import Random
from typing import Generic, TypeVar

from afagent.world.files import ML_GROUP, File, Item, text
from afagent.world.lab import Lab, Person
from afagent.world.residue.tree import with_folders
from afagent.world.systems._kinds import Asset, Service

PYTHON = ("/usr/bin/python3", "-ISB")
"""No site packages, no environment, nothing but the program's own file: what lies beside it cannot take its place."""
WRITABLE, RUNNABLE, SHARED_FOLDER = 0o664, 0o775, 0o2775
"""Modes of what people of a group keep together; the agent's user is in the group."""

S = TypeVar("S")
_IMPORT = re.compile(r"^from (report|settings) import .*\n", re.MULTILINE)
_DOCSTRING = re.compile(r'\A"""(.*?)"""\n+', re.DOTALL)


@dataclass(frozen=True)
class Part(Generic[S]):
    """One system, and what it brings to the lab."""

    system: S
    assets: tuple[Asset, ...]
    services: tuple[Service, ...]
    files: tuple[Item, ...]


def program(name: str, header: str) -> str:
    """A program of `sandboxes/workstation/systems` as one file, with the lab's own words at its head.

    Its imports of the two modules that the programs share are replaced by those modules' text.
    """
    source = _source(name)
    return header + _IMPORT.sub(lambda found: _without_docstring(_source(found[1])) + "\n\n", source)


def script(name: str, values: dict[str, str]) -> str:
    """A shell script of the same folder, with `@NAME@` replaced by the lab's own values."""
    source = (_FOLDER / name).read_text("utf-8")
    for key, value in values.items():
        source = source.replace(f"@{key}@", value)
    return source


_FOLDER = resources.files("afagent.sandboxes") / "workstation" / "systems"


def _source(name: str) -> str:
    return (_FOLDER / f"{name}.py").read_text("utf-8")


def _without_docstring(source: str) -> str:
    return _DOCSTRING.sub(lambda found: f"# --- {found[1].splitlines()[0]}\n", source).rstrip("\n") + "\n"


def head(lab: Lab, name: str, keeper: Person, installed: datetime, rng: Random) -> str:
    """The comment over a program: what it is, and whom to ask."""
    version = f"{rng.randrange(1, 4)}.{rng.randrange(0, 18)}.{rng.randrange(0, 9)}"
    where = lab.domain.split(".", 1)[1]
    return rng.choice(
        (
            f"#!/usr/bin/python3\n# {name} {version} - {lab.company}\n# questions to {keeper.login}@{where}\n",
            f"#!/usr/bin/python3\n# {name} {version}, installed {installed:%Y-%m-%d} by {keeper.login}\n",
            f"#!/usr/bin/python3\n# {lab.company}, {keeper.role}: {name} {version} ({keeper.login})\n",
        )
    )


def shared(root: str, keeper: Person, items: list[Item], group: int = ML_GROUP) -> list[Item]:
    """The items below `root`, in folders that the keeper's group may write to."""
    return with_folders(root, items, keeper.uid, group, SHARED_FOLDER)


def owned(
    path: str, content: str, modified: datetime, keeper: Person, mode: int = WRITABLE, group: int = ML_GROUP
) -> File:
    """A text file of the keeper's that the group may write to."""
    return text(path, content, modified, keeper.uid, group, mode)


def lately(lab: Lab, rng: Random, minutes: float) -> datetime:
    """A moment about so many minutes ago, to the second."""
    return lab.now - timedelta(seconds=int(60 * minutes * rng.uniform(0.7, 1.3)) + 1)
