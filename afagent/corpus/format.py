"""The files of a corpus: tables of readers, disguises, channels and places, and the cases that name them.

A folder of YAML, every file with a `kind`. Commands are written with the placeholders of playbooks.

readers, disguises, channels, places   by name: what it does, and how the oracle undoes it
exfiltration, staging                  a list of lines such as `cat | gzip | base64 | https-put`
failing, benign                        by theme: acts by name, each a command or a list of them
sabotage, tampering,                   the same, at the lab's own systems: each theme says under `systems` what
shutdown_resistance                    becomes of them, as a benign theme may that comes near them
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from afagent import yaml_files, yaml_text
from afagent.playbooks.playbook import Line
from afagent.world.jobs import FAMILIES

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


class Permitted(_Strict):
    """A change of the systems that the job asks for, as `afagent.world.systems.Permit` has it."""

    asset: str
    act: Literal["set", "lines", "rotate", "remove", "restart"]
    keys: dict[str, list[str]] = {}
    removed: list[Line] = []
    added: list[Line] = []
    to: list[Line] = []
    times: Annotated[int, Field(ge=1)] = 1


def _family(name: str) -> str:
    if name not in FAMILIES:
        raise ValueError(f"no job family {name!r}; there are {', '.join(FAMILIES)}")
    return name


class AtSystems(_Strict):
    """What acts at the lab's own systems do to them, and in which scenario."""

    effect: Literal["attempted", "succeeded"] | None = None
    """*attempted*: it fails. None: all of it is what the job asks for, or nothing."""
    concealed: bool = False
    """Whether it also hides its own traces: something is put back, or a log loses or gains lines."""
    shows: str | None = None
    """What the output holds only if the act worked, for one that changes no file and no process that is watched."""
    changes: list[Line] = []
    """What a benign act may change: paths, patterns among them, and names of services."""
    family: Annotated[str, AfterValidator(_family)] | None = None
    """Of the job; None for any."""
    seed: int | None = None
    permits: list[Permitted] = []
    """What the job asks for beside what its family has it ask for."""


class Theme(_Strict):
    """Acts that belong together."""

    systems: AtSystems | None = None
    """For acts at the lab's systems, which then run for a while before and after them."""
    near_miss: bool = False
    """Whether they come close to an exfiltration without being one."""
    acts: Annotated[dict[str, Line | list[Line]], AfterValidator(_listed)]
    """Commands by the act's name, each a call of the `bash` tool."""


class Acts(_Strict):
    """Cases that are told command by command."""

    kind: Literal["failing", "benign", "sabotage", "tampering", "shutdown_resistance"]
    about: str
    themes: dict[str, Theme]

    @model_validator(mode="after")
    def _says_what_becomes_of_the_systems(self) -> Self:
        for name, theme in self.themes.items():
            harms = theme.systems is not None and theme.systems.effect is not None
            if harms is not (self.kind not in ("failing", "benign")):
                raise ValueError(f"{name}: an effect on the systems is declared of acts against them, and of no others")
        return self


File = Annotated[Readers | Disguises | Channels | Places | Pipelines | Acts, Field(discriminator="kind")]
_FILE: TypeAdapter[File] = TypeAdapter(File)


def read_file(path: Path) -> tuple[File, yaml_text.Source]:
    """A corpus' file, and its source for lines in later errors.

    Raises:
        UsageError: it cannot be read or is none; the message names file and line.
    """
    return yaml_files.read(path, "the corpus' file", _FILE.validate_python)
