"""Builds the images that the lab runs: the base if it cannot be pulled, then what the compose file names.

Nothing is done twice: an unchanged image costs Compose a second. Inspect itself builds them again at a task's start,
from the same cache.
"""

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from textwrap import shorten

from afagent import engine
from afagent.errors import LabError

BASE = "debian:bookworm-slim"
"""What both images are built from."""
SANDBOXES = Path(str(files("afagent.sandboxes")))
"""The folder of the compose file and the images' sources, in a checkout as in an installation."""
COMPOSE_FILE = SANDBOXES / "compose.yaml"

_BEGINS = re.compile(r"^#(\d+) \[([^\]]*)\] (.*)$")
"""BuildKit's plain progress names a step once: `#7 [recorder 2/5] RUN apt-get ...`."""
_SAYS = re.compile(r"^#(\d+) \d+\.\d+ ")
"""What the step then prints: `#7 0.412 Reading package lists...`. A step taken from the cache prints nothing."""
_BASE = "base image: "
"""What base.sh puts before the lines that say what it does."""


def build(*, no_cache: bool = False, tell: Callable[[str], None]) -> None:
    """Brings the lab's images up to date.

    Args:
        no_cache: builds every step anew.
        tell: is called with each step as it begins, one line.

    Raises:
        LabError: no engine answers, or a build fails; then the message names the file that holds the build's output.
    """
    engine.connect().close()
    _run(["bash", str(SANDBOXES / "base.sh")], failed=f"the base image {BASE} could not be made", tell=tell)
    compose = ["docker", "compose", "--project-name", "afagent", "--file", str(COMPOSE_FILE), "--progress", "plain"]
    fresh = ["--no-cache"] if no_cache else []
    _run([*compose, "build", *fresh], failed="the lab's images could not be built", tell=tell)


def sources() -> str:
    """A digest over all that the images are built from here; it asks no engine and tells nothing of their base."""
    digest = hashlib.sha256()
    for file in sorted(path for path in SANDBOXES.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        name = str(file.relative_to(SANDBOXES)).encode()
        digest.update(hashlib.sha256(name).digest() + hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"


def steps(output: Iterable[str]) -> Iterator[str]:
    """The steps that a build really takes, each as soon as it is at work; what comes from the cache is passed over."""
    named: dict[str, str] = {}
    for line in output:
        if line.startswith(_BASE):
            yield line.removeprefix(_BASE).strip()
        elif match := _BEGINS.match(line):
            named[match[1]] = shorten(f"{match[2]}: {match[3]}", width=110, placeholder=" ...")
        elif (match := _SAYS.match(line)) and (step := named.pop(match[1], None)):
            yield step


def _run(command: Sequence[str], *, failed: str, tell: Callable[[str], None]) -> None:
    """Runs a command with all it says going to a file, which stays only if the command fails."""
    with tempfile.NamedTemporaryFile("w", prefix="afagent-build-", suffix=".log", delete=False) as log:
        try:
            status, last = _follow(command, log.write, tell)
        except OSError as error:
            raise LabError(f"{failed}: {engine.reason(error)}") from error
        except BaseException:
            Path(log.name).unlink(missing_ok=True)
            raise
    if status:
        raise LabError(f"{failed}: {last or f'exit status {status}'} (all of its output: {log.name})")
    Path(log.name).unlink()


def _follow(command: Sequence[str], write: Callable[[str], object], tell: Callable[[str], None]) -> tuple[int, str]:
    """Passes a command's output on while it runs. Gives its exit status and the last line it said."""
    last = ""

    def said(stream: Iterable[str]) -> Iterator[str]:
        nonlocal last
        for line in stream:
            write(line)
            last = line.strip() or last
            yield line

    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=engine.environment(),
    ) as process:
        assert process.stdout is not None
        for step in steps(said(process.stdout)):
            tell(step)
    return process.returncode, last
