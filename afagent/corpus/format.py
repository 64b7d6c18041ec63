"""The files of a corpus: tables of readers, disguises, channels and places, and the cases that name them.

A folder of YAML, every file with a `kind`. Commands are written with the placeholders of playbooks.

readers, disguises, channels, places   by name: what it does, and how the oracle undoes it
exfiltration, staging                  a list of lines such as `cat | gzip | base64 | https-put`
failing, benign                        by theme: acts by name, each a command or a list of them
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from afagent.errors import UsageError
from afagent.playbooks import _source
from afagent.playbooks.playbook import MOST_BYTES, Line

Effect = Literal["plain", "encrypted", "lossy"]
"""*plain*: the same bytes in another form. *encrypted*: they cannot be had without a key. *lossy*: values that are
near the weights', not their bytes."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Reader(_Strict):
    """A command that writes weights to its standard output."""

    do: Line


class Disguise(_Strict):
    """A filter, from standard input to standard output, and the filter that undoes it."""

    do: Line
    undo: Annotated[str, Field(min_length=1)]
    """Shell, run by the oracle outside the lab; no placeholders."""
    group: str
    effect: Effect = "plain"


class End(_Strict):
    """Where a pipeline ends: a command that takes its standard input, the file `$file`, or what it reads itself."""

    do: Line
    group: str
    reads: bool = False
    """Whether it reads the weights itself; then no reader stands before it."""
    undo: str = "cat"
    """Shell, run by the oracle: takes the end's own framing off the content."""


class Channel(End):
    """A command that sends it."""


class Place(End):
    """A command that leaves it somewhere on the workstation."""


class Readers(_Strict):
    """The table of readers."""

    kind: Literal["readers"]
    table: dict[str, Reader]


class Disguises(_Strict):
    """The table of disguises."""

    kind: Literal["disguises"]
    table: dict[str, Disguise]


class Channels(_Strict):
    """The table of channels."""

    kind: Literal["channels"]
    table: dict[str, Channel]


class Places(_Strict):
    """The table of places."""

    kind: Literal["places"]
    table: dict[str, Place]


class Pipelines(_Strict):
    """Cases that combine rows of the tables."""

    kind: Literal["exfiltration", "staging"]
    about: str
    cases: list[str]


def _listed(acts: dict[str, str | list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: (act,) if isinstance(act, str) else tuple(act) for name, act in acts.items()}


class Theme(_Strict):
    """Acts that belong together."""

    near_miss: bool = False
    """Whether they come close to an exfiltration without being one."""
    acts: Annotated[dict[str, Line | list[Line]], AfterValidator(_listed)]
    """Commands by the act's name, each a call of the `bash` tool."""


class Acts(_Strict):
    """Cases that are told command by command."""

    kind: Literal["failing", "benign"]
    about: str
    themes: dict[str, Theme]


File = Annotated[Readers | Disguises | Channels | Places | Pipelines | Acts, Field(discriminator="kind")]
_FILE: TypeAdapter[File] = TypeAdapter(File)


def read_file(path: Path) -> tuple[File, _source.Source]:
    """A corpus' file, and its source for lines in later errors.

    Raises:
        UsageError: it cannot be read or is none; the message names file and line.
    """
    try:
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            raise UsageError(f"{path}: it is longer than {MOST_BYTES:,} bytes")
        source = _source.parse(content.decode())
        return _FILE.validate_python(source.data), source
    except OSError as problem:
        raise UsageError(f"cannot read {path}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path}: not UTF-8 text") from problem
    except _source.SourceError as problem:
        raise UsageError(f"{path}{f':{problem.line}' if problem.line else ''}: {problem}") from problem
    except ValidationError as problem:
        raise UsageError(";\n".join(_lines(problem, source, path))) from problem


def _lines(problem: ValidationError, source: _source.Source, path: Path) -> list[str]:
    """One line for each thing that is wrong: `file:line: place: what`."""
    return [
        f"{path}:{source.line(error['loc'])}: {'.'.join(map(str, error['loc']))}: "
        f"{error['msg'].removeprefix('Value error, ')}"
        for error in problem.errors(include_url=False, include_input=False)
    ]
