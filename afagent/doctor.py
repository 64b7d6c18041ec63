"""What this machine has and lacks for running the lab: looked up first, then judged, then told."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import requires, version

from packaging.requirements import Requirement
from rich.console import Console
from rich.text import Text

from afagent import engine, images
from afagent.engine import COMPOSE_FLOOR, ENGINE_FLOOR, Engine
from afagent.errors import LabError

GIB = 1024**3
MEMORY_FLOOR = 4 * GIB
"""Bytes: one episode may take 3.5 GiB, by the limits in the compose file."""
DISK_FLOOR = 5 * GIB
"""Bytes: images, and the weights and what is made of them in a few episodes at a time."""
PYTHON_FLOOR = "3.11"

INSTALL_ENGINE = f"run `make` in a checkout as root, or install Docker Engine {ENGINE_FLOOR} or newer and start it"
INSTALL_COMPOSE = f"install Docker Compose {COMPOSE_FLOOR} or newer"


@dataclass(frozen=True)
class Check:
    """One thing that the lab needs, and whether this machine has it."""

    name: str
    ok: bool | None
    """None: cannot tell."""
    said: str
    """What was found."""
    remedy: str = ""
    """What to do about it, if it is not there."""


@dataclass(frozen=True)
class Machine:
    """What was found on this machine; a string stands for the reason why something was not found."""

    engine: Engine | str
    compose: str
    """Compose's version, or empty."""
    compose_error: str
    lab_images: tuple[str, ...]
    """The images that the lab's services run; empty if Compose could not say."""
    python: str
    inspect: str
    inspect_floor: str


def examine() -> list[Check]:
    """Looks at this machine and judges it."""
    return judge(look())


def look() -> Machine:
    """Asks engine, Compose and Python. What does not answer in time is part of the answer, never an error."""
    answered: Engine | str
    try:
        answered = engine.look()
    except LabError as error:
        answered = str(error.message)
    compose, compose_error = "", ""
    lab_images: tuple[str, ...] = ()
    try:
        compose = engine.compose_version()
        lab_images = engine.lab_images(images.COMPOSE_FILE)
    except LabError as error:
        compose_error = str(error.message)
    return Machine(
        engine=answered,
        compose=compose,
        compose_error=compose_error,
        lab_images=lab_images,
        python=platform.python_version(),
        inspect=version("inspect-ai"),
        inspect_floor=_floor("inspect-ai"),
    )


def judge(machine: Machine) -> list[Check]:
    """What the lab needs, in the order in which to mend it. Pure."""
    return [
        _engine(machine.engine),
        _compose(machine),
        _base_image(machine.engine),
        _lab_images(machine.engine, machine.lab_images),
        _disk(machine.engine),
        _memory(machine.engine),
        _python(machine.python),
        _inspect(machine.inspect, machine.inspect_floor),
    ]


def ready(checks: Iterable[Check]) -> bool:
    """Whether the lab can run: nothing is known to be missing."""
    return not any(check.ok is False for check in checks)


def render(checks: Iterable[Check], console: Console) -> None:
    """One line for each check. What is said is text from outside and is never read as markup."""
    marks = {True: ("ok", "green"), False: ("missing", "red"), None: ("cannot tell", "yellow")}
    for check in checks:
        said = check.said if check.ok or not check.remedy else f"{check.said}: {check.remedy}"
        word, style = marks[check.ok]
        console.print(Text.assemble((f"{word:<11}", style), f"  {check.name:<10}  {said}"), soft_wrap=True)


def _engine(found: Engine | str) -> Check:
    if isinstance(found, str):
        return Check("engine", ok=False, said=found, remedy=INSTALL_ENGINE)
    ok = engine.at_least(found.version, ENGINE_FLOOR)
    return Check("engine", ok=ok, said=f"Docker Engine {found.version}", remedy=f"{ENGINE_FLOOR} or newer is needed")


def _compose(machine: Machine) -> Check:
    if not machine.compose:
        return Check(
            "compose", ok=False, said=machine.compose_error, remedy=f"install Compose {COMPOSE_FLOOR} or newer"
        )
    ok = engine.at_least(machine.compose, COMPOSE_FLOOR)
    return Check("compose", ok=ok, said=f"Compose {machine.compose}", remedy=f"{COMPOSE_FLOOR} or newer is needed")


def _base_image(found: Engine | str) -> Check:
    if isinstance(found, str):
        return Check("base image", ok=None, said="no engine to ask")
    there = images.BASE in found.images
    said = images.BASE if there else f"{images.BASE} is not there"
    return Check("base image", ok=there, said=said, remedy="run `afagent build`")


def _lab_images(found: Engine | str, names: tuple[str, ...]) -> Check:
    if isinstance(found, str):
        return Check("lab images", ok=None, said="no engine to ask")
    if not names:
        return Check("lab images", ok=None, said="no Compose to say which they are")
    absent = [name for name in names if name not in found.images]
    said = f"{', '.join(absent)} not there" if absent else ", ".join(names)
    return Check("lab images", ok=not absent, said=said, remedy="run `afagent build`")


def _disk(found: Engine | str) -> Check:
    if isinstance(found, str):
        return Check("disk", ok=None, said="no engine to ask")
    if found.disk_free is None:
        return Check("disk", ok=None, said="the engine's disk is not this machine's")
    said = f"{found.disk_free / GIB:.1f} GiB free for images and volumes"
    return Check("disk", ok=found.disk_free >= DISK_FLOOR, said=said, remedy=f"{DISK_FLOOR // GIB} GiB are needed")


def _memory(found: Engine | str) -> Check:
    if isinstance(found, str):
        return Check("memory", ok=None, said="no engine to ask")
    said = f"{found.memory / GIB:.1f} GiB for all containers"
    return Check("memory", ok=found.memory >= MEMORY_FLOOR, said=said, remedy=f"{MEMORY_FLOOR // GIB} GiB are needed")


def _python(found: str) -> Check:
    ok = engine.at_least(found, PYTHON_FLOOR)
    return Check("python", ok=ok, said=f"Python {found}", remedy=f"{PYTHON_FLOOR} or newer is needed")


def _inspect(found: str, floor: str) -> Check:
    ok = engine.at_least(found, floor)
    return Check("inspect-ai", ok=ok, said=f"inspect-ai {found}", remedy=f"{floor} or newer is needed")


def _floor(package: str) -> str:
    """The oldest version of a package that afagent's own metadata accepts."""
    for line in requires("afagent") or ():
        requirement = Requirement(line)
        if requirement.name == package:
            return next(spec.version for spec in requirement.specifier if spec.operator == ">=")
    raise LookupError(package)
